//! One invocation and its outcome, as `lambda` and `sandbox` pass them to each other.

use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The version that every function has.
pub(crate) const LATEST: &str = "$LATEST";
/// Largest payload of a synchronous invoke and of its answer, bytes: 6 MB and the excess that Lambda accepts.
pub(crate) const MAX_SYNCHRONOUS: usize = 6_291_556;

/// An event on its way through a function.
#[derive(Debug)]
pub(crate) struct Job {
    /// Request id, the same for all retries.
    pub(crate) request_id: Arc<str>,
    /// The event, byte for byte.
    pub(crate) payload: Bytes,
    /// ARN with the caller's qualifier.
    pub(crate) arn: Arc<str>,
    /// The caller's qualifier, by default `$LATEST`. It selects the event-invoke configuration.
    pub(crate) qualifier: Arc<str>,
    /// The version that the qualifier refers to.
    pub(crate) version: Arc<str>,
    /// `X-Amzn-Trace-Id` of the request, if it had one.
    pub(crate) trace_id: Option<String>,
    /// Time of acceptance, Unix ms.
    pub(crate) accepted_ms: u64,
    /// Runs so far.
    pub(crate) runs: u32,
    /// Receives the answer for a synchronous caller; `None` for asynchronous events.
    pub(crate) caller: Option<oneshot::Sender<CallerAnswer>>,
}

/// Answer to a synchronous caller.
#[derive(Debug)]
pub(crate) enum CallerAnswer {
    Ran(Outcome),
    /// The function's concurrency is used up.
    Throttled,
}

/// Outcome of one run.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Success, with the handler's answer.
    Success(Bytes),
    /// A function error. Asynchronous events are retried.
    Error(FunctionError),
}

/// The handler's own error, or Lambda's error about a handler that has ended.
#[derive(Clone, Debug)]
pub(crate) struct FunctionError {
    /// `errorType` of the JSON below.
    pub(crate) message: String,
    /// JSON with `errorType`, `errorMessage` and optional further fields.
    pub(crate) payload: Bytes,
}

impl FunctionError {
    /// An error that Lambda itself reports.
    pub(crate) fn new(error_type: &str, message: String) -> Self {
        let payload = json!({"errorType": error_type, "errorMessage": message}).to_string().into();
        Self { message, payload }
    }

    /// An error that the handler reported.
    pub(crate) fn from_handler(payload: Bytes) -> Self {
        let json: Option<serde_json::Value> = serde_json::from_slice(&payload).ok();
        let message = json.as_ref().and_then(|json| json.get("errorMessage")).and_then(|message| message.as_str());
        match message {
            Some(message) => Self { message: message.to_owned(), payload },
            None if json.is_some() => Self { message: String::new(), payload },
            None => Self::new("Runtime.Unknown", String::from_utf8_lossy(&payload).into_owned()),
        }
    }

    /// The process ended without an answer. `how` is, for example, `exit status: 1`.
    pub(crate) fn exited(request_id: &str, how: &str) -> Self {
        Self::new("Runtime.ExitError", format!("RequestId: {request_id} Error: Runtime exited with error: {how}"))
    }

    /// The run exceeded the time limit.
    pub(crate) fn timed_out(request_id: &str, limit_ms: u64) -> Self {
        let seconds = limit_ms as f64 / 1000.0;
        Self::new(
            "Sandbox.Timedout",
            format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds"),
        )
    }
}
