//! Our own lines in the function's log: one JSON object each, which CloudWatch can search by field.
//!
//! Of an event only the key, its ids, the queue and the program's name may be logged. Never arguments or the event as it
//! is: they carry tokens.

use serde_json::{Map, Value};
use std::io::Write;

/// How bad it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Level {
    /// The ordinary course of things.
    Info,
    /// Not as it should be; we go on.
    Warn,
    /// The task fails without its command, or the invocation does.
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
    // A log that cannot be written must not end the work, as the print macros would.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
