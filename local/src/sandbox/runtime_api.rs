//! The Lambda Runtime API of one sandbox: turns requests into messages to the sandbox's keeper, which answers them.

use crate::job::MAX_SYNCHRONOUS;
use crate::server::{Answer, NoAnswer, Service, answer, read_body};
use bytes::Bytes;
use http::Method;
use hyper::body::Incoming;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

/// A request of the handler; the answer goes to `reply`.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) kind: CallKind,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// What the handler wants.
#[derive(Debug)]
pub(super) enum CallKind {
    /// The next event.
    Next,
    /// Says what came of an event.
    Response { request_id: String, body: Bytes },
    /// The answer to an event is larger than Lambda allows.
    ResponseTooLarge { request_id: String },
    /// Says that an event failed.
    Error { request_id: String, body: Bytes },
    /// Says that it cannot start.
    InitError { body: Bytes },
}

/// The service behind a sandbox's port.
#[derive(Clone, Debug)]
pub(super) struct RuntimeApi(pub(super) mpsc::UnboundedSender<Call>);

impl Service for RuntimeApi {
    async fn answer(&self, request: http::Request<Incoming>) -> Result<Answer, NoAnswer> {
        let (parts, body) = request.into_parts();
        let Some(path) = parts.uri.path().strip_prefix("/2018-06-01/runtime/") else {
            return Ok(problem(404, "NotFound", "expected a path under /2018-06-01/runtime/"));
        };
        let body = read_body(body, MAX_SYNCHRONOUS).await;
        let segments: Vec<&str> = path.split('/').collect();
        let kind = match (&parts.method, &segments[..], body) {
            (&Method::GET, ["invocation", "next"], _) => CallKind::Next,
            (&Method::POST, ["invocation", id, "response"], Some(body)) => {
                CallKind::Response { request_id: (*id).to_owned(), body }
            }
            (&Method::POST, ["invocation", id, "response"], None) => {
                CallKind::ResponseTooLarge { request_id: (*id).to_owned() }
            }
            (&Method::POST, ["invocation", id, "error"], body) => {
                CallKind::Error { request_id: (*id).to_owned(), body: body.unwrap_or_default() }
            }
            (&Method::POST, ["init", "error"], body) => CallKind::InitError { body: body.unwrap_or_default() },
            _ => return Ok(problem(404, "NotFound", "there is no such path in the Runtime API")),
        };
        let (reply, waiting) = oneshot::channel();
        // Either fails only when the sandbox is being ended, and the handler with it.
        self.0.send(Call { kind, reply }).map_err(|_| NoAnswer)?;
        waiting.await.map_err(|_| NoAnswer)
    }
}

/// What the handler posted is taken.
pub(super) fn accepted() -> Answer {
    answer(202, &[("content-type", "application/json")], r#"{"status":"OK"}"#)
}

/// What the handler posted is refused.
pub(super) fn problem(status: u16, error_type: &str, message: &str) -> Answer {
    let body = json!({"errorType": error_type, "errorMessage": message}).to_string();
    answer(status, &[("content-type", "application/json")], body)
}
