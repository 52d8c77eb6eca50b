//! Our own lines in the function's log: one JSON object each, which CloudWatch can search by field.
//!
//! Only the event's key, its ids, the queue and the program's name may be logged. Arguments and the whole event contain
//! tokens and are never logged.

use serde_json::{Map, Value};
use std::io::Write;

/// Severity of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Level {
    /// Normal operation.
    Info,
    /// Something is wrong; work continues.
    Warn,
    /// The task fails before its command runs, or the invocation fails.
    Error,
}

/// Writes one line to stderr.
pub(crate) fn write(level: Level, message: &str, fields: &[(&str, Value)]) {
    let level = match level {
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    };
    let mut line = Map::from_iter([("level".to_owned(), level.into()), ("message".to_owned(), message.into())]);
    line.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let mut text = Value::Object(line).to_string();
    text.push('\n');
    // The print macros would panic if the log cannot be written; work must continue.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
