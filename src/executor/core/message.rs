//! What a message says: a result, a dead letter in one of its forms, or nothing we understand.

use super::fields::Fields;
use crate::executor::ports::Message;
use crate::executor::task::{AttemptId, Reason};
use base64::Engine as _;

/// Which submission a message speaks of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Attempt {
    /// The function did not echo an id (Airflow's handler).
    Absent,
    /// An id of our form.
    Id(AttemptId),
    /// An id that cannot be ours.
    Foreign,
}

/// How a command ended, as the function tells it.
#[derive(Clone, Debug, Default)]
pub(super) struct CommandResult {
    pub(super) return_code: i32,
    pub(super) reason: Option<Reason>,
    pub(super) signal: i32,
    pub(super) output_tail: String,
    pub(super) value: Vec<u8>,
    pub(super) log_stream: String,
    pub(super) started_at_ms: i64,
    pub(super) finished_at_ms: i64,
}

/// What the message is about.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Result(CommandResult),
    /// Lambda gave up; the text says why.
    DeadLetter(String),
}

/// A message that was understood.
#[derive(Clone, Debug)]
pub(super) struct Parsed {
    pub(super) key: String,
    pub(super) attempt: Attempt,
    pub(super) request_id: String,
    pub(super) content: Content,
}

/// Reads a message; the error says what is wrong with it. Whatever else it holds is nobody's business here and is not
/// looked at, so that it cannot make a result unreadable.
pub(super) fn parse(message: &Message) -> Result<Parsed, String> {
    let body = Fields::read(&message.body)?;
    if body.has("requestContext") && body.has("requestPayload") {
        return parse_destination_record(&body);
    }
    // Before `command`: a handler may answer with the whole event and the return code.
    if body.has("return_code") {
        return parse_result(&body);
    }
    if body.has("command") {
        return parse_dead_event(&body, message);
    }
    if message.dead_request_id.is_some() {
        return Err("a dead letter whose event has no `command`".into());
    }
    Err("neither a result (`task_key`, `return_code`) nor a dead letter".into())
}

/// The function's report: `task_key` and `return_code`, and what ours adds.
fn parse_result(body: &Fields<'_>) -> Result<Parsed, String> {
    let key = body.task_key()?;
    let Some(return_code) = body.get::<i64>("return_code") else {
        return Err(format!("`return_code` is {}, not an integer", body.kind("return_code")));
    };
    let return_code = i32::try_from(return_code).unwrap_or(if return_code < 0 { i32::MIN } else { i32::MAX });
    let value = base64::engine::general_purpose::STANDARD.decode(body.text("value")).unwrap_or_else(|error| {
        // Some handler's own `value`. The return code counts all the same.
        tracing::debug!(task_key = key, "the result's `value` is not base64 and is left out: {error}");
        Vec::new()
    });
    Ok(Parsed {
        attempt: body.attempt(),
        request_id: body.text("request_id"),
        content: Content::Result(CommandResult {
            return_code,
            reason: Reason::from_name(&body.text("reason")),
            signal: body.integer("signal").try_into().unwrap_or(0),
            output_tail: body.text("output_tail"),
            value,
            log_stream: body.text("log_stream"),
            started_at_ms: body.unix_ms("started_at_ms"),
            finished_at_ms: body.unix_ms("finished_at_ms"),
        }),
        key,
    })
}

/// Lambda's dead letter queue: the event itself, the error in message attributes.
fn parse_dead_event(event: &Fields<'_>, message: &Message) -> Result<Parsed, String> {
    let mut why = message.dead_error_message.clone().unwrap_or_default();
    if why.is_empty() {
        why = "no error message".into();
    }
    if let Some(code) = &message.dead_error_code {
        why = format!("{why} (error code {code})");
    }
    Ok(Parsed {
        key: event.task_key()?,
        attempt: event.attempt(),
        request_id: message.dead_request_id.clone().unwrap_or_default(),
        content: Content::DeadLetter(why),
    })
}

/// An on-failure destination: a record around the event.
fn parse_destination_record(record: &Fields<'_>) -> Result<Parsed, String> {
    let Some(event) = record.part("requestPayload") else {
        return Err("a destination record whose `requestPayload` is not an object".into());
    };
    let part = |name: &str| record.part(name).unwrap_or_default();
    let (context, response, answer) = (part("requestContext"), part("responseContext"), part("responsePayload"));
    let mut why = context.text("condition");
    if why.is_empty() {
        why = "no condition named".into();
    }
    for detail in [response.text("functionError"), answer.text("errorType"), answer.text("errorMessage")] {
        if !detail.is_empty() {
            why.push_str(": ");
            why.push_str(&detail);
        }
    }
    let tries = context.integer("approximateInvokeCount");
    if tries > 0 {
        why.push_str(&format!(" (after {tries} invocations)"));
    }
    Ok(Parsed {
        key: event.task_key()?,
        attempt: event.attempt(),
        request_id: context.text("requestId"),
        content: Content::DeadLetter(why),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> Message {
        Message { body: body.into(), ..Message::default() }
    }

    #[test]
    fn the_two_keys_of_airflows_handler_are_a_result() {
        let parsed = parse(&message(r#"{"task_key": "k", "return_code": 3, "extra": [1]}"#)).unwrap();
        assert_eq!((parsed.key.as_str(), parsed.attempt), ("k", Attempt::Absent));
        assert!(matches!(parsed.content, Content::Result(r) if r.return_code == 3));
    }

    #[test]
    fn times_that_no_clock_tells_are_not_known() {
        for (told, known) in [
            ("0", 0),
            ("1764000000000", 1_764_000_000_000),
            ("253402300799999", 253_402_300_799_999),
            ("253402300800000", 0),
            ("9223372036854775807", 0),
            ("-1", 0),
            (r#""soon""#, 0),
        ] {
            let body =
                format!(r#"{{"task_key": "k", "return_code": 0, "started_at_ms": {told}, "finished_at_ms": {told}}}"#);
            let Content::Result(result) = parse(&message(&body)).unwrap().content else { panic!("not a result") };
            assert_eq!((result.started_at_ms, result.finished_at_ms), (known, known), "{told}");
        }
    }

    #[test]
    fn an_event_is_a_dead_letter_with_the_reason_of_its_attributes() {
        let mut dead = message(r#"{"task_key": "k", "command": ["x"], "executor_config": {}}"#);
        dead.dead_request_id = Some("r-1".into());
        dead.dead_error_code = Some("200".into());
        dead.dead_error_message = Some("boom".into());
        let parsed = parse(&dead).unwrap();
        assert_eq!(parsed.request_id, "r-1");
        assert!(matches!(parsed.content, Content::DeadLetter(why) if why == "boom (error code 200)"));
    }

    #[test]
    fn a_destination_record_is_a_dead_letter() {
        let record = r#"{"version":"1.0","requestContext":{"requestId":"r-2","condition":"RetriesExhausted",
            "approximateInvokeCount":3},"requestPayload":{"task_key":"k","command":"x"},
            "responseContext":{"statusCode":200,"functionError":"Unhandled"},"responsePayload":{"errorMessage":"boom"}}"#;
        let parsed = parse(&message(record)).unwrap();
        assert_eq!((parsed.key.as_str(), parsed.request_id.as_str()), ("k", "r-2"));
        let Content::DeadLetter(why) = parsed.content else { panic!("not a dead letter") };
        assert_eq!(why, "RetriesExhausted: Unhandled: boom (after 3 invocations)");
    }

    #[test]
    fn anything_else_is_malformed_and_says_why() {
        for body in ["", "5", "null", "[]", "{}", r#"{"task_key": []}"#, r#"{"task_key": [], "return_code": 0}"#] {
            assert!(parse(&message(body)).is_err(), "{body}");
        }
        let why = parse(&message(r#"{"task_key": "k", "return_code": "0"}"#)).unwrap_err();
        assert_eq!(why, "`return_code` is a string, not an integer");
    }

    #[test]
    fn an_id_that_cannot_be_ours_is_foreign() {
        let parsed = parse(&message(r#"{"task_key": "k", "return_code": 0, "attempt_id": 7}"#)).unwrap();
        assert_eq!(parsed.attempt, Attempt::Foreign);
    }
}
