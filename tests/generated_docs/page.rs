//! A generated page: its tables, and the comparison with the committed file.

use std::path::Path;

/// Adds a row of a Markdown table.
pub(crate) fn row<C: AsRef<str>>(page: &mut String, cells: &[C]) {
    for cell in cells {
        page.push_str("| ");
        page.push_str(&cell.as_ref().replace('|', "\\|"));
        page.push(' ');
    }
    page.push_str("|\n");
}

/// Fails if the committed page is not `text`. With UPDATE in the environment, writes it first.
pub(crate) fn expect_committed(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let is_same = std::fs::read_to_string(&file).unwrap_or_default() == text;
    assert!(is_same, "{path} is out of date: run `make docs` and commit it");
}
