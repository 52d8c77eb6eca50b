//! What a message says: a result, a dead letter in one of its forms, or nothing we understand.

use crate::executor::ports::Message;
use crate::executor::task::{AttemptId, Reason};
use base64::Engine as _;
use serde_json::{Map, Value};

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

/// Reads a message; the error says what is wrong with it.
pub(super) fn parse(message: &Message) -> Result<Parsed, String> {
    let body: Value = serde_json::from_str(&message.body).map_err(|e| format!("not JSON: {e}"))?;
    let Value::Object(body) = body else {
        return Err("not a JSON object".into());
    };
    if body.contains_key("requestContext") && body.contains_key("requestPayload") {
        return parse_destination_record(&body);
    }
    if body.contains_key("return_code") && !body.contains_key("command") {
        return parse_result(&body);
    }
    if body.contains_key("command") {
        return parse_dead_event(&body, message);
    }
    if message.dead_request_id.is_some() {
        return Err("a dead letter whose event has no `command`".into());
    }
    Err("neither a result (`task_key`, `return_code`) nor a dead letter".into())
}

/// The function's report: `task_key` and `return_code`, and what ours adds.
fn parse_result(body: &Map<String, Value>) -> Result<Parsed, String> {
    let key = task_key(body)?;
    let code = body.get("return_code");
    let Some(return_code) = code.and_then(Value::as_i64) else {
        return Err(format!("`return_code` is {}, not an integer", code.map_or("missing", kind)));
    };
    let return_code = i32::try_from(return_code).unwrap_or(if return_code < 0 { i32::MIN } else { i32::MAX });
    let value = match text(body, "value") {
        "" => Vec::new(),
        encoded => base64::engine::general_purpose::STANDARD
            .decode(encoded)
            .map_err(|e| format!("`value` of task `{key}` is not base64: {e}"))?,
    };
    Ok(Parsed {
        attempt: attempt(body),
        request_id: text(body, "request_id").into(),
        content: Content::Result(CommandResult {
            return_code,
            reason: Reason::from_name(text(body, "reason")),
            signal: integer(body, "signal").try_into().unwrap_or(0),
            output_tail: text(body, "output_tail").into(),
            value,
            log_stream: text(body, "log_stream").into(),
            started_at_ms: integer(body, "started_at_ms"),
            finished_at_ms: integer(body, "finished_at_ms"),
        }),
        key,
    })
}

/// Lambda's dead letter queue: the event itself, the error in message attributes.
fn parse_dead_event(event: &Map<String, Value>, message: &Message) -> Result<Parsed, String> {
    let mut why = message.dead_error_message.clone().unwrap_or_default();
    if why.is_empty() {
        why = "no error message".into();
    }
    if let Some(code) = &message.dead_error_code {
        why = format!("{why} (error code {code})");
    }
    Ok(Parsed {
        key: task_key(event)?,
        attempt: attempt(event),
        request_id: message.dead_request_id.clone().unwrap_or_default(),
        content: Content::DeadLetter(why),
    })
}

/// An on-failure destination: a record around the event.
fn parse_destination_record(record: &Map<String, Value>) -> Result<Parsed, String> {
    let Some(Value::Object(event)) = record.get("requestPayload") else {
        return Err("a destination record whose `requestPayload` is not an object".into());
    };
    let empty = Map::new();
    let part = |name: &str| record.get(name).and_then(Value::as_object).unwrap_or(&empty);
    let (context, response, answer) = (part("requestContext"), part("responseContext"), part("responsePayload"));
    let mut why = text(context, "condition").to_owned();
    if why.is_empty() {
        why = "no condition named".into();
    }
    for detail in [text(response, "functionError"), text(answer, "errorType"), text(answer, "errorMessage")] {
        if !detail.is_empty() {
            why.push_str(": ");
            why.push_str(detail);
        }
    }
    let tries = integer(context, "approximateInvokeCount");
    if tries > 0 {
        why.push_str(&format!(" (after {tries} invocations)"));
    }
    Ok(Parsed {
        key: task_key(event)?,
        attempt: attempt(event),
        request_id: text(context, "requestId").into(),
        content: Content::DeadLetter(why),
    })
}

fn task_key(body: &Map<String, Value>) -> Result<String, String> {
    match body.get("task_key") {
        Some(Value::String(key)) => Ok(key.clone()),
        other => Err(format!("`task_key` is {}, not a string", other.map_or("missing", kind))),
    }
}

fn attempt(body: &Map<String, Value>) -> Attempt {
    match body.get("attempt_id") {
        None | Some(Value::Null) => Attempt::Absent,
        Some(Value::String(id)) => AttemptId::parse(id).map_or(Attempt::Foreign, Attempt::Id),
        Some(_) => Attempt::Foreign,
    }
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or("")
}

fn integer(body: &Map<String, Value>, name: &str) -> i64 {
    body.get(name).and_then(Value::as_i64).unwrap_or(0)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
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
