//! Commands and configurations of tasks: argv, or JSON whose shape is checked and whose text is passed on as written.

use super::failure::Failure;
use super::strings::{self, lambda_executor_str_t};
use super::task::{About, lambda_executor_task_t};
use crate::executor::Command;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::ffi::c_char;

/// The command of a task.
///
/// # Safety
/// Pointers in `task` are NULL or readable as the header says.
pub(super) unsafe fn command(task: &lambda_executor_task_t, about: About<'_>) -> Result<Command, Failure> {
    // SAFETY: passed on from the caller.
    let json = unsafe { strings::field(task.command_json, about.field("command_json")) }?;
    match (task.argv.is_null(), json.is_empty()) {
        // SAFETY: not NULL, and an array of `argc` strings by the header's rules.
        (false, true) => unsafe { argv(task.argv, task.argc, about) },
        (true, false) if task.argc == 0 => command_json(json, about),
        (true, true) if task.argc == 0 => Err(about.wrong("has no command", "(set argv and argc, or command_json)")),
        (true, _) => Err(about.wrong("argv", format!("is NULL, but argc is {}", task.argc))),
        (false, false) => Err(about.wrong("has two commands", "(set either argv or command_json)")),
    }
}

/// # Safety
/// `argv` holds `argc` pointers, each NULL or to a NUL-terminated string.
unsafe fn argv(argv: *const *const c_char, argc: usize, about: About<'_>) -> Result<Command, Failure> {
    /// Three bytes of JSON for each argument fill the largest event (1 MiB); more is a mistake, such as -1 as a size_t.
    const MAX_ARGC: usize = 1_048_576 / 3;
    /// Memory is not reserved for more than any usual command has.
    const USUAL: usize = 4096;
    if argc == 0 {
        return Err(about.wrong("argv", "is empty: the first string is the program"));
    }
    if argc > MAX_ARGC {
        return Err(about.wrong("argc", format!("is {argc} (at most {MAX_ARGC} arguments fit into an event)")));
    }
    let mut words = Vec::with_capacity(argc.min(USUAL));
    for at in 0..argc {
        // SAFETY: within the array.
        let word = unsafe { argv.add(at).read_unaligned() };
        if word.is_null() {
            return Err(about.wrong("argv", format!("has a NULL at index {at}, but argc is {argc}")));
        }
        // SAFETY: not NULL, NUL-terminated.
        let word =
            unsafe { strings::field(lambda_executor_str_t { ptr: word, len: strings::NUL }, about.field("argv")) }?;
        if at == 0 && word.is_empty() {
            return Err(about.wrong("argv", "has an empty string as the program (index 0)"));
        }
        words.push(word.to_owned());
    }
    Ok(Command::Argv(words))
}

/// What a command may be in JSON. The quotes are forgotten most often.
const COMMANDS: &str = r#"a list of strings, or one string for the shell, in quotes: "echo hi""#;

fn command_json(text: &str, about: About<'_>) -> Result<Command, Failure> {
    let read = || {
        let json = parsed(text)?;
        match kind(json) {
            "a list" => list(json)?,
            "a string" => shell(json)?,
            other => return Err(format!("is {other}")),
        }
        Ok(Command::Json(json.to_owned()))
    };
    read().map_err(|what| about.wrong("command_json", format!("{what} (allowed: {COMMANDS})")))
}

/// The `executor_config` of a task; empty text is none.
pub(super) fn executor_config(text: &str, about: About<'_>) -> Result<Option<Box<RawValue>>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    let config = parsed(text).and_then(|json| match kind(json) {
        "an object" => Ok(Some(json.to_owned())),
        other => Err(format!("is {other}")),
    });
    config.map_err(|what| about.wrong("executor_config_json", format!("{what} (allowed: a JSON object, or empty)")))
}

fn parsed(text: &str) -> Result<&RawValue, String> {
    serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))
}

/// By its first byte, since the whole is known to be JSON.
fn kind(json: &RawValue) -> &'static str {
    match json.get().bytes().next() {
        Some(b'[') => "a list",
        Some(b'{') => "an object",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// A program and its arguments.
fn list(json: &RawValue) -> Result<(), String> {
    let words: Vec<&RawValue> = serde_json::from_str(json.get()).map_err(|error| format!("is not JSON: {error}"))?;
    if words.is_empty() {
        return Err("is an empty list: the first string is the program".into());
    }
    for (at, word) in words.into_iter().enumerate() {
        if kind(word) != "a string" {
            return Err(format!("has something other than a string at index {at}"));
        }
        if at == 0 && word.get() == r#""""# {
            return Err("has an empty string as the program at index 0".into());
        }
        if decoded(word).ok_or_else(|| format!("{UNPAIRED} at index {at}"))?.contains('\0') {
            return Err(format!("has a NUL (\\u0000), which no argument can have, at index {at}"));
        }
    }
    Ok(())
}

/// One string for the shell.
fn shell(json: &RawValue) -> Result<(), String> {
    let text = decoded(json).ok_or(UNPAIRED)?;
    if text.trim_ascii().is_empty() {
        return Err("is an empty string".into());
    }
    if text.contains('\0') {
        return Err("has a NUL (\\u0000), which no command can have".into());
    }
    Ok(())
}

const UNPAIRED: &str = "has an unpaired surrogate (\\ud800 to \\udfff)";

/// The content of a JSON string, copied only where it has escapes. `None` for the one mistake that passes as JSON: half
/// of a surrogate pair.
fn decoded(json: &RawValue) -> Option<Cow<'_, str>> {
    let text = json.get();
    if text.contains('\\') { serde_json::from_str(text).ok() } else { Some(text.trim_matches('"').into()) }
}
