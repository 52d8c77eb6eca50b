//! The file in which PRE_COMMAND may leave variables for the command: lines `NAME=value`.
//!
//! No error quotes a value: it may be a secret.

use crate::large_argument::MAX_ARGUMENT_BYTES;
use crate::regular_file::{self, Content};
use crate::variables::{self, ENV_FILE};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Linux accepts a few MiB of arguments and environment together.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Reads the variables; none when there is no file.
pub(crate) fn read(path: &Path) -> Result<Vec<(String, OsString)>, String> {
    match regular_file::read(path, MAX_FILE_BYTES) {
        Ok(Content::Absent) => Ok(Vec::new()),
        Ok(Content::Whole(text)) => variables(&text),
        Ok(Content::TooLong(bytes)) => Err(format!("{ENV_FILE} has {bytes} bytes, more than {MAX_FILE_BYTES}")),
        Ok(Content::NotAFile) => Err(format!("{ENV_FILE} is no longer a regular file")),
        Err(error) => Err(format!("{ENV_FILE} cannot be read: {error}")),
    }
}

fn variables(text: &[u8]) -> Result<Vec<(String, OsString)>, String> {
    let lines = text.split(|&byte| byte == b'\n').enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#"))
        .map(|(index, line)| variable(line).map_err(|problem| format!("{ENV_FILE}, line {}: {problem}", index + 1)))
        .collect()
}

fn variable(line: &[u8]) -> Result<(String, OsString), String> {
    let equals = line.iter().position(|&byte| byte == b'=').ok_or("not NAME=value")?;
    let (name, value) = (&line[..equals], &line[equals + 1..]);
    let name = std::str::from_utf8(name).ok().filter(|name| is_name(name));
    let name = name.ok_or("a name has letters, digits and _, and does not begin with a digit")?;
    if variables::is_ours(name) {
        return Err(format!("{name} cannot be set by PRE_COMMAND"));
    }
    if value.contains(&0) {
        return Err(format!("the value of {name} contains a NUL character"));
    }
    if line.len() > MAX_ARGUMENT_BYTES {
        return Err(format!("{name} has {} bytes with its value, and Linux takes {MAX_ARGUMENT_BYTES}", line.len()));
    }
    Ok((name.to_owned(), OsStr::from_bytes(value).to_owned()))
}

fn is_name(name: &str) -> bool {
    name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_literally() {
        let longest = format!("L={}", "x".repeat(MAX_ARGUMENT_BYTES - 2));
        let text = [b"# a comment\n\nA=1\n_b2= x=y \"q\" \nLATIN=\xe4\n".as_slice(), longest.as_bytes()].concat();
        let found = variables(&text).unwrap();
        let expected: [(&str, &[u8]); 4] =
            [("A", b"1"), ("_b2", b" x=y \"q\" "), ("LATIN", b"\xe4"), ("L", &longest.as_bytes()[2..])];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), OsStr::from_bytes(value).to_owned())));
    }

    #[test]
    fn an_error_names_the_line_and_quotes_no_value() {
        let too_long = format!("A=SECRET{}", "x".repeat(MAX_ARGUMENT_BYTES));
        for (text, expected) in [
            ("A=1\nSECRET", "line 2: not NAME=value"),
            ("1A=SECRET", "line 1: a name has"),
            ("=SECRET", "line 1: a name has"),
            ("export A=SECRET", "line 1: a name has"),
            ("A=SECRET\0", "line 1: the value of A contains a NUL"),
            ("AWS_LAMBDA_RUNTIME_API=SECRET", "AWS_LAMBDA_RUNTIME_API cannot be set by PRE_COMMAND"),
            ("LAMBDA_EXECUTOR_TASK_KEY=SECRET", "LAMBDA_EXECUTOR_TASK_KEY cannot be set by PRE_COMMAND"),
            (&too_long, "line 1: A has 131079 bytes with its value, and Linux takes 131071"),
        ] {
            let message = variables(text.as_bytes()).unwrap_err();
            assert!(message.contains(expected) && !message.contains("SECRET"), "{message}");
        }
    }
}
