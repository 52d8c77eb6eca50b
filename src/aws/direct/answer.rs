//! The answers of Lambda and SQS: exactly the fields that are used.

use crate::aws::error_codes;
use crate::aws::queues::failed_entry;
use crate::executor::ports::{EntryOutcome, Message};
use http::HeaderMap;
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, de};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// Code and message of an error, as both services write them. Both are missing in the page of a gateway.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct ErrorAnswer {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    /// Which of Lambda's limits was reached.
    pub(super) reason: Option<String>,
}

impl ErrorAnswer {
    /// SQS also sends the code of its older protocol, which wins, as with the SDK.
    pub(super) fn read(service: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let body: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
        let text = |names: &[&str]| names.iter().find_map(|name| Some(body.get(*name)?.as_str()?.to_owned()));
        let older = header("x-amzn-query-error")
            .filter(|_| service == "sqs")
            .and_then(|value| value.split_once(';'))
            .map(|(code, _)| code.to_owned());
        let newer = || header("x-amzn-errortype").map(str::to_owned).or_else(|| text(&["code", "__type"]));
        Self {
            code: older.or_else(|| newer().map(|code| without_url(&code).to_owned())),
            message: text(&["message", "Message", "errorMessage"]),
            // A field of Lambda's errors alone.
            reason: text(&["Reason"]).filter(|_| service == "lambda"),
        }
    }
}

/// A code may be followed by a colon and the address of its description.
fn without_url(code: &str) -> &str {
    error_codes::bare(code.split(':').next().unwrap_or(code))
}

/// The answer of ReceiveMessage.
#[derive(Debug, Deserialize)]
struct Received<'a> {
    #[serde(rename = "Messages", borrow, default)]
    messages: Option<Vec<ReceivedMessage<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ReceivedMessage<'a> {
    message_id: Option<String>,
    receipt_handle: Option<String>,
    body: Option<String>,
    attributes: Option<SystemAttributes>,
    #[serde(borrow)]
    message_attributes: Option<OwnAttributes<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SystemAttributes {
    approximate_receive_count: Number,
    sent_timestamp: Number,
    approximate_first_receive_timestamp: Number,
}

/// Those of a dead letter. Others may have any form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OwnAttributes<'a> {
    #[serde(rename = "RequestID", borrow)]
    request_id: Option<Attribute<'a>>,
    #[serde(rename = "ErrorCode", borrow)]
    error_code: Option<Attribute<'a>>,
    #[serde(rename = "ErrorMessage", borrow)]
    error_message: Option<Attribute<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Attribute<'a> {
    #[serde(borrow)]
    string_value: Option<Cow<'a, str>>,
}

/// A number as text; `None` for other text.
#[derive(Clone, Copy, Debug, Default)]
struct Number(Option<i64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number as text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        Ok(Number(text.parse().ok()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Number, E> {
        Ok(Number(None))
    }
}

/// Messages of an answer of ReceiveMessage. `Err` for what is not such an answer.
pub(super) fn messages(body: &[u8]) -> Result<Vec<Message>, serde_json::Error> {
    let received: Received<'_> = serde_json::from_slice(body)?;
    Ok(received.messages.unwrap_or_default().into_iter().map(message).collect())
}

fn message(message: ReceivedMessage<'_>) -> Message {
    let system = message.attributes.unwrap_or_default();
    let own = message.message_attributes.unwrap_or_default();
    let text = |attribute: Option<Attribute<'_>>| attribute?.string_value.map(Cow::into_owned);
    let receipt = message.receipt_handle.unwrap_or_default();
    Message {
        // A server that does not count is assumed to deliver the message for the first time.
        receive_count: system.approximate_receive_count.0.and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
        sent_at_ms: system.sent_timestamp.0.unwrap_or(0),
        first_received_at_ms: system.approximate_first_receive_timestamp.0.unwrap_or(0),
        dead_request_id: text(own.request_id),
        dead_error_code: text(own.error_code),
        dead_error_message: text(own.error_message),
        // A server that gives no ids: no two deliveries are then taken for the same message.
        message_id: message.message_id.filter(|id| !id.is_empty()).unwrap_or_else(|| receipt.clone()),
        receipt,
        body: message.body.unwrap_or_default(),
    }
}

/// The answer of a batch call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<'a> {
    #[serde(borrow, default)]
    successful: Option<Vec<Done<'a>>>,
    #[serde(borrow, default)]
    failed: Option<Vec<NotDone<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Done<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NotDone<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    code: Cow<'a, str>,
}

/// The outcome of each entry; the ids of entries are their positions. An entry that the answer leaves out is retried.
pub(super) fn outcomes(count: usize, body: &[u8]) -> Result<Vec<EntryOutcome>, serde_json::Error> {
    let batch: Batch<'_> = serde_json::from_slice(body)?;
    let mut outcomes = vec![EntryOutcome::Retry { code: "NotAnswered".into() }; count];
    let position = |id: &str| id.parse::<usize>().ok();
    for done in batch.successful.unwrap_or_default() {
        if let Some(outcome) = position(&done.id).and_then(|position| outcomes.get_mut(position)) {
            *outcome = EntryOutcome::Done;
        }
    }
    for entry in batch.failed.unwrap_or_default() {
        if let Some(outcome) = position(&entry.id).and_then(|position| outcomes.get_mut(position)) {
            *outcome = failed_entry(error_codes::bare(&entry.code));
        }
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_are_not_used_may_have_any_form() {
        let body = br#"{"Messages":[{"MessageId":"m","ReceiptHandle":"r","Body":"\"\u00e9\n","MD5OfBody":7,
            "Attributes":{"SenderId":[1],"ApproximateReceiveCount":"2"},
            "MessageAttributes":{"Other":{"BinaryValue":"AA=="},
                "RequestID":{"DataType":"String","StringValue":"a\tb"}}}],
            "More":{}}"#;
        let messages = messages(body).unwrap();
        assert_eq!((messages[0].body.as_str(), messages[0].receive_count), ("\"\u{e9}\n", 2));
        assert_eq!(messages[0].dead_request_id.as_deref(), Some("a\tb"));
    }

    #[test]
    fn what_is_missing_is_empty() {
        for body in [r#"{}"#, r#"{"Messages":null}"#, r#"{"Messages":[]}"#] {
            assert!(messages(body.as_bytes()).unwrap().is_empty(), "{body}");
        }
        let found = messages(br#"{"Messages":[{"ReceiptHandle":"r","MessageId":"","Attributes":null,"Body":null}]}"#);
        let found = &found.unwrap()[0];
        assert_eq!((found.message_id.as_str(), found.receive_count, found.body.as_str()), ("r", 1, ""));
    }

    #[test]
    fn a_page_is_no_answer() {
        for body in ["<html>", "", r#"{"Messages":[{"Body":"#, r#"{"Messages":7}"#] {
            assert!(messages(body.as_bytes()).is_err(), "{body}");
            assert!(outcomes(1, if body.starts_with("{\"M") { b"<" } else { body.as_bytes() }).is_err(), "{body}");
        }
    }

    #[test]
    fn a_code_is_found_wherever_it_stands() {
        let read = |name: Option<(&'static str, &str)>, body: &str| {
            let mut headers = HeaderMap::new();
            if let Some((name, value)) = name {
                headers.insert(name, value.parse().unwrap());
            }
            let answer = ErrorAnswer::read("sqs", &headers, body.as_bytes());
            (answer.code.unwrap_or_default(), answer.message.unwrap_or_default())
        };
        let found = |code: &str, message: &str| (code.to_owned(), message.to_owned());
        let header = Some(("x-amzn-errortype", "A#One:http://internal.example/"));
        assert_eq!(read(header, r#"{"message":"m"}"#), found("One", "m"));
        assert_eq!(read(header, "<html>"), found("One", ""));
        assert_eq!(read(None, r#"{"__type":"com.amazonaws.sqs#Two","Message":"m"}"#), found("Two", "m"));
        assert_eq!(read(None, r#"{"code":"Three","__type":"Two","errorMessage":"m"}"#), found("Three", "m"));
        assert_eq!(read(Some(("x-amzn-query-error", "Old;Sender")), r#"{"__type":"New"}"#), found("Old", ""));
        assert_eq!(read(None, "<html>"), found("", ""));
        assert_eq!(read(None, r#"{"code":7,"message":[]}"#), found("", ""));
    }
}
