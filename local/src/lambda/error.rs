//! Lambda's errors: the code in the header `x-amzn-ErrorType`, the message in the body.

use crate::server::{Answer, answer, set_header};
use serde_json::json;
use std::borrow::Cow;

/// A rejected request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ApiError {
    status: u16,
    code: &'static str,
    message: Cow<'static, str>,
    reason: Option<&'static str>,
}

impl ApiError {
    fn new(status: u16, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), reason: None }
    }

    /// `arn` is the requested ARN, with the qualifier.
    pub(crate) fn function_not_found(arn: &str) -> Self {
        Self::new(404, "ResourceNotFoundException", format!("Function not found: {arn}"))
    }

    pub(crate) fn not_found(message: String) -> Self {
        Self::new(404, "ResourceNotFoundException", message)
    }

    pub(crate) fn parameter(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "InvalidParameterValueException", message)
    }

    pub(crate) fn content(error: &serde_json::Error) -> Self {
        Self::new(400, "InvalidRequestContentException", format!("Could not parse request body into json: {error}"))
    }

    pub(crate) fn conflict(message: String) -> Self {
        Self::new(409, "ResourceConflictException", message)
    }

    /// The code that AWS sends; the documentation of AWS names `RequestTooLargeException`.
    pub(crate) fn payload_too_large(size: usize, kind: &str, limit: usize) -> Self {
        let message = format!("{size} byte payload is too large for the {kind} invocation type (limit {limit} bytes)");
        Self::new(413, "RequestEntityTooLargeException", message)
    }

    /// A body above the limit, which is not read.
    pub(crate) fn request_too_large() -> Self {
        let message = "Request must be smaller than 6291456 bytes for the InvokeFunction operation";
        Self::new(413, "RequestEntityTooLargeException", message)
    }

    /// `reason` is one of `TooManyRequestsException`'s.
    pub(crate) fn throttled(reason: &'static str, message: &'static str) -> Self {
        Self { reason: Some(reason), ..Self::new(429, "TooManyRequestsException", message) }
    }

    pub(crate) fn service(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(500, "ServiceException", message)
    }

    pub(crate) fn unknown_operation(method: &http::Method, path: &str) -> Self {
        Self::new(404, "UnknownOperationException", format!("{method} {path} is not supported by this local Lambda"))
    }

    pub(crate) fn answer(&self) -> Answer {
        let by = if self.status >= 500 { "Service" } else { "User" };
        // The service model spells this member differently in different errors.
        let member = match self.code {
            "ResourceNotFoundException" | "ServiceException" => "Message",
            _ => "message",
        };
        let mut body = json!({ "Type": by });
        body[member] = self.message.as_ref().into();
        if let Some(reason) = self.reason {
            body["Reason"] = reason.into();
        }
        let headers = [("content-type", "application/json"), ("x-amzn-errortype", self.code)];
        let mut answer = answer(self.status, &headers, body.to_string());
        if self.status == 429 {
            set_header(&mut answer, "retry-after", "1");
        }
        answer
    }
}
