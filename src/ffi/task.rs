//! Tasks of the caller: structs of older and newer versions, and their fields.

use super::command::{command, executor_config};
use super::entries;
use super::failure::Failure;
use super::strings::{self, lambda_executor_str_t};
use crate::executor::{AdoptSpec, AttemptId, TaskSpec};
use std::ffi::c_char;
use std::fmt;
use std::mem::offset_of;

/// A task to run. Initialise it with LAMBDA_EXECUTOR_TASK_INIT, set `key` and a command. It is
/// copied before the call returns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lambda_executor_task_t {
    /// sizeof(lambda_executor_task_t). In an array of tasks, the same in all of them.
    pub struct_size: u32,
    /// Must be 0.
    pub flags: u32,
    /// A number of the host, returned in every event of the task.
    pub tag: u64,
    /// Name of the task: 1 to LAMBDA_EXECUTOR_MAX_KEY_BYTES bytes of UTF-8 without a NUL, unique
    /// among unfinished tasks.
    pub key: lambda_executor_str_t,
    /// The command as a program and its arguments, each NUL-terminated. Either this or command_json.
    pub argv: *const *const c_char,
    /// Number of strings in argv.
    pub argc: usize,
    /// The command as JSON: a list of strings (program and arguments), or one string (for the shell).
    pub command_json: lambda_executor_str_t,
    /// A JSON object that the function receives as `executor_config`. Empty: {}. With option
    /// allow_task_overrides, its members function_qualifier and timeout_ms are checked and used for
    /// the invocation of this task.
    pub executor_config_json: lambda_executor_str_t,
    /// Name of the route (option queues). Empty: the default route. Without option queues the name is
    /// ignored, and every task uses option function_name.
    pub queue: lambda_executor_str_t,
    /// Time limit of the command in ms. 0: only the limit of the function. With option
    /// allow_task_overrides, a timeout_ms in executor_config_json replaces it.
    pub timeout_ms: i64,
    /// FAILED with reason EXPIRED after waiting so many ms to be submitted. 0: no limit. A task of
    /// which an answer of Lambda was lost may run: it waits for its result instead.
    pub max_wait_ms: i64,
    /// LOST after so many ms without a result, counted from the submission, or from
    /// lambda_executor_adopt. 0: option result_timeout_ms.
    pub result_timeout_ms: i64,
    /// Which submission of the key this is, a UUID of 36 characters. For lambda_executor_queue, from
    /// lambda_executor_new_attempt_id; empty: the executor makes one. For lambda_executor_adopt, the
    /// one of the task's submission, from its events or the host's own records; empty: any.
    pub attempt_id: lambda_executor_str_t,
}

//: /** Initialiser of a lambda_executor_task_t: no command, every limit its default. */
//: #define LAMBDA_EXECUTOR_TASK_INIT \
//:   {sizeof(lambda_executor_task_t), 0, 0, {NULL, 0}, NULL, 0, {NULL, 0}, {NULL, 0}, {NULL, 0}, \
//:    0, 0, 0, {NULL, 0}}
//:
/// Longest key of a task.
pub const LAMBDA_EXECUTOR_MAX_KEY_BYTES: u32 = 8192;
/// Entries in one batch call.
pub const LAMBDA_EXECUTOR_MAX_BATCH: u32 = 1_000_000;

/// Size of the struct in the first version of this ABI: what the oldest callers pass.
const FIRST_SIZE: usize = offset_of!(lambda_executor_task_t, attempt_id) + size_of::<lambda_executor_str_t>();

/// More than a struct of any version will have. A larger size was never set; nothing is read or
/// written for it.
pub(super) const MOST_SIZE: usize = 4096;

/// An array of tasks, whose structs may be older or newer than ours.
pub(super) struct Tasks {
    first: *const u8,
    stride: usize,
    len: usize,
}

impl Tasks {
    /// # Safety `tasks` is NULL or the first of `n` structs of `tasks[0].struct_size` bytes each,
    /// readable as long as the value is used.
    pub(super) unsafe fn new(tasks: *const lambda_executor_task_t, n: usize) -> Result<Self, Failure> {
        entries::limited(n)?;
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
        Ok(Self { first: tasks.cast(), stride, len: n })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Result<lambda_executor_task_t, Failure>> {
        // SAFETY: the array is as long as the caller of `new` promised.
        (0..self.len).map(|at| unsafe { self.read(self.first.add(at * self.stride)) })
    }

    /// Reads one struct: what an older caller does not have is zero, what a newer one has beyond ours
    /// must be.
    ///
    /// # Safety `at` may be read for `stride` bytes.
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
    let (key, command, executor_config, queue, attempt_id) = unsafe {
        let key = strings::key(task.key.ptr, task.key.len)?;
        let about = About { key };
        let command = command(task, about)?;
        let config = strings::field(task.executor_config_json, about.field("executor_config_json"))?;
        let queue = strings::field(task.queue, about.field("queue"))?;
        let attempt_id = strings::field(task.attempt_id, about.field("attempt_id"))?;
        (key, command, executor_config(config, about)?, queue, attempt_id)
    };
    let about = About { key };
    Ok(TaskSpec {
        tag: task.tag,
        command,
        executor_config,
        queue: queue.into(),
        timeout_ms: about.milliseconds("timeout_ms", task.timeout_ms)?,
        max_wait_ms: about.milliseconds("max_wait_ms", task.max_wait_ms)?,
        result_timeout_ms: about.milliseconds("result_timeout_ms", task.result_timeout_ms)?,
        attempt: attempt(attempt_id, about)?,
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
    let about = About { key };
    about.milliseconds("timeout_ms", task.timeout_ms)?;
    Ok(AdoptSpec {
        tag: task.tag,
        queue: queue.into(),
        result_timeout_ms: about.milliseconds("result_timeout_ms", task.result_timeout_ms)?,
        attempt: attempt(attempt_id, about)?,
        key: key.into(),
    })
}

fn attempt(text: &str, about: About<'_>) -> Result<Option<AttemptId>, Failure> {
    match AttemptId::parse(text) {
        None if !text.is_empty() => Err(about.wrong(
            "attempt_id",
            "is not a UUID of 36 characters (allowed: one from lambda_executor_new_attempt_id or from an event of the \
             task, or empty)",
        )),
        attempt => Ok(attempt),
    }
}

/// The task that an error is about.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    key: &'a str,
}

impl<'a> About<'a> {
    pub(super) fn field(self, name: &'a str) -> impl fmt::Display {
        // Formatted only when there is an error.
        struct Field<'a>(&'a str, &'a str);
        impl fmt::Display for Field<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "task `{}`: {}", self.0, self.1)
            }
        }
        Field(self.key, name)
    }

    pub(super) fn wrong(self, name: &str, what: impl fmt::Display) -> Failure {
        Failure::argument(format!("task `{}`: {name} {what}", self.key))
    }

    fn milliseconds(self, name: &str, ms: i64) -> Result<u64, Failure> {
        u64::try_from(ms).map_err(|_| self.wrong(name, format!("is {ms} (0 or more milliseconds are allowed)")))
    }
}

#[cfg(test)]
mod tests;
