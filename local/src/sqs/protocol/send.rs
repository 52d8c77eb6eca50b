//! `SendMessage` and `SendMessageBatch`.

use super::{Answer, Batch, check_batch, queue_of, read, required, run_batch, seconds, write};
use crate::sqs::Sqs;
use crate::sqs::attribute::{AttributeValue, MessageAttribute};
use crate::sqs::attributes::MAX_DELAY_S;
use crate::sqs::digest::{Digest, content_id};
use crate::sqs::errors::{ErrorKind, SqsError};
use crate::sqs::live::LiveQueue;
use crate::sqs::message::{MAX_BYTES, Message, check_attributes, check_characters, size};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MAX_ID: usize = 128;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    /// Names of the parameters of `SendMessage`.
    queue_url: Option<String>,
    /// Names of the parameters of an entry of `SendMessageBatch`.
    id: Option<String>,
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    message_system_attributes: Option<BTreeMap<String, Value>>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Value {
    #[serde(default)]
    data_type: String,
    string_value: Option<String>,
    binary_value: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::sqs) struct Sent {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    message_id: String,
    #[serde(rename = "MD5OfMessageBody")]
    body: Digest,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    attributes: Option<Digest>,
    #[serde(rename = "MD5OfMessageSystemAttributes", skip_serializing_if = "Option::is_none")]
    system_attributes: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
}

/// A message before the checks.
#[derive(Default)]
pub(in crate::sqs) struct Letter {
    body: String,
    attributes: Vec<MessageAttribute>,
    system_attributes: Vec<MessageAttribute>,
    delay_seconds: Option<i64>,
    group: Option<String>,
    deduplication_id: Option<String>,
}

impl Letter {
    pub(in crate::sqs) fn new(body: String, attributes: Vec<MessageAttribute>) -> Self {
        Self { body, attributes, ..Self::default() }
    }
}

impl TryFrom<Content> for Letter {
    type Error = SqsError;

    fn try_from(content: Content) -> Result<Self, SqsError> {
        Ok(Self {
            body: required(content.message_body, "MessageBody")?,
            attributes: attributes(content.message_attributes)?,
            system_attributes: attributes(content.message_system_attributes)?,
            delay_seconds: content.delay_seconds,
            group: content.message_group_id,
            deduplication_id: content.message_deduplication_id,
        })
    }
}

fn attributes(values: Option<BTreeMap<String, Value>>) -> Result<Vec<MessageAttribute>, SqsError> {
    let convert = |(name, value): (String, Value)| {
        let binary = value.data_type == "Binary" || value.data_type.starts_with("Binary.");
        let converted = if binary {
            let decoded = STANDARD.decode(value.binary_value.unwrap_or_default()).map_err(|_| {
                SqsError::new(
                    ErrorKind::SerializationException,
                    format!("The binary value of message attribute '{name}' is not base64."),
                )
            })?;
            AttributeValue::Binary(decoded.into())
        } else {
            AttributeValue::Text(value.string_value.unwrap_or_default())
        };
        Ok(MessageAttribute { name, data_type: value.data_type, value: converted })
    };
    values.unwrap_or_default().into_iter().map(convert).collect()
}

pub(super) fn send_message(sqs: &Sqs, body: &[u8]) -> Answer {
    let mut content: Content = read(body)?;
    let queue = queue_of(sqs, content.queue_url.take())?;
    let sent = send(sqs, &queue, content.try_into()?)?;
    write(&sent, 256)
}

pub(super) fn send_message_batch(sqs: &Sqs, body: &[u8]) -> Answer {
    let request: Batch<Content> = read(body)?;
    let queue = queue_of(sqs, request.queue_url)?;
    check_batch(request.entries.iter().map(|entry| entry.id.as_deref()), "SendMessageBatchRequestEntry")?;
    let mut total = 0;
    let mut entries = Vec::with_capacity(request.entries.len());
    for mut entry in request.entries {
        let id = entry.id.take();
        let letter = Letter::try_from(entry);
        if let Ok(letter) = &letter {
            total += size(&letter.body, &letter.attributes);
        }
        entries.push((id, letter));
    }
    if total > MAX_BYTES {
        return Err(SqsError::new(
            ErrorKind::BatchRequestTooLong,
            format!("Batch requests cannot be longer than {MAX_BYTES} bytes. You have sent {total} bytes."),
        ));
    }
    let answer = run_batch(
        entries,
        |(id, _)| id.as_deref(),
        |(_, letter), id| Ok(Sent { id: Some(id), ..send(sqs, &queue, letter?)? }),
    );
    write(&answer, 256 * answer.successful.len() + 64)
}

/// Checks a message and puts it into the queue.
pub(in crate::sqs) fn send(sqs: &Sqs, queue: &LiveQueue, letter: Letter) -> Result<Sent, SqsError> {
    let (max_size, by_content) = queue.with(|queue, _| {
        let attributes = queue.attributes();
        (attributes.maximum_message_size, attributes.content_based_deduplication)
    });
    required(Some(&letter.body), "MessageBody")?;
    if size(&letter.body, &letter.attributes) > max_size as usize {
        return Err(SqsError::parameter(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {max_size} bytes."
        )));
    }
    check_characters(&letter.body)?;
    check_attributes(&letter.attributes)?;
    let trace_header = trace_header(&letter.system_attributes)?;
    let delay_ms = check_delay(letter.delay_seconds, queue.fifo)?;
    let deduplication_id = check_fifo(&letter, queue.fifo, by_content)?;

    let mut message = Message::new(sqs.0.random.uuid(), letter.body, letter.attributes);
    message.group = letter.group.map(Into::into);
    message.deduplication_id = deduplication_id;
    message.trace_header = trace_header;
    let system_attributes = Digest::of_attributes(letter.system_attributes.iter());
    let (message, original) = sqs.put(queue, message, delay_ms);
    let (message_id, sequence_number) = match original {
        Some(original) => (original.message_id, Some(original.sequence.to_string())),
        None => (message.id.clone(), None),
    };
    Ok(Sent {
        id: None,
        message_id,
        body: message.body_digest,
        attributes: message.attributes_digest,
        system_attributes,
        sequence_number,
    })
}

fn trace_header(system_attributes: &[MessageAttribute]) -> Result<Option<String>, SqsError> {
    match system_attributes {
        [] => Ok(None),
        [MessageAttribute { name, data_type, value: AttributeValue::Text(value) }]
            if name == "AWSTraceHeader" && data_type == "String" && !value.is_empty() =>
        {
            Ok(Some(value.clone()))
        }
        _ => Err(SqsError::parameter("The only message system attribute is AWSTraceHeader, of type String.")),
    }
}

fn check_delay(delay: Option<i64>, fifo: bool) -> Result<Option<u64>, SqsError> {
    let Some(delay) = delay else { return Ok(None) };
    let valid = seconds(delay, "DelaySeconds", MAX_DELAY_S, "DelaySeconds must be >= 0 and <= 900.")?;
    match (fifo, valid) {
        // FIFO queues support a delay of the whole queue only.
        (true, 0) => Ok(None),
        (true, _) => Err(wrong_queue_type(delay, "DelaySeconds")),
        (false, _) => Ok(Some(u64::from(valid) * 1_000)),
    }
}

fn wrong_queue_type(value: impl std::fmt::Display, parameter: &str) -> SqsError {
    SqsError::value(value, parameter, "The request include parameter that is not valid for this queue type.")
}

/// Checks the parameters of FIFO queues. Returns the deduplication id.
fn check_fifo(letter: &Letter, fifo: bool, by_content: bool) -> Result<Option<String>, SqsError> {
    for (value, name) in [(&letter.group, "MessageGroupId"), (&letter.deduplication_id, "MessageDeduplicationId")] {
        if let Some(value) = value
            && (value.is_empty() || value.len() > MAX_ID || !value.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(SqsError::value(
                value,
                name,
                &format!("{name} can only include alphanumeric and punctuation characters. 1 to {MAX_ID} in length."),
            ));
        }
    }
    if !fifo {
        return match &letter.deduplication_id {
            Some(id) => Err(wrong_queue_type(id, "MessageDeduplicationId")),
            None => Ok(None),
        };
    }
    required(letter.group.as_ref(), "MessageGroupId")?;
    match &letter.deduplication_id {
        Some(id) => Ok(Some(id.clone())),
        None if by_content => Ok(Some(content_id(&letter.body))),
        None => Err(SqsError::parameter(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        )),
    }
}
