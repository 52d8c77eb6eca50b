//! What a message in a queue says, once it has been read. No JSON: `wire/` makes these values outside of the lock.

use super::task::{AttemptId, Reason};

/// A message as received, with what it says.
#[derive(Clone, Debug)]
pub struct Received {
    /// Stays the same when SQS delivers the message again.
    pub message_id: Box<str>,
    /// Another one for each receive; deletes and visibility changes need the newest.
    pub receipt: Box<str>,
    /// `ApproximateReceiveCount`, this receive included.
    pub receive_count: u32,
    /// `SentTimestamp` by the queue's clock; 0 if missing.
    pub sent_at_ms: i64,
    /// `ApproximateFirstReceiveTimestamp` by the queue's clock; 0 if missing.
    pub first_received_at_ms: i64,
    /// Length of the body.
    pub bytes: usize,
    /// What it says.
    pub content: Content,
}

/// What a message says.
#[derive(Clone, Debug)]
pub enum Content {
    /// A task ended, or cannot be said to have.
    Outcome(Outcome),
    /// The same of several tasks that shared an invocation.
    Outcomes(Vec<Outcome>),
    /// The record of an on-success destination: the function's own result follows or came before.
    SuccessRecord,
    /// Nothing that is understood; the text says why.
    Malformed(String),
}

/// A message that names a task.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The task's key.
    pub key: Box<str>,
    /// Which submission of it.
    pub attempt: Attempt,
    /// Lambda's request id, empty if missing.
    pub request_id: Box<str>,
    /// How it ended.
    pub report: Report,
}

/// Which submission a message names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Attempt {
    /// None: the function does not echo the id (Airflow's handler).
    Absent,
    /// This one.
    Id(AttemptId),
    /// An id that this library cannot have made.
    Foreign,
}

/// How a task ended.
#[derive(Clone, Debug)]
pub enum Report {
    /// The function's report.
    Result(Box<CommandResult>),
    /// The function's report, with a return code that cannot be read; the text says what it is instead.
    Unreadable(String),
    /// Lambda gave up on the event; the text says why.
    DeadLetter(String),
    /// Lambda gave up on the batch in which the event was sent; the text says why.
    DeadBatch(String),
    /// The function did not start the command of a task that it received with others, and says so.
    NotStarted(Box<CommandResult>),
    /// The function does not understand batches, and ran nothing. With its report.
    BatchRefused(Box<CommandResult>),
}

/// How a command ended, as the function reports it.
#[derive(Clone, Debug, Default)]
pub struct CommandResult {
    /// Exit status, -n for signal n, 126 or 127 when the command could not be started, 124 on timeout.
    pub return_code: i32,
    /// `None` for Airflow's handler.
    pub reason: Option<Reason>,
    /// The signal that ended the command, 0 if none did.
    pub signal: i32,
    /// Last part of the output.
    pub output_tail: String,
    /// Length of all output in bytes, 0 if not reported.
    pub output_length: u64,
    /// True if `output_tail` is not all of it.
    pub output_truncated: bool,
    /// Content of the result file.
    pub value: Vec<u8>,
    /// True if there was a result file that could not be sent.
    pub value_dropped: bool,
    /// CloudWatch log stream, empty if not reported.
    pub log_stream: String,
    /// When the command started, Unix ms by the function's clock, 0 if not reported.
    pub started_at_ms: i64,
    /// When it ended, likewise.
    pub finished_at_ms: i64,
}
