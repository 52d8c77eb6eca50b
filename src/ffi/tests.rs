//! Rules for all exports.

use std::fs;
use std::path::Path;

/// The sources of this folder, by name.
fn sources() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ffi");
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs"))
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect()
}

#[test]
fn every_export_is_guarded() {
    let mut exports = 0;
    for (file, text) in sources() {
        for function in text.split("#[unsafe(no_mangle)]").skip(1) {
            let body = function.split("\n}\n").next().unwrap();
            let guards: usize =
                ["plain(", "call(", "on_handle(", "until_free(", "on_any_handle(", "in_signal_handler("]
                    .iter()
                    .map(|guard| body.matches(&format!("guard::{guard}")).count())
                    .sum();
            assert_eq!(guards, 1, "{file}: {}", body.trim_start());
            exports += 1;
        }
    }
    assert!(exports >= 42, "{exports} exports found");
}

#[test]
fn the_limits_of_the_header_are_the_ones_that_hold() {
    let size = |number: u32| usize::try_from(number).unwrap();
    assert_eq!(size(super::task::LAMBDA_EXECUTOR_MAX_BATCH), super::entries::MAX);
    assert_eq!(size(super::task::LAMBDA_EXECUTOR_MAX_KEY_BYTES), super::strings::MAX_KEY_BYTES);
}

#[test]
fn every_export_has_the_prefix_and_a_comment() {
    for (file, text) in sources() {
        for (before, after) in text.match_indices("#[unsafe(no_mangle)]").map(|(at, _)| text.split_at(at)) {
            assert!(before.trim_end().lines().last().unwrap().starts_with("/// "), "{file}: no comment before {after}");
            let name = after.split("fn ").nth(1).unwrap();
            assert!(name.starts_with("lambda_executor_"), "{file}: {name}");
        }
    }
}
