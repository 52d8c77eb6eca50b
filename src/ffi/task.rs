//! Tasks of the caller: structs of older and newer versions, commands, limits.

use super::failure::Failure;
use super::strings;
use super::types::{lambda_executor_str_t, lambda_executor_task_t};
use crate::executor::{AdoptSpec, AttemptId, Command, TaskSpec};
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::ffi::c_char;
use std::fmt;

/// Size of the struct in the first version of the ABI: what the oldest callers pass.
const FIRST_SIZE: usize = std::mem::offset_of!(lambda_executor_task_t, attempt_id);

/// More than a struct of any version will have: what is larger was never set, and must not be read or written.
pub(super) const MOST_SIZE: usize = 4096;

/// An array of tasks, whose structs may be older or newer than ours.
pub(super) struct Tasks {
    first: *const u8,
    stride: usize,
    len: usize,
}

impl Tasks {
    /// # Safety
    /// `tasks` is NULL or the first of `n` structs of `tasks[0].struct_size` bytes each, readable as long as the value
    /// is used.
    pub(super) unsafe fn new(tasks: *const lambda_executor_task_t, n: usize) -> Result<Self, Failure> {
        if n == 0 {
            return Ok(Self { first: std::ptr::null(), stride: 0, len: 0 });
        }
        if tasks.is_null() {
            return Err(Failure::argument("the task is NULL"));
        }
        // SAFETY: not NULL, and every version of the struct starts with struct_size.
        let stride = struct_size(unsafe { tasks.cast::<u32>().read_unaligned() });
        if !(FIRST_SIZE..=MOST_SIZE).contains(&stride) {
            return Err(Failure::argument(format!(
                "struct_size of the task is {stride}: zero the struct, then set it to sizeof(lambda_executor_task_t) \
                 (here {})",
                size_of::<lambda_executor_task_t>()
            )));
        }
        if n.checked_mul(stride).is_none_or(|bytes| isize::try_from(bytes).is_err()) {
            return Err(Failure::argument(format!("{n} tasks of {stride} bytes cannot be in memory: n is wrong")));
        }
        Ok(Self { first: tasks.cast(), stride, len: n })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Result<lambda_executor_task_t, Failure>> {
        // SAFETY: the array is as long as the caller of `new` promised.
        (0..self.len).map(|at| unsafe { self.read(self.first.add(at * self.stride)) })
    }

    /// Reads one struct: what an older caller does not have is zero, what a newer one has beyond ours must be.
    ///
    /// # Safety
    /// `at` may be read for `stride` bytes.
    unsafe fn read(&self, at: *const u8) -> Result<lambda_executor_task_t, Failure> {
        // SAFETY: all zeros are a value of this struct: numbers and pointers. The copy stays within both structs.
        let task = unsafe {
            let mut task = std::mem::zeroed::<lambda_executor_task_t>();
            let known = self.stride.min(size_of::<lambda_executor_task_t>());
            std::ptr::from_mut(&mut task).cast::<u8>().copy_from_nonoverlapping(at, known);
            task
        };
        if struct_size(task.struct_size) != self.stride {
            return Err(Failure::argument(format!(
                "struct_size of the task is {}, but of the first one in the array {}: all must have the same",
                task.struct_size, self.stride
            )));
        }
        let newer = self.stride.saturating_sub(size_of::<lambda_executor_task_t>());
        // SAFETY: the rest of the struct that was read above.
        let tail = unsafe { std::slice::from_raw_parts(at.add(self.stride - newer), newer) };
        if tail.iter().any(|byte| *byte != 0) {
            return Err(Failure::argument(format!(
                "the task sets a field that this version of the library does not know (its struct has {} bytes, the \
                 library's {})",
                self.stride,
                size_of::<lambda_executor_task_t>()
            )));
        }
        if task.flags != 0 {
            return Err(Failure::argument(format!("flags of the task are {:#x} (only 0 is allowed)", task.flags)));
        }
        Ok(task)
    }
}

/// A struct_size as a size.
pub(super) fn struct_size(size: u32) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

/// Checks and copies a task for `queue`.
///
/// # Safety
/// Pointers in `task` are NULL or readable as the header says.
pub(super) unsafe fn to_queue(task: &lambda_executor_task_t) -> Result<TaskSpec, Failure> {
    // SAFETY: passed on from the caller.
    let (key, command, executor_config, queue) = unsafe {
        let key = strings::key(task.key.ptr, task.key.len)?;
        let about = About { key };
        if !strings::field(task.attempt_id, about.field("attempt_id"))?.is_empty() {
            return Err(about.wrong("attempt_id", "is set: queue makes one, only adopt reads it (expected empty)"));
        }
        let command = command(task, about)?;
        let config = strings::field(task.executor_config_json, about.field("executor_config_json"))?;
        let queue = strings::field(task.queue, about.field("queue"))?;
        (key, command, executor_config(config, about)?, queue)
    };
    let about = About { key };
    Ok(TaskSpec {
        tag: task.tag,
        command,
        executor_config,
        queue: queue.into(),
        timeout_ms: about.milliseconds("timeout_ms", task.timeout_ms)?,
        max_wait_ms: about.milliseconds("max_wait_ms", task.max_wait_ms)?,
        result_timeout_ms: 0,
        attempt: None,
        key: key.into(),
    })
}

/// Checks and copies what `adopt` reads of a task.
///
/// # Safety
/// As for [`to_queue`].
pub(super) unsafe fn to_adopt(task: &lambda_executor_task_t) -> Result<AdoptSpec, Failure> {
    // SAFETY: passed on from the caller.
    let (key, queue, attempt_id) = unsafe {
        let key = strings::key(task.key.ptr, task.key.len)?;
        let field = |name, string| strings::field(string, About { key }.field(name));
        (key, field("queue", task.queue)?, field("attempt_id", task.attempt_id)?)
    };
    Ok(AdoptSpec {
        tag: task.tag,
        queue: queue.into(),
        result_timeout_ms: 0,
        attempt: attempt(attempt_id, About { key })?,
        key: key.into(),
    })
}

fn attempt(text: &str, about: About<'_>) -> Result<Option<AttemptId>, Failure> {
    match AttemptId::parse(text) {
        None if !text.is_empty() => Err(about.wrong(
            "attempt_id",
            "is not an id of ours (allowed: the attempt_id of an event of the task, a UUID as 36 characters, or empty)",
        )),
        attempt => Ok(attempt),
    }
}

/// The task that an error is about.
#[derive(Clone, Copy)]
struct About<'a> {
    key: &'a str,
}

impl<'a> About<'a> {
    fn field(self, name: &'a str) -> impl fmt::Display {
        // Built only when there is an error to tell.
        struct Field<'a>(&'a str, &'a str);
        impl fmt::Display for Field<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "task `{}`: {}", self.0, self.1)
            }
        }
        Field(self.key, name)
    }

    fn wrong(self, name: &str, what: impl fmt::Display) -> Failure {
        Failure::argument(format!("task `{}`: {name} {what}", self.key))
    }

    fn milliseconds(self, name: &str, ms: i64) -> Result<u64, Failure> {
        u64::try_from(ms).map_err(|_| self.wrong(name, format!("is {ms} (0 or more milliseconds are allowed)")))
    }
}

/// # Safety
/// As for [`to_queue`].
unsafe fn command(task: &lambda_executor_task_t, about: About<'_>) -> Result<Command, Failure> {
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
    /// More than any command has; beyond it `argc` is a mistake, and room is not made for it in advance.
    const USUAL: usize = 4096;
    if argc == 0 {
        return Err(about.wrong("argv", "is empty: the first string is the program"));
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

/// What a command may be in JSON. The quotes are what is forgotten most.
const COMMANDS: &str = r#"a list of strings, or one string for the shell, in quotes: "echo hi""#;

/// Checks the shape without building it, and keeps the text as it was written.
fn command_json(text: &str, about: About<'_>) -> Result<Command, Failure> {
    checked(text, CommandShape)
        .map(Command::Json)
        .map_err(|what| about.wrong("command_json", format!("{what} (allowed: {COMMANDS})")))
}

fn executor_config(text: &str, about: About<'_>) -> Result<Option<Box<RawValue>>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    let config = checked(text, ObjectShape).map(Some);
    config.map_err(|what| about.wrong("executor_config_json", format!("{what} (allowed: a JSON object, or empty)")))
}

/// The text as it was written, if it has the shape; else what it is instead, as the rest of "command_json ...".
fn checked<'de>(text: &'de str, shape: impl Visitor<'de, Value = Result<(), String>>) -> Result<Box<RawValue>, String> {
    let read = || {
        let told = serde_json::Deserializer::from_str(text).deserialize_any(shape)?;
        // To its end, which the shape alone does not see.
        Ok(told.and(Ok(serde_json::from_str(text)?)))
    };
    read().unwrap_or_else(|error: serde_json::Error| Err(format!("is not JSON: {error}")))
}

/// The visits of a [`Visitor`] for JSON of another shape: each says what there is instead.
macro_rules! otherwise {
    ($($visit:ident($type:ty) => $what:expr;)*) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON")
        }

        $(fn $visit<E>(self, _: $type) -> Result<Self::Value, E> {
            Ok(Err($what.into()))
        })*

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Err("is null".into()))
        }
    };
}

/// A list of strings, or one string; not empty.
struct CommandShape;

impl<'de> Visitor<'de> for CommandShape {
    type Value = Result<(), String>;

    otherwise! {
        visit_bool(bool) => "is true or false";
        visit_u64(u64) => "is a number";
        visit_i64(i64) => "is a number";
        visit_f64(f64) => "is a number";
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(if text.trim_ascii().is_empty() {
            Err("is an empty string".into())
        } else if text.contains('\0') {
            Err("has a NUL (\\u0000), which no command can".into())
        } else {
            Ok(())
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut words, mut wrong) = (0_usize, None);
        while let Some(word) = list.next_element()? {
            let what = match word {
                Word::Text => None,
                Word::Empty => (words == 0).then_some("an empty string as the program"),
                Word::WithNul => Some("a NUL (\\u0000), which no argument can have,"),
                Word::NoString => Some("something other than a string"),
            };
            wrong = wrong.or(what.map(|what| (what, words)));
            words += 1;
        }
        Ok(match wrong {
            Some((what, at)) => Err(format!("has {what} at index {at}")),
            None if words == 0 => Err("is an empty list: the first string is the program".into()),
            None => Ok(()),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Err("is an object".into()))
    }
}

/// One element of the list, looked at and not kept.
enum Word {
    Text,
    Empty,
    WithNul,
    NoString,
}

impl<'de> serde::Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct WordShape;
        impl<'de> Visitor<'de> for WordShape {
            type Value = Result<Word, String>;

            otherwise! {
                visit_bool(bool) => "";
                visit_u64(u64) => "";
                visit_i64(i64) => "";
                visit_f64(f64) => "";
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Ok(match text {
                    "" => Word::Empty,
                    _ if text.contains('\0') => Word::WithNul,
                    _ => Word::Text,
                }))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Err(String::new()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Err(String::new()))
            }
        }
        from.deserialize_any(WordShape).map(|told| told.unwrap_or(Self::NoString))
    }
}

/// A JSON object with anything in it.
struct ObjectShape;

impl<'de> Visitor<'de> for ObjectShape {
    type Value = Result<(), String>;

    otherwise! {
        visit_bool(bool) => "is true or false";
        visit_u64(u64) => "is a number";
        visit_i64(i64) => "is a number";
        visit_f64(f64) => "is a number";
        visit_str(&str) => "is a string";
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Err("is a list".into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests;
