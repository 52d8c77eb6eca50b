//! Numbers of the ABI, and their names.

use super::guard;
use super::status::*;
use super::types::*;
use crate::executor::{Reason, TaskState};
use std::ffi::{CStr, c_char};

/// The name of a status, as in the header without LAMBDA_EXECUTOR_: "OK", "TIMED_OUT", "ERR_CLOSED". Static, never NULL;
/// "unknown" for other numbers.
#[unsafe(no_mangle)]
pub extern "C" fn lambda_executor_status_name(status: lambda_executor_status_t) -> *const c_char {
    guard::plain(UNKNOWN.as_ptr(), || {
        let name = match status {
            LAMBDA_EXECUTOR_OK => c"OK",
            LAMBDA_EXECUTOR_TIMED_OUT => c"TIMED_OUT",
            LAMBDA_EXECUTOR_INTERRUPTED => c"INTERRUPTED",
            LAMBDA_EXECUTOR_QUEUE_FULL => c"QUEUE_FULL",
            LAMBDA_EXECUTOR_DUPLICATE => c"DUPLICATE",
            LAMBDA_EXECUTOR_NOT_FOUND => c"NOT_FOUND",
            LAMBDA_EXECUTOR_BUFFER_TOO_SMALL => c"BUFFER_TOO_SMALL",
            LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT => c"ERR_INVALID_ARGUMENT",
            LAMBDA_EXECUTOR_ERR_INVALID_CONFIG => c"ERR_INVALID_CONFIG",
            LAMBDA_EXECUTOR_ERR_CLOSED => c"ERR_CLOSED",
            LAMBDA_EXECUTOR_ERR_FORKED => c"ERR_FORKED",
            LAMBDA_EXECUTOR_ERR_PANIC => c"ERR_PANIC",
            LAMBDA_EXECUTOR_ERR_CREDENTIALS => c"ERR_CREDENTIALS",
            LAMBDA_EXECUTOR_ERR_AWS => c"ERR_AWS",
            LAMBDA_EXECUTOR_ERR_IO => c"ERR_IO",
            LAMBDA_EXECUTOR_ERR_JOURNAL => c"ERR_JOURNAL",
            LAMBDA_EXECUTOR_ERR_UNSUPPORTED => c"ERR_UNSUPPORTED",
            LAMBDA_EXECUTOR_ERR_PAYLOAD_TOO_LARGE => c"ERR_PAYLOAD_TOO_LARGE",
            _ => UNKNOWN,
        };
        name.as_ptr()
    })
}

/// The name of a task's state in lower case, as in JSON: "queued", "succeeded". Static, never NULL; "unknown" for
/// LAMBDA_EXECUTOR_TASK_UNKNOWN and other numbers.
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

/// The name of a reason in lower case, as in JSON: "exit", "dead_letter". Static, never NULL; "none" for
/// LAMBDA_EXECUTOR_REASON_NONE, "unknown" for other numbers.
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
            assert_eq!(text(lambda_executor_status_name(number)), "unknown");
            assert_eq!(text(lambda_executor_task_state_name(number)), "unknown");
            assert_eq!(text(lambda_executor_reason_name(number)), "unknown");
        }
    }
}
