//! The committed header is the one generated from the sources, and is complete.

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
fn every_constant_is_in_the_header_with_its_number() {
    let constants = constants();
    for (prefix, least) in
        [("OK", 1), ("ERR_", 11), ("TASK_", 8), ("REASON_", 15), ("LOG_", 6), ("DRAIN_", 2), ("MAX_", 5)]
    {
        let prefix = format!("LAMBDA_EXECUTOR_{prefix}");
        let found = constants.iter().filter(|(name, _)| name.starts_with(&prefix)).count();
        assert!(found >= least, "only {found} constants {prefix}... found in src/ffi");
    }
    for (name, number) in constants {
        let number = number.replace('_', "");
        let forms = [number.clone(), format!("{number}u"), format!("({number})")];
        let defined = GENERATED.lines().any(|line| {
            let mut words = line.split_whitespace();
            (words.next(), words.next()) == (Some("#define"), Some(&name))
                && words.next().is_some_and(|value| forms.iter().any(|form| form == value))
        });
        assert!(defined, "the header lacks `#define {name} {number}`");
    }
}

/// The functions as they are declared, each on one line.
fn functions() -> Vec<String> {
    GENERATED
        .split("\nLAMBDA_EXECUTOR_EXPORT ")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(';')?.0.split_whitespace().collect::<Vec<_>>().join(" ")))
        .filter(|function| function.contains('('))
        .collect()
}

#[test]
fn every_item_has_a_comment() {
    let mut before = "";
    for line in GENERATED.lines() {
        let item = line.starts_with("typedef ")
            || line.starts_with("static ")
            || line.starts_with("LAMBDA_EXECUTOR_EXPORT ")
            || line.starts_with("  ") && line.ends_with(';') && !line.starts_with("   ") && !line.contains("str");
        assert!(!item || before.trim().ends_with("*/"), "no comment before `{line}`");
        before = line;
    }
    let constant = |line: &&str| line.starts_with("#define LAMBDA_EXECUTOR_") && line.split(' ').count() > 2;
    let uncommented = GENERATED.lines().filter(constant).filter(|line| !line.contains("/**<")).count();
    // The macros that are written by hand have none.
    assert!(uncommented <= 10, "{uncommented} constants have no comment on their line");
}

#[test]
fn every_name_has_the_prefix() {
    for line in GENERATED.lines() {
        if let Some(define) = line.strip_prefix("#define ") {
            assert!(define.starts_with("LAMBDA_EXECUTOR_"), "{line}");
        }
        if let Some(name) = line.strip_prefix("} ").or_else(|| line.strip_prefix("typedef struct ")) {
            assert!(name.starts_with("lambda_executor") || name.starts_with("/*"), "{line}");
        }
    }
    assert!(functions().len() >= 41, "{:?}", functions());
    for function in functions() {
        let name = function.split('(').next().unwrap_or_default().rsplit([' ', '*']).next().unwrap_or_default();
        assert!(name.starts_with("lambda_executor_"), "{function}");
    }
    assert!(!GENERATED.contains("//"), "C89 has no line comments");
}

#[test]
fn lines_fit_on_a_screen() {
    let long: Vec<&str> = GENERATED.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn every_file_with_exports_is_in_the_header() {
    let sources: Vec<PathBuf> =
        fs::read_dir(root().join("src/ffi")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let declared = functions();
    for path in sources.iter().filter(|path| path.is_file() && !path.ends_with("panic_injection.rs")) {
        let text = fs::read_to_string(path).unwrap();
        for export in text.split("#[unsafe(no_mangle)]\n").skip(1) {
            let Some(name) = export.split("fn ").nth(1).and_then(|rest| rest.split('(').next()) else { continue };
            let found = declared.iter().any(|function| function.contains(&format!("{name}(")));
            assert!(found || path.ends_with("tests.rs"), "{}: {name} is not in the header", path.display());
        }
    }
}
