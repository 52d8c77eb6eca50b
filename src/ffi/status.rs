//! Statuses. The numbers are written by hand, part of the ABI, and never reused.

use super::guard;
use std::ffi::{CStr, c_char};

/// Result of a call: 0 success, positive flow control (no error object), negative failure.
pub type lambda_executor_status_t = i32;

/// Success.
pub const LAMBDA_EXECUTOR_OK: lambda_executor_status_t = 0;
/// The timeout passed.
pub const LAMBDA_EXECUTOR_TIMED_OUT: lambda_executor_status_t = 1;
/// A signal or `wake` ended the wait.
pub const LAMBDA_EXECUTOR_INTERRUPTED: lambda_executor_status_t = 2;
/// Not accepted: max_queued_tasks reached.
pub const LAMBDA_EXECUTOR_QUEUE_FULL: lambda_executor_status_t = 3;
/// Not accepted: key or attempt in use.
pub const LAMBDA_EXECUTOR_DUPLICATE: lambda_executor_status_t = 4;
/// No such task, or it has finished.
pub const LAMBDA_EXECUTOR_NOT_FOUND: lambda_executor_status_t = 5;
/// Nothing was written; see `needed`.
pub const LAMBDA_EXECUTOR_BUFFER_TOO_SMALL: lambda_executor_status_t = 6;
/// Not every entry is OK; see `results`.
pub const LAMBDA_EXECUTOR_PARTIAL: lambda_executor_status_t = 7;

/// The message names the argument.
pub const LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT: lambda_executor_status_t = -1;
/// The message lists every mistake.
pub const LAMBDA_EXECUTOR_ERR_INVALID_CONFIG: lambda_executor_status_t = -2;
/// Closed, draining, or fully drained.
pub const LAMBDA_EXECUTOR_ERR_CLOSED: lambda_executor_status_t = -3;
/// The executor belongs to the parent.
pub const LAMBDA_EXECUTOR_ERR_FORKED: lambda_executor_status_t = -4;
/// A bug in the library.
pub const LAMBDA_EXECUTOR_ERR_PANIC: lambda_executor_status_t = -5;
/// AWS credentials missing or rejected.
pub const LAMBDA_EXECUTOR_ERR_CREDENTIALS: lambda_executor_status_t = -6;
/// AWS unreachable, or it refused a call.
pub const LAMBDA_EXECUTOR_ERR_AWS: lambda_executor_status_t = -7;
/// The operating system refused a call.
pub const LAMBDA_EXECUTOR_ERR_IO: lambda_executor_status_t = -8;
/// Reserved for the journal.
pub const LAMBDA_EXECUTOR_ERR_JOURNAL: lambda_executor_status_t = -9;
/// Not supported by this version.
pub const LAMBDA_EXECUTOR_ERR_UNSUPPORTED: lambda_executor_status_t = -10;
/// Larger than option max_payload_bytes.
pub const LAMBDA_EXECUTOR_ERR_PAYLOAD_TOO_LARGE: lambda_executor_status_t = -11;

/// Returns the name of a status without its prefix: "OK", "TIMED_OUT", "ERR_CLOSED". Static, never
/// NULL; "unknown" for other numbers.
#[unsafe(no_mangle)]
pub extern "C" fn lambda_executor_status_name(status: lambda_executor_status_t) -> *const c_char {
    guard::plain(UNKNOWN.as_ptr(), || text_of(status).0.as_ptr())
}

/// Returns a sentence about a status, for a host that has no error object to print, such as for an
/// entry of `results`. Static, never NULL; "unknown status" for other numbers.
#[unsafe(no_mangle)]
pub extern "C" fn lambda_executor_status_string(status: lambda_executor_status_t) -> *const c_char {
    guard::plain(UNKNOWN_STATUS.as_ptr(), || text_of(status).1.as_ptr())
}

const UNKNOWN: &CStr = c"unknown";
const UNKNOWN_STATUS: &CStr = c"unknown status";

/// Name and sentence.
fn text_of(status: lambda_executor_status_t) -> (&'static CStr, &'static CStr) {
    match status {
        LAMBDA_EXECUTOR_OK => (c"OK", c"success"),
        LAMBDA_EXECUTOR_TIMED_OUT => (c"TIMED_OUT", c"the timeout passed; call again to continue waiting"),
        LAMBDA_EXECUTOR_INTERRUPTED => {
            (c"INTERRUPTED", c"a signal or lambda_executor_wake ended the wait; call again to continue waiting")
        }
        LAMBDA_EXECUTOR_QUEUE_FULL => {
            (c"QUEUE_FULL", c"not accepted: as many tasks wait as option max_queued_tasks allows; retry after a sync")
        }
        LAMBDA_EXECUTOR_DUPLICATE => (
            c"DUPLICATE",
            c"not accepted: the key or attempt_id belongs to a task that has not finished, or whose final event has not been handed out",
        ),
        LAMBDA_EXECUTOR_NOT_FOUND => (c"NOT_FOUND", c"there is no such task, or it has finished"),
        LAMBDA_EXECUTOR_BUFFER_TOO_SMALL => (c"BUFFER_TOO_SMALL", c"the buffer is too small; nothing was written"),
        LAMBDA_EXECUTOR_PARTIAL => (c"PARTIAL", c"not every entry is OK; each has its status in results"),
        LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT => (c"ERR_INVALID_ARGUMENT", c"an argument is invalid"),
        LAMBDA_EXECUTOR_ERR_INVALID_CONFIG => (c"ERR_INVALID_CONFIG", c"the configuration is invalid"),
        LAMBDA_EXECUTOR_ERR_CLOSED => {
            (c"ERR_CLOSED", c"the executor is closed, or draining and accepts no tasks, or drained and has no more events")
        }
        LAMBDA_EXECUTOR_ERR_FORKED => (c"ERR_FORKED", c"the executor belongs to the parent of this process"),
        LAMBDA_EXECUTOR_ERR_PANIC => (
            c"ERR_PANIC",
            c"a bug in lambda_executor: the executor can only be freed, its running tasks can be adopted by another one",
        ),
        LAMBDA_EXECUTOR_ERR_CREDENTIALS => (c"ERR_CREDENTIALS", c"AWS credentials are missing or were rejected"),
        LAMBDA_EXECUTOR_ERR_AWS => (c"ERR_AWS", c"AWS could not be reached, or it refused a call"),
        LAMBDA_EXECUTOR_ERR_IO => {
            (c"ERR_IO", c"the operating system refused something: a thread, a descriptor, a socket or memory")
        }
        LAMBDA_EXECUTOR_ERR_JOURNAL => (c"ERR_JOURNAL", c"the journal cannot be read or written"),
        LAMBDA_EXECUTOR_ERR_UNSUPPORTED => (c"ERR_UNSUPPORTED", c"this version of the library does not support that"),
        LAMBDA_EXECUTOR_ERR_PAYLOAD_TOO_LARGE => {
            (c"ERR_PAYLOAD_TOO_LARGE", c"the task's event is larger than option max_payload_bytes allows")
        }
        _ => (UNKNOWN, UNKNOWN_STATUS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: *const c_char) -> &'static str {
        // SAFETY: all texts are static.
        unsafe { CStr::from_ptr(name) }.to_str().unwrap_or("?")
    }

    #[test]
    fn every_status_has_a_name_and_a_sentence() {
        for status in -11..=7 {
            assert_ne!(text(lambda_executor_status_name(status)), "unknown", "{status}");
            assert_ne!(text(lambda_executor_status_string(status)), "unknown status", "{status}");
        }
        for number in [i32::MIN, -12, 8, i32::MAX] {
            assert_eq!(text(lambda_executor_status_name(number)), "unknown");
            assert_eq!(text(lambda_executor_status_string(number)), "unknown status");
        }
    }
}
