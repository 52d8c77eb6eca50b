//! Comparing a page with what the code says, and writing it.

use std::path::Path;

/// Compares the file `name`, relative to the root of the repository, with `text`. With `UPDATE` set it writes the file.
pub(crate) fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let same = std::fs::read_to_string(&path).unwrap_or_default() == text;
    assert!(same, "{name} is out of date: run `UPDATE=1 cargo test --workspace --test generated_docs`");
}
