//! The committed header is the one that the sources make, and nothing is missing in it.

use std::fs;
use std::path::{Path, PathBuf};

const GENERATED: &str = include_str!(concat!(env!("OUT_DIR"), "/lambda_executor.h"));

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_committed_header_is_the_generated_one() {
    let committed = root().join("include/lambda_executor.h");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&committed, GENERATED).unwrap();
    }
    let differing = fs::read_to_string(committed).unwrap_or_default() != GENERATED;
    assert!(!differing, "include/lambda_executor.h is out of date: run `make header` and commit it");
}

/// Number and name of each constant that `src/ffi` has for hosts.
fn constants() -> Vec<(String, String)> {
    let sources = fs::read_dir(root().join("src/ffi")).unwrap().map(|entry| entry.unwrap().path());
    let texts = sources.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap());
    let lines = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    lines
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("pub const ")?.split_once(": ")?;
            let number = rest.split_once(" = ")?.1.strip_suffix(';')?;
            Some((name.to_owned(), number.to_owned()))
        })
        .collect()
}

#[test]
fn every_constant_arrived_with_its_number() {
    let constants = constants();
    for (prefix, least) in [("OK", 1), ("ERR_", 11), ("TASK_", 8), ("REASON_", 13), ("LOG_", 6), ("DRAIN_", 2)] {
        let prefix = format!("LAMBDA_EXECUTOR_{prefix}");
        let found = constants.iter().filter(|(name, _)| name.starts_with(&prefix)).count();
        assert!(found >= least, "only {found} constants {prefix}... found in src/ffi");
    }
    for (name, number) in constants {
        let define = format!("#define {name} {number}");
        assert!(GENERATED.lines().any(|line| line == define), "the header lacks `{define}`");
    }
}

#[test]
fn every_item_has_a_comment() {
    let mut before = "";
    for line in GENERATED.lines() {
        let function = line.contains("(") && !line.starts_with([' ', '/', '#', '*', '}']);
        let item = line.starts_with("typedef ")
            || line.starts_with("#define LAMBDA_EXECUTOR_") && !line.ends_with("_H")
            || line.starts_with("  ") && line.ends_with(';') && !line.starts_with("   ");
        assert!(!(function || item) || before.trim() == "*/", "no comment before `{line}`");
        before = line;
    }
}

#[test]
fn every_name_has_the_prefix() {
    for line in GENERATED.lines() {
        if let Some(define) = line.strip_prefix("#define ") {
            assert!(define.starts_with("LAMBDA_EXECUTOR_"), "{line}");
        }
        if let Some(name) = line.strip_prefix("} ").or_else(|| line.strip_prefix("typedef struct ")) {
            assert!(name.starts_with("lambda_executor"), "{line}");
        }
        let name = line.split('(').next().unwrap_or_default().rsplit([' ', '*']).next().unwrap_or_default();
        if line.contains('(') && !line.starts_with([' ', '/', '#', '*', '}']) && !line.starts_with("typedef") {
            assert!(name.starts_with("lambda_executor_"), "{line}");
        }
    }
    assert!(!GENERATED.contains("//"), "C89 has no line comments");
}

#[test]
fn every_file_with_exports_is_in_the_header() {
    let sources: Vec<PathBuf> =
        fs::read_dir(root().join("src/ffi")).unwrap().map(|entry| entry.unwrap().path()).collect();
    for path in sources.iter().filter(|path| path.is_file() && !path.ends_with("panic_injection.rs")) {
        let text = fs::read_to_string(path).unwrap();
        for export in text.split("#[unsafe(no_mangle)]\n").skip(1) {
            let Some(name) = export.split("fn ").nth(1).and_then(|rest| rest.split('(').next()) else { continue };
            let declared = GENERATED.contains(&format!("{name}("));
            assert!(declared || path.ends_with("tests.rs"), "{} is not in the header: see build.rs", path.display());
        }
    }
}
