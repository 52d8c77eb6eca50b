//! What the executor reports of a task.

use super::task::{AttemptId, Reason, TaskState};
use std::sync::Arc;

/// An event with its number, as handed to the host.
#[derive(Clone, Debug)]
pub struct HandedOut {
    /// Starts at 1 in each executor and rises without gaps in the order of first hand-out. An event that is handed out
    /// again, because its batch was freed unacknowledged, keeps it.
    pub seq: u64,
    /// The event.
    pub event: Arc<Event>,
}

/// One change of a task. Times are Unix milliseconds, 0 where not known.
#[derive(Clone, Debug)]
pub struct Event {
    /// The host's number for the task.
    pub tag: u64,
    /// The task's key.
    pub key: Arc<str>,
    /// `Running` or a final state.
    pub state: TaskState,
    /// `None` for `Running`.
    pub reason: Option<Reason>,
    /// Exit status, -n for signal n, 126 or 127 when the command could not be started, 124 on timeout.
    pub return_code: Option<i32>,
    /// The signal that ended the command, 0 if none did.
    pub signal: i32,
    /// Invoke attempts that counted.
    pub attempts: u32,
    /// When `queue` accepted the task.
    pub queued_at_ms: i64,
    /// When Lambda accepted the event.
    pub submitted_at_ms: i64,
    /// When the command started, by the function's clock.
    pub started_at_ms: i64,
    /// When the command ended, by the function's clock; for other outcomes when we knew.
    pub finished_at_ms: i64,
    /// For people: what happened and what to do.
    pub message: String,
    /// Last part of the command's output, UTF-8.
    pub output_tail: String,
    /// Length in bytes of all that the command wrote; 0 where the function does not report it.
    pub output_length: u64,
    /// True if `output_tail` is less than all of the output.
    pub output_truncated: bool,
    /// Content of the command's result file, decoded.
    pub value: Vec<u8>,
    /// True if the command wrote a result file that could not be sent. Such a task is never SUCCEEDED.
    pub value_dropped: bool,
    /// Lambda's request id.
    pub request_id: String,
    /// CloudWatch log stream of the run.
    pub log_stream: String,
    /// Which submission of the key it was; `None` for a task that was adopted without one.
    pub attempt_id: Option<AttemptId>,
}

/// How many tasks and events are where.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Waiting for a slot or backing off.
    pub queued: u64,
    /// Invoke under way.
    pub submitting: u64,
    /// Accepted by Lambda, adopted ones included.
    pub running: u64,
    /// Events not yet handed out.
    pub waiting_events: u64,
    /// Events handed out and not acknowledged.
    pub unacknowledged: u64,
}
