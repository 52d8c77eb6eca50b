//! Sends an event that Lambda gives up: as a dead letter, or as the record of an on-failure destination.

use crate::job::{FunctionError, Job};
use crate::signature::utc_timestamp;
use crate::sqs::{MessageAttribute, Sqs, SqsError};
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

/// Lambda cuts the message in a dead letter's attribute at 1 KB.
const LONGEST_MESSAGE: usize = 1024;

/// Why an event is given up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Condition {
    RetriesExhausted,
    EventAgeExceeded,
    ZeroReservedConcurrency,
}

impl Condition {
    fn name(self) -> &'static str {
        match self {
            Self::RetriesExhausted => "RetriesExhausted",
            Self::EventAgeExceeded => "EventAgeExceeded",
            Self::ZeroReservedConcurrency => "ZeroReservedConcurrency",
        }
    }

    /// Status and message if no run of the function has an error.
    fn without_a_run(self) -> (u16, &'static str) {
        match self {
            Self::RetriesExhausted => (200, ""),
            Self::EventAgeExceeded => (429, "The event is older than its maximum age."),
            Self::ZeroReservedConcurrency => (429, "The function's reserved concurrency is 0."),
        }
    }
}

/// Sends the event byte for byte, with the failure in message attributes.
pub(crate) fn dead_letter(
    sqs: &Sqs,
    queue_arn: &str,
    job: &Job,
    condition: Condition,
    error: Option<&FunctionError>,
) -> Result<(), SqsError> {
    let (status, message) = match error {
        Some(error) => (200, error.message.as_str()),
        None => condition.without_a_run(),
    };
    let mut attributes = vec![
        MessageAttribute::string("RequestID", job.request_id.as_ref()),
        MessageAttribute::number("ErrorCode", status.to_string()),
    ];
    // An attribute must have a value without control characters.
    let message: String = clipped(message).chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect();
    if !message.is_empty() {
        attributes.push(MessageAttribute::string("ErrorMessage", clipped(&message)));
    }
    sqs.deliver(queue_arn, String::from_utf8_lossy(&job.payload).into_owned(), attributes)
}

/// Sends the record of an on-failure destination.
pub(crate) fn destination(
    sqs: &Sqs,
    queue_arn: &str,
    job: &Job,
    condition: Condition,
    error: Option<&FunctionError>,
    now_ms: u64,
) -> Result<(), SqsError> {
    let record = Record {
        version: "1.0",
        timestamp: utc_timestamp(now_ms),
        request_context: RequestContext {
            request_id: &job.request_id,
            // A record names the version that ran, even if the caller named none.
            function_arn: match job.arn.split(':').count() {
                7 => format!("{}:{}", job.arn, job.version),
                _ => job.arn.to_string(),
            },
            condition: condition.name(),
            approximate_invoke_count: job.runs,
        },
        request_payload: raw(&job.payload),
        response_context: error.map(|_| ResponseContext {
            status_code: 200,
            executed_version: &job.version,
            function_error: "Unhandled",
        }),
        response_payload: error.and_then(|error| raw(&error.payload)),
    };
    sqs.deliver(queue_arn, serde_json::to_string(&record).unwrap_or_default(), Vec::new())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    version: &'static str,
    timestamp: String,
    request_context: RequestContext<'a>,
    request_payload: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_context: Option<ResponseContext<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_payload: Option<&'a RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: &'a str,
    function_arn: String,
    condition: &'static str,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext<'a> {
    status_code: u16,
    executed_version: &'a str,
    function_error: &'static str,
}

fn raw(payload: &Bytes) -> Option<&RawValue> {
    serde_json::from_slice(payload).ok()
}

fn allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Cuts a text to at most 1 KB of whole characters.
fn clipped(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_MESSAGE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_at_a_character() {
        assert_eq!(clipped("short"), "short");
        let long = "é".repeat(600);
        assert_eq!(clipped(&long).len(), 1024);
        assert_eq!(clipped(&format!("x{long}")).len(), 1023);
    }
}
