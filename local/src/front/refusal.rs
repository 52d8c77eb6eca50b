//! Errors for requests that reach no service, in the form of the service that the request was for.

use super::destination::Destination;
use crate::lambda::ApiError;
use crate::server::{Answer, answer};
use crate::signature::Refusal;
use http::request::Parts;
use serde_json::json;

const AMZ_JSON: (&str, &str) = ("content-type", "application/x-amz-json-1.0");

/// The codes of one error: Lambda's code, SQS's JSON code, and the older code that SQS adds in a header.
struct Codes {
    lambda: &'static str,
    sqs: &'static str,
    sqs_query: &'static str,
}

fn refuse(destination: Destination<'_>, status: u16, codes: &Codes, message: &str) -> Answer {
    match destination {
        Destination::Lambda => {
            let body = json!({ "message": message }).to_string();
            answer(status, &[("content-type", "application/json"), ("x-amzn-errortype", codes.lambda)], body)
        }
        Destination::Sqs(_) => {
            let body = json!({"__type": format!("com.amazon.coral.service#{}", codes.sqs), "message": message});
            let fault = if status >= 500 { "Receiver" } else { "Sender" };
            let query = format!("{};{fault}", codes.sqs_query);
            answer(status, &[AMZ_JSON, ("x-amzn-query-error", &query)], body.to_string())
        }
    }
}

/// A signature that is missing, malformed or wrong.
pub(super) fn signature(destination: Destination<'_>, refusal: &Refusal) -> Answer {
    let same = |code| Codes { lambda: code, sqs: code, sqs_query: code };
    let codes = match refusal {
        Refusal::Missing => {
            Codes { sqs_query: "MissingAuthenticationToken", ..same("MissingAuthenticationTokenException") }
        }
        Refusal::Incomplete(_) => Codes { sqs_query: "IncompleteSignature", ..same("IncompleteSignatureException") },
        Refusal::UnknownKey => Codes { sqs_query: "InvalidClientTokenId", ..same("UnrecognizedClientException") },
        Refusal::Scope { .. } | Refusal::Skewed { .. } | Refusal::BodyHash | Refusal::Mismatch => {
            Codes { sqs_query: "SignatureDoesNotMatch", ..same("InvalidSignatureException") }
        }
    };
    refuse(destination, 403, &codes, &refusal.to_string())
}

/// The error that a fault injects.
pub(super) fn expired_token(destination: Destination<'_>) -> Answer {
    let codes = Codes { lambda: "ExpiredTokenException", sqs: "ExpiredTokenException", sqs_query: "ExpiredToken" };
    refuse(destination, 403, &codes, "The security token included in the request is expired")
}

/// The error that a fault injects.
pub(super) fn throttled(destination: Destination<'_>) -> Answer {
    match destination {
        Destination::Lambda => ApiError::throttled("CallerRateLimitExceeded", "Rate exceeded").answer(),
        Destination::Sqs(_) => {
            let body = json!({"__type": "com.amazonaws.sqs#RequestThrottled", "message": "Request is throttled."});
            answer(400, &[AMZ_JSON, ("x-amzn-query-error", "RequestThrottled;Sender")], body.to_string())
        }
    }
}

/// The error that a fault injects.
pub(super) fn internal_error(destination: Destination<'_>) -> Answer {
    match destination {
        Destination::Lambda => ApiError::service("An error occurred and the request cannot be processed.").answer(),
        Destination::Sqs(_) => {
            let codes = Codes { lambda: "", sqs: "InternalFailure", sqs_query: "InternalError" };
            refuse(destination, 500, &codes, "We encountered an internal error. Please try again.")
        }
    }
}

/// The error during an outage of the kind `error`.
pub(super) fn unavailable(destination: Destination<'_>) -> Answer {
    let codes = Codes {
        lambda: "ServiceUnavailableException",
        sqs: "ServiceUnavailableException",
        sqs_query: "ServiceUnavailable",
    };
    refuse(destination, 503, &codes, "Service is unavailable; try again later.")
}

/// The error for a body that exceeds the limit.
pub(super) fn too_large() -> Answer {
    ApiError::request_too_large().answer()
}

/// The error for a request that is for neither service.
pub(super) fn unknown_request(parts: &Parts) -> Answer {
    let message = format!(
        "{} {} is neither Lambda's API (a path such as /2015-03-31/functions/NAME/invocations) nor SQS's (the header \
         X-Amz-Target: AmazonSQS.OPERATION; the older query protocol is not spoken here)",
        parts.method,
        parts.uri.path()
    );
    let body = json!({"__type": "com.amazon.coral.service#UnknownOperationException", "message": message});
    answer(404, &[AMZ_JSON, ("x-amzn-errortype", "UnknownOperationException")], body.to_string())
}
