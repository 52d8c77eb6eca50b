//! The Lambda Runtime API of one sandbox: sends requests as messages to the sandbox's task, which answers them.

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

/// The kinds of requests.
#[derive(Debug)]
pub(super) enum CallKind {
    /// Asks for the next event.
    Next,
    /// Answers an event.
    Response { request_id: String, body: Bytes },
    /// Answers an event with more bytes than Lambda allows.
    ResponseTooLarge { request_id: String },
    /// Reports the failure of an event.
    Error { request_id: String, body: Bytes },
    /// Reports that the handler cannot start.
    InitError { body: Bytes },
}

/// The HTTP service of a sandbox's port.
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
            _ => return Ok(problem(404, "NotFound", "the Runtime API has no such path")),
        };
        let (reply, waiting) = oneshot::channel();
        // Both fail only while the sandbox and its handler are being ended.
        self.0.send(Call { kind, reply }).map_err(|_| NoAnswer)?;
        waiting.await.map_err(|_| NoAnswer)
    }
}

/// The answer to an accepted request.
pub(super) fn accepted() -> Answer {
    answer(202, &[("content-type", "application/json")], r#"{"status":"OK"}"#)
}

/// The answer to a rejected request.
pub(super) fn problem(status: u16, error_type: &str, message: &str) -> Answer {
    let body = json!({"errorType": error_type, "errorMessage": message}).to_string();
    answer(status, &[("content-type", "application/json")], body)
}
