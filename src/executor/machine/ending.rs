//! How a task ended: state, reason, and the sentence that a person reads.

use crate::executor::message::CommandResult;
use crate::executor::task::{Reason, TaskState};

/// How a task ended.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) state: TaskState,
    pub(super) reason: Reason,
    pub(super) message: String,
    /// Signal that ended the command, else 0.
    pub(super) signal: i32,
    /// What the function reported, if it did.
    pub(super) result: Option<CommandResult>,
    pub(super) request_id: String,
    /// A message says so: Lambda had accepted the event, even if its answer is still missing.
    pub(super) accepted: bool,
}

impl Ending {
    fn without_message(state: TaskState, reason: Reason, message: String) -> Self {
        Self { state, reason, message, signal: 0, result: None, request_id: String::new(), accepted: false }
    }

    pub(super) fn cancelled(reason: Reason, message: &str) -> Self {
        Self::without_message(TaskState::Cancelled, reason, message.into())
    }

    pub(super) fn failed(reason: Reason, message: String) -> Self {
        Self::without_message(TaskState::Failed, reason, message)
    }

    pub(super) fn invoke_failed(message: String) -> Self {
        Self::failed(Reason::InvokeFailed, message)
    }

    pub(super) fn lost(message: String) -> Self {
        Self::without_message(TaskState::Lost, Reason::Lost, message)
    }

    pub(super) fn dead_letter(why: &str, request_id: String) -> Self {
        let message = format!("Lambda gave up on the event: {why}");
        Self { request_id, accepted: true, ..Self::failed(Reason::DeadLetter, message) }
    }

    /// Lambda gave up on the batch in which the event was sent.
    pub(super) fn dead_batch(why: &str, request_id: String) -> Self {
        let message = format!("Lambda gave up on the event of several tasks that this one was sent in: {why}");
        Self { request_id, accepted: true, ..Self::failed(Reason::DeadLetter, message) }
    }

    /// The function reported something that cannot be read.
    pub(super) fn unreadable(why: &str, request_id: String) -> Self {
        let message =
            format!("the function reported a result that cannot be read: {why}; the command may have succeeded");
        Self { request_id, accepted: true, ..Self::failed(Reason::BadResult, message) }
    }

    pub(super) fn reported(result: CommandResult, request_id: String) -> Self {
        let code = result.return_code;
        // Airflow's function reports -n for signal n and no signal; other values are not signals.
        let by_code = if (-64..0).contains(&code) { -code } else { 0 };
        let reported = if (1..=64).contains(&result.signal) { result.signal } else { 0 };
        let dropped = result.value_dropped && code == 0;
        let reason = match result.reason {
            _ if dropped => Reason::ValueTooLarge,
            Some(reason) => reason,
            None if reported.max(by_code) > 0 => Reason::Signal,
            None => Reason::Exit,
        };
        let signal = if reported == 0 && reason == Reason::Signal { by_code } else { reported };
        let message = match reason {
            Reason::Exit if code == 0 => String::new(),
            // `started_at_ms` is set whenever the process was spawned.
            Reason::Exit if matches!(code, 126 | 127) && result.reason.is_some() && result.started_at_ms == 0 => {
                format!("the command could not be started (status {code}; see its output)")
            }
            Reason::Exit => format!("the command exited with status {code}"),
            Reason::Signal => format!("the command was ended by signal {signal}"),
            Reason::Timeout => "the command ran over its time limit and was ended".into(),
            Reason::SetupFailed => "the function could not prepare the command (see its output)".into(),
            Reason::BadEvent => "the function refused the event (see its output)".into(),
            Reason::ValueTooLarge => {
                "the command succeeded, but its result file could not be sent (see its output): its value is missing"
                    .into()
            }
            Reason::ReplyToRefused => "the function may not report to the results queue named in the event: \
                 set its variable QUEUE_URL to that, letter for letter, or name it in \
                 LAMBDA_EXECUTOR_REPLY_TO_ALLOW; nothing was run"
                .into(),
            other => format!("the function reported `{}`", other.name()),
        };
        let succeeded = code == 0 && reason != Reason::ValueTooLarge;
        let state = if succeeded { TaskState::Succeeded } else { TaskState::Failed };
        Self { state, reason, message, signal, result: Some(result), request_id, accepted: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(result: CommandResult) -> (TaskState, Reason, i32) {
        let ending = Ending::reported(result, String::new());
        (ending.state, ending.reason, ending.signal)
    }

    #[test]
    fn f1_a_success_whose_value_was_dropped_is_a_failure() {
        let dropped = |return_code, reason| CommandResult {
            return_code,
            reason,
            value_dropped: true,
            ..CommandResult::default()
        };
        let too_large = (TaskState::Failed, Reason::ValueTooLarge, 0);
        assert_eq!(reported(dropped(0, Some(Reason::Exit))), too_large);
        assert_eq!(reported(dropped(1, Some(Reason::ValueTooLarge))), too_large);
        assert_eq!(reported(dropped(3, Some(Reason::Exit))), (TaskState::Failed, Reason::Exit, 0));
    }

    #[test]
    fn airflows_function_reports_signals_by_the_return_code() {
        let code = |return_code| reported(CommandResult { return_code, ..CommandResult::default() });
        assert_eq!(code(-9), (TaskState::Failed, Reason::Signal, 9));
        assert_eq!(code(-65), (TaskState::Failed, Reason::Exit, 0));
        assert_eq!(code(0), (TaskState::Succeeded, Reason::Exit, 0));
    }
}
