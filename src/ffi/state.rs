//! States and reasons of tasks, and questions about one task.

use super::error::lambda_executor_error_t;
use super::handle::lambda_executor_t;
use super::out::{Buffer, Out};
use super::status::*;
use super::{guard, strings};
use crate::executor::{Reason, TaskState};
use std::ffi::{CStr, c_char};

/// State of a task, one of LAMBDA_EXECUTOR_TASK_... Every state from SUCCEEDED on is final.
pub type lambda_executor_task_state_t = i32;

/// No such task.
pub const LAMBDA_EXECUTOR_TASK_UNKNOWN: lambda_executor_task_state_t = 0;
/// Accepted; waits for its next Invoke.
pub const LAMBDA_EXECUTOR_TASK_QUEUED: lambda_executor_task_state_t = 1;
/// An Invoke is in flight, or its answer was lost.
pub const LAMBDA_EXECUTOR_TASK_SUBMITTING: lambda_executor_task_state_t = 2;
/// Lambda accepted it; it may start much later.
pub const LAMBDA_EXECUTOR_TASK_RUNNING: lambda_executor_task_state_t = 3;
/// Final: the command returned 0.
pub const LAMBDA_EXECUTOR_TASK_SUCCEEDED: lambda_executor_task_state_t = 4;
/// Final: any other known outcome; see the reason.
pub const LAMBDA_EXECUTOR_TASK_FAILED: lambda_executor_task_state_t = 5;
/// Final: cancelled by the host or by a drain.
pub const LAMBDA_EXECUTOR_TASK_CANCELLED: lambda_executor_task_state_t = 6;
/// Final: no result before its deadline.
pub const LAMBDA_EXECUTOR_TASK_LOST: lambda_executor_task_state_t = 7;

/// Why a task ended, one of LAMBDA_EXECUTOR_REASON_...
pub type lambda_executor_reason_t = i32;

/// The state is not final.
pub const LAMBDA_EXECUTOR_REASON_NONE: lambda_executor_reason_t = 0;
/// The command ended; see return_code.
pub const LAMBDA_EXECUTOR_REASON_EXIT: lambda_executor_reason_t = 1;
/// A signal ended the command.
pub const LAMBDA_EXECUTOR_REASON_SIGNAL: lambda_executor_reason_t = 2;
/// The command exceeded its time limit.
pub const LAMBDA_EXECUTOR_REASON_TIMEOUT: lambda_executor_reason_t = 3;
/// Not submitted within its max_wait_ms.
pub const LAMBDA_EXECUTOR_REASON_EXPIRED: lambda_executor_reason_t = 4;
/// Lambda gave up on the event.
pub const LAMBDA_EXECUTOR_REASON_DEAD_LETTER: lambda_executor_reason_t = 5;
/// No answer says that Lambda accepted it.
pub const LAMBDA_EXECUTOR_REASON_INVOKE_FAILED: lambda_executor_reason_t = 6;
/// No result before its deadline.
pub const LAMBDA_EXECUTOR_REASON_LOST: lambda_executor_reason_t = 7;
/// Cancelled; it never ran and never will.
pub const LAMBDA_EXECUTOR_REASON_NEVER_INVOKED: lambda_executor_reason_t = 8;
/// Cancelled; it may run or have run.
pub const LAMBDA_EXECUTOR_REASON_ABANDONED: lambda_executor_reason_t = 9;
/// The command could not be prepared.
pub const LAMBDA_EXECUTOR_REASON_SETUP_FAILED: lambda_executor_reason_t = 10;
/// The function rejected the event.
pub const LAMBDA_EXECUTOR_REASON_BAD_EVENT: lambda_executor_reason_t = 11;
/// The function may not use that queue.
pub const LAMBDA_EXECUTOR_REASON_REPLY_TO_REFUSED: lambda_executor_reason_t = 12;
/// Its result has no usable return code.
pub const LAMBDA_EXECUTOR_REASON_BAD_RESULT: lambda_executor_reason_t = 13;
/// Its result file could not be sent.
pub const LAMBDA_EXECUTOR_REASON_VALUE_TOO_LARGE: lambda_executor_reason_t = 14;

/// Returns the name of a task's state in lower case, as in JSON: "queued", "succeeded". Static,
/// never NULL; "unknown" for LAMBDA_EXECUTOR_TASK_UNKNOWN and other numbers.
#[unsafe(no_mangle)]
pub extern "C" fn lambda_executor_task_state_name(state: lambda_executor_task_state_t) -> *const c_char {
    guard::plain(UNKNOWN.as_ptr(), || {
        let name = match state {
            LAMBDA_EXECUTOR_TASK_QUEUED => c"queued",
            LAMBDA_EXECUTOR_TASK_SUBMITTING => c"submitting",
            LAMBDA_EXECUTOR_TASK_RUNNING => c"running",
            LAMBDA_EXECUTOR_TASK_SUCCEEDED => c"succeeded",
            LAMBDA_EXECUTOR_TASK_FAILED => c"failed",
            LAMBDA_EXECUTOR_TASK_CANCELLED => c"cancelled",
            LAMBDA_EXECUTOR_TASK_LOST => c"lost",
            _ => UNKNOWN,
        };
        name.as_ptr()
    })
}

/// Returns the name of a reason in lower case, as in JSON: "exit", "dead_letter". Static, never
/// NULL; "none" for LAMBDA_EXECUTOR_REASON_NONE, "unknown" for other numbers.
#[unsafe(no_mangle)]
pub extern "C" fn lambda_executor_reason_name(reason: lambda_executor_reason_t) -> *const c_char {
    guard::plain(UNKNOWN.as_ptr(), || {
        let name = match reason {
            LAMBDA_EXECUTOR_REASON_NONE => c"none",
            LAMBDA_EXECUTOR_REASON_EXIT => c"exit",
            LAMBDA_EXECUTOR_REASON_SIGNAL => c"signal",
            LAMBDA_EXECUTOR_REASON_TIMEOUT => c"timeout",
            LAMBDA_EXECUTOR_REASON_EXPIRED => c"expired",
            LAMBDA_EXECUTOR_REASON_DEAD_LETTER => c"dead_letter",
            LAMBDA_EXECUTOR_REASON_INVOKE_FAILED => c"invoke_failed",
            LAMBDA_EXECUTOR_REASON_LOST => c"lost",
            LAMBDA_EXECUTOR_REASON_NEVER_INVOKED => c"never_invoked",
            LAMBDA_EXECUTOR_REASON_ABANDONED => c"abandoned",
            LAMBDA_EXECUTOR_REASON_SETUP_FAILED => c"setup_failed",
            LAMBDA_EXECUTOR_REASON_BAD_EVENT => c"bad_event",
            LAMBDA_EXECUTOR_REASON_REPLY_TO_REFUSED => c"reply_to_refused",
            LAMBDA_EXECUTOR_REASON_BAD_RESULT => c"bad_result",
            LAMBDA_EXECUTOR_REASON_VALUE_TOO_LARGE => c"value_too_large",
            _ => UNKNOWN,
        };
        name.as_ptr()
    })
}

/// Looks up the state of the newest task of a key. A finished task stays visible until its final
/// event is acknowledged, and then until option keep_finished more have finished. Works until the
/// executor is freed, also after lambda_executor_close.
///
/// state: set to one of LAMBDA_EXECUTOR_TASK_..., UNKNOWN where there is no such task.
///
/// OK, NOT_FOUND, ERR_INVALID_ARGUMENT, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_state(
    ex: *const lambda_executor_t,
    key: *const c_char,
    len: usize,
    state: *mut lambda_executor_task_state_t,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `key` readable, `state` and `err` NULL or writable, by the header's rules.
    unsafe {
        let state = Out::optional(state, LAMBDA_EXECUTOR_TASK_UNKNOWN);
        guard::until_free(ex, err, |handle| {
            state.required("state")?;
            let Some(found) = handle.executor.state(strings::key(key, len)?) else {
                return Ok(LAMBDA_EXECUTOR_NOT_FOUND);
            };
            state.set(state_number(found));
            Ok(LAMBDA_EXECUTOR_OK)
        })
    }
}

/// Writes all that is known about the newest task of a key as a JSON object: state, times,
/// attempts, the last error. For people and their tools; members may be added. Works until the
/// executor is freed, also after lambda_executor_close.
///
/// buf, cap: where to write it, with a NUL. NULL and 0 ask for the size only.
/// needed: set to the size in bytes, including the NUL. May be NULL.
///
/// OK, BUFFER_TOO_SMALL, NOT_FOUND, ERR_INVALID_ARGUMENT, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_describe(
    ex: *const lambda_executor_t,
    key: *const c_char,
    len: usize,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: as above; `buf` is NULL or writable for `cap` bytes.
    unsafe {
        let needed = Out::optional(needed, 0);
        guard::until_free(ex, err, |handle| {
            let buffer = Buffer::new(buf, cap)?;
            Ok(match handle.executor.describe(strings::key(key, len)?) {
                Some(text) => buffer.put(&text, &needed),
                None => LAMBDA_EXECUTOR_NOT_FOUND,
            })
        })
    }
}

const UNKNOWN: &CStr = c"unknown";

/// A state's number in the header.
pub(super) fn state_number(state: TaskState) -> lambda_executor_task_state_t {
    match state {
        TaskState::Queued => LAMBDA_EXECUTOR_TASK_QUEUED,
        TaskState::Submitting => LAMBDA_EXECUTOR_TASK_SUBMITTING,
        TaskState::Running => LAMBDA_EXECUTOR_TASK_RUNNING,
        TaskState::Succeeded => LAMBDA_EXECUTOR_TASK_SUCCEEDED,
        TaskState::Failed => LAMBDA_EXECUTOR_TASK_FAILED,
        TaskState::Cancelled => LAMBDA_EXECUTOR_TASK_CANCELLED,
        TaskState::Lost => LAMBDA_EXECUTOR_TASK_LOST,
    }
}

/// A reason's number in the header.
pub(super) fn reason_number(reason: Option<Reason>) -> lambda_executor_reason_t {
    match reason {
        None => LAMBDA_EXECUTOR_REASON_NONE,
        Some(Reason::Exit) => LAMBDA_EXECUTOR_REASON_EXIT,
        Some(Reason::Signal) => LAMBDA_EXECUTOR_REASON_SIGNAL,
        Some(Reason::Timeout) => LAMBDA_EXECUTOR_REASON_TIMEOUT,
        Some(Reason::Expired) => LAMBDA_EXECUTOR_REASON_EXPIRED,
        Some(Reason::DeadLetter) => LAMBDA_EXECUTOR_REASON_DEAD_LETTER,
        Some(Reason::InvokeFailed) => LAMBDA_EXECUTOR_REASON_INVOKE_FAILED,
        Some(Reason::Lost) => LAMBDA_EXECUTOR_REASON_LOST,
        Some(Reason::NeverInvoked) => LAMBDA_EXECUTOR_REASON_NEVER_INVOKED,
        Some(Reason::Abandoned) => LAMBDA_EXECUTOR_REASON_ABANDONED,
        Some(Reason::SetupFailed) => LAMBDA_EXECUTOR_REASON_SETUP_FAILED,
        Some(Reason::BadEvent) => LAMBDA_EXECUTOR_REASON_BAD_EVENT,
        Some(Reason::ReplyToRefused) => LAMBDA_EXECUTOR_REASON_REPLY_TO_REFUSED,
        Some(Reason::BadResult) => LAMBDA_EXECUTOR_REASON_BAD_RESULT,
        Some(Reason::ValueTooLarge) => LAMBDA_EXECUTOR_REASON_VALUE_TOO_LARGE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: *const c_char) -> &'static str {
        // SAFETY: all names are static.
        unsafe { CStr::from_ptr(name) }.to_str().unwrap_or("?")
    }

    #[test]
    fn states_and_reasons_are_called_as_in_json() {
        use TaskState::*;
        for state in [Queued, Submitting, Running, Succeeded, Failed, Cancelled, Lost] {
            assert_eq!(text(lambda_executor_task_state_name(state_number(state))), state.name());
        }
        for reason in Reason::ALL {
            assert_eq!(text(lambda_executor_reason_name(reason_number(Some(reason)))), reason.name());
        }
        assert_eq!(text(lambda_executor_reason_name(LAMBDA_EXECUTOR_REASON_NONE)), "none");
    }

    #[test]
    fn numbers_without_a_meaning_are_unknown() {
        for number in [i32::MIN, -12, 99, i32::MAX] {
            assert_eq!(text(lambda_executor_task_state_name(number)), "unknown");
            assert_eq!(text(lambda_executor_reason_name(number)), "unknown");
        }
    }
}
