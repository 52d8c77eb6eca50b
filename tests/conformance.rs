//! `docs/conformance.md` is a table of promises and their tests. This test checks that every required row exists once,
//! and that every test named in it exists.

use std::path::Path;

/// Rows: a letter, and the number of its rows.
const ROWS: [(char, u32); 15] = [
    ('W', 12),
    ('O', 8),
    ('P', 8),
    ('C', 9),
    ('A', 5),
    ('B', 12),
    ('D', 13),
    ('E', 13),
    ('I', 8),
    ('L', 10),
    ('S', 20),
    ('F', 2),
    ('H', 12),
    ('R', 17),
    ('X', 17),
];

struct Row {
    id: String,
    tests: Vec<String>,
}

fn rows() -> Vec<Row> {
    let page = std::fs::read_to_string("docs/conformance.md").expect("docs/conformance.md");
    page.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
            let [id, _, tests] = cells.as_slice() else { panic!("not three cells: {line}") };
            id.ends_with(|c: char| c.is_ascii_digit())
                .then(|| Row { id: (*id).into(), tests: tests.split(", ").map(str::to_owned).collect() })
        })
        .collect()
}

#[test]
fn every_promise_has_one_row() {
    let mut found: Vec<String> = rows().into_iter().map(|row| row.id).collect();
    let mut expected: Vec<String> =
        ROWS.iter().flat_map(|(letter, count)| (1..=*count).map(move |number| format!("{letter}{number}"))).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn every_test_named_exists() {
    let mut missing = Vec::new();
    for row in rows() {
        for test in &row.tests {
            if let Err(why) = find(test) {
                missing.push(format!("{}: {test}: {why}", row.id));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// A test is named by its file, and by its function if the file has more than one.
fn find(test: &str) -> Result<(), String> {
    let names: Vec<&str> = test.split('`').filter(|part| !part.trim().is_empty()).collect();
    let (file, function) = match names.as_slice() {
        [file] => (*file, None),
        [file, function] => (*file, Some(*function)),
        _ => return Err("not a file and a function in backticks".into()),
    };
    let text = std::fs::read_to_string(Path::new(file)).map_err(|error| error.to_string())?;
    match (Path::new(file).extension().and_then(|e| e.to_str()), function) {
        (Some("c" | "sh"), None) => Ok(()),
        (Some("rs"), Some(function)) => is_test_in_rust(&text, function),
        (Some("py"), Some(function)) if text.contains(&format!("\ndef {function}(")) => Ok(()),
        (Some("go"), Some(function)) if text.contains(&format!("\nfunc {function}(t *testing.T)")) => Ok(()),
        _ => Err("the test does not exist".into()),
    }
}

fn is_test_in_rust(text: &str, function: &str) -> Result<(), String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let at = lines
        .iter()
        .position(|line| line.contains(&format!("fn {function}(")))
        .ok_or("the function does not exist in the file")?;
    let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with('#'));
    let is_test = attributes.clone().any(|line| line.contains("test"));
    if is_test && !attributes.clone().any(|line| line.contains("ignore")) {
        Ok(())
    } else {
        Err("it is not run".into())
    }
}
