//! `ReceiveMessage`.

use super::{Answer, queue_of, read, seconds, write};
use crate::sqs::Sqs;
use crate::sqs::attribute::{AttributeValue, MessageAttribute};
use crate::sqs::attributes::{self, MAX_VISIBILITY_S, MAX_WAIT_S};
use crate::sqs::digest::Digest;
use crate::sqs::errors::SqsError;
use crate::sqs::queue::{Ask, Delivery};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

/// The sender of every message: this server has no identities.
const SENDER_ID: &str = "AIDALOCALLAMBDAEXECUT";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_url: Option<String>,
    #[serde(default)]
    attribute_names: Option<Vec<String>>,
    #[serde(default)]
    message_system_attribute_names: Option<Vec<String>>,
    #[serde(default)]
    message_attribute_names: Option<Vec<String>>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Received<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Received1<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Received1<'a> {
    message_id: &'a str,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    body_digest: Digest,
    body: &'a str,
    #[serde(rename = "Attributes", skip_serializing_if = "SystemAttributes::is_empty")]
    system_attributes: SystemAttributes<'a>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    attributes_digest: Option<Digest>,
    #[serde(rename = "MessageAttributes", skip_serializing_if = "Option::is_none")]
    attributes: Option<UserAttributes<'a>>,
}

pub(super) async fn receive_message(sqs: &Sqs, body: &[u8]) -> Answer {
    let request: Request = read(body)?;
    let queue = queue_of(sqs, request.queue_url)?;
    let max = match request.max_number_of_messages {
        None => 1,
        Some(max @ 1..=10) => max as usize,
        Some(max) => {
            return Err(SqsError::value(max, "MaxNumberOfMessages", "Must be between 1 and 10, if provided."));
        }
    };
    let visibility = request
        .visibility_timeout
        .map(|value| seconds(value, "VisibilityTimeout", MAX_VISIBILITY_S, "Must be >= 0 and <= 43200, if provided."))
        .transpose()?;
    let wait_ms = request
        .wait_time_seconds
        .map(|value| seconds(value, "WaitTimeSeconds", MAX_WAIT_S, "Must be >= 0 and <= 20, if provided."))
        .transpose()?
        .map(|seconds| u64::from(seconds) * 1_000);
    let mut system = SystemSelection::default();
    system.add(request.attribute_names.as_deref().unwrap_or_default())?;
    system.add(request.message_system_attribute_names.as_deref().unwrap_or_default())?;
    let user = UserSelection::new(request.message_attribute_names.as_deref().unwrap_or_default());

    let ask = Ask { max, visibility, max_receive_count: None };
    let deliveries = queue.receive(ask, wait_ms, |policy| sqs.dead_letter_queue(policy)).await?;
    let size = deliveries.iter().map(|delivery| delivery.stored.message.body.len() + 768).sum::<usize>() + 64;
    let messages = deliveries.iter().map(|delivery| show(delivery, system, &user)).collect();
    write(&Received { messages }, size)
}

fn show<'a>(delivery: &'a Delivery, system: SystemSelection, user: &UserSelection<'_>) -> Received1<'a> {
    let message = &*delivery.stored.message;
    let (attributes_digest, attributes) = user.select(&message.attributes, message.attributes_digest);
    Received1 {
        message_id: &message.id,
        receipt_handle: delivery.receipt.encode(),
        body_digest: message.body_digest,
        body: &message.body,
        system_attributes: SystemAttributes { delivery, selection: system },
        attributes_digest,
        attributes,
    }
}

/// System attributes, in the order in which `SystemAttributes` writes them.
const SYSTEM_NAMES: [&str; 9] = [
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
];

/// One bit for each of `SYSTEM_NAMES`.
#[derive(Clone, Copy, Default)]
struct SystemSelection(u16);

impl SystemSelection {
    fn add(&mut self, names: &[String]) -> Result<(), SqsError> {
        for name in names {
            match SYSTEM_NAMES.iter().position(|known| known == name) {
                Some(bit) => self.0 |= 1 << bit,
                None if name == "All" => self.0 = u16::MAX,
                // The older parameter may name queue attributes, which messages do not have.
                None if attributes::exists(name) => {}
                None => return Err(SqsError::unknown_attribute(name)),
            }
        }
        Ok(())
    }
}

struct SystemAttributes<'a> {
    delivery: &'a Delivery,
    selection: SystemSelection,
}

impl SystemAttributes<'_> {
    fn is_empty(&self) -> bool {
        self.selection.0 == 0
    }
}

impl Serialize for SystemAttributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = &self.delivery.stored;
        let message = &*stored.message;
        let mut map = serializer.serialize_map(None)?;
        for (bit, name) in SYSTEM_NAMES.into_iter().enumerate() {
            if self.selection.0 & (1 << bit) == 0 {
                continue;
            }
            match name {
                "SenderId" => map.serialize_entry(name, SENDER_ID)?,
                "SentTimestamp" => map.serialize_entry(name, &Text(stored.sent_at))?,
                "ApproximateReceiveCount" => map.serialize_entry(name, &Text(stored.receive_count))?,
                "ApproximateFirstReceiveTimestamp" => map.serialize_entry(name, &Text(stored.first_received_at))?,
                "SequenceNumber" => entry(&mut map, name, stored.sequence.map(Text))?,
                "MessageDeduplicationId" => entry(&mut map, name, message.deduplication_id.as_deref())?,
                "MessageGroupId" => entry(&mut map, name, message.group.as_deref())?,
                "AWSTraceHeader" => entry(&mut map, name, message.trace_header.as_deref())?,
                _ => entry(&mut map, name, stored.source_arn.as_deref())?,
            }
        }
        map.end()
    }
}

/// Writes an entry that has a value.
fn entry<M: serde::ser::SerializeMap>(map: &mut M, name: &str, value: Option<impl Serialize>) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, &value))
}

/// A number as a JSON string.
struct Text<T>(T);

impl<T: std::fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Selects the sender's attributes: by name, by prefix (`prefix.*`), or all (`All`, `.*`).
struct UserSelection<'a> {
    names: &'a [String],
    all: bool,
}

impl<'a> UserSelection<'a> {
    fn new(names: &'a [String]) -> Self {
        Self { names, all: names.iter().any(|name| name == "All" || name == ".*") }
    }

    fn wants(&self, attribute: &MessageAttribute) -> bool {
        self.all
            || self.names.iter().any(|name| match name.strip_suffix(".*") {
                Some(prefix) => attribute.name.starts_with(prefix),
                None => attribute.name == *name,
            })
    }

    /// The selected attributes and their checksum. The checksum of all attributes is already known.
    fn select<'m>(
        &self,
        attributes: &'m [MessageAttribute],
        of_all: Option<Digest>,
    ) -> (Option<Digest>, Option<UserAttributes<'m>>) {
        let chosen: Vec<_> = attributes.iter().filter(|attribute| self.wants(attribute)).collect();
        if chosen.is_empty() {
            return (None, None);
        }
        let digest =
            if chosen.len() == attributes.len() { of_all } else { Digest::of_attributes(chosen.iter().copied()) };
        (digest, Some(UserAttributes(chosen)))
    }
}

struct UserAttributes<'a>(Vec<&'a MessageAttribute>);

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownAttribute<'a> {
    data_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
}

impl Serialize for UserAttributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|attribute| {
            let (string_value, binary_value) = match &attribute.value {
                AttributeValue::Text(text) => (Some(text.as_str()), None),
                AttributeValue::Binary(bytes) => (None, Some(STANDARD.encode(bytes))),
            };
            (&attribute.name, ShownAttribute { data_type: &attribute.data_type, string_value, binary_value })
        }))
    }
}
