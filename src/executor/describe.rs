//! Everything about one task, as JSON.

use super::machine::Description;
use super::task::Reason;
use serde_json::{Value, json};

/// The document that `lambda_executor_describe` returns.
pub(super) fn document(task: &Description) -> Value {
    json!({
        "key": &*task.key,
        "tag": task.tag,
        "state": task.state.name(),
        "queue": task.route,
        "attempt_id": task.attempt_id.map(|attempt| attempt.to_string()),
        "adopted": task.adopted,
        "function_qualifier": task.function_qualifier.as_deref(),
        "attempts": task.attempts,
        "unanswered_tries": task.unanswered_tries,
        "reason": task.reason.map(Reason::name),
        "return_code": task.return_code,
        "request_id": &*task.request_id,
        "last_error": task.last_error,
        "waits_for": task.waits_for,
        "queued_at_ms": task.queued_at_ms,
        "submitted_at_ms": task.submitted_at_ms,
        "finished_at_ms": task.finished_at_ms,
        "next_try_in_ms": task.next_try_in_ms,
        "expires_in_ms": task.expires_in_ms,
        "deadline_in_ms": task.deadline_in_ms,
        "final_event_handed_out": task.final_event_handed_out,
    })
}
