//! AWS JSON 1.0: requests in, answers out. One file for each group of operations.

mod queues;
mod receive;
mod send;
mod settle;

pub(super) use send::{Letter, send};

use super::errors::{ErrorKind, SqsError};
use super::live::LiveQueue;
use super::{Reply, Sqs};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const CONTENT_TYPE: (&str, &str) = ("content-type", "application/x-amz-json-1.0");
const MAX_BATCH: usize = 10;

/// The operations of SQS that are not supported.
const UNSUPPORTED: [&str; 8] = [
    "AddPermission",
    "CancelMessageMoveTask",
    "ListMessageMoveTasks",
    "ListQueueTags",
    "RemovePermission",
    "StartMessageMoveTask",
    "TagQueue",
    "UntagQueue",
];

type Answer = Result<Vec<u8>, SqsError>;

/// Carries out one request.
pub(super) async fn answer(sqs: &Sqs, operation: &str, body: &[u8]) -> Reply {
    let answer = match operation {
        "ReceiveMessage" => receive::receive_message(sqs, body).await,
        "SendMessage" => send::send_message(sqs, body),
        "SendMessageBatch" => send::send_message_batch(sqs, body),
        "DeleteMessage" => settle::delete_message(sqs, body),
        "DeleteMessageBatch" => settle::delete_message_batch(sqs, body),
        "ChangeMessageVisibility" => settle::change_message_visibility(sqs, body),
        "ChangeMessageVisibilityBatch" => settle::change_message_visibility_batch(sqs, body),
        "CreateQueue" => queues::create_queue(sqs, body),
        "DeleteQueue" => queues::delete_queue(sqs, body),
        "GetQueueUrl" => queues::get_queue_url(sqs, body),
        "GetQueueAttributes" => queues::get_queue_attributes(sqs, body),
        "SetQueueAttributes" => queues::set_queue_attributes(sqs, body),
        "ListQueues" => queues::list_queues(sqs, body),
        "ListDeadLetterSourceQueues" => queues::list_dead_letter_source_queues(sqs, body),
        "PurgeQueue" => queues::purge_queue(sqs, body),
        _ if UNSUPPORTED.contains(&operation) => {
            Err(SqsError::new(ErrorKind::UnsupportedOperation, format!("{operation} is not part of this local SQS.")))
        }
        _ => Err(SqsError::new(ErrorKind::UnknownOperation, format!("The operation {operation} does not exist."))),
    };
    let content_type = (CONTENT_TYPE.0, CONTENT_TYPE.1.to_owned());
    match answer {
        Ok(body) => Reply { status: 200, headers: vec![content_type], body: Bytes::from(body) },
        Err(error) => Reply {
            status: 400,
            headers: vec![content_type, ("x-amzn-query-error", error.query_error())],
            body: Bytes::from(error.json()),
        },
    }
}

/// Reads a request. The operation itself checks for missing parameters.
fn read<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, SqsError> {
    serde_json::from_slice(body).map_err(|error| SqsError::new(ErrorKind::SerializationException, error.to_string()))
}

/// Writes an answer that will have about `size` bytes.
fn write(answer: &impl Serialize, size: usize) -> Answer {
    let mut bytes = Vec::with_capacity(size);
    match serde_json::to_writer(&mut bytes, answer) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(SqsError::new(ErrorKind::SerializationException, error.to_string())),
    }
}

fn empty() -> Answer {
    Ok(b"{}".to_vec())
}

/// A required parameter, not empty.
fn required<T: AsRef<str>>(value: Option<T>, name: &str) -> Result<T, SqsError> {
    value.filter(|value| !value.as_ref().is_empty()).ok_or_else(|| SqsError::missing(name))
}

fn queue_of(sqs: &Sqs, url: Option<String>) -> Result<Arc<LiveQueue>, SqsError> {
    sqs.by_url(&required(url, "QueueUrl")?)
}

/// A number of seconds between 0 and `high`.
fn seconds(value: i64, parameter: &str, high: u32, reason: &str) -> Result<u32, SqsError> {
    match u32::try_from(value) {
        Ok(seconds) if seconds <= high => Ok(seconds),
        _ => Err(SqsError::value(value, parameter, reason)),
    }
}

/// The request of a batch operation.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<T> {
    queue_url: Option<String>,
    #[serde(default = "Vec::new")]
    entries: Vec<T>,
}

/// The answer to a batch operation.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchAnswer<T> {
    successful: Vec<T>,
    failed: Vec<Failed>,
}

/// A failed entry.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    id: String,
    sender_fault: bool,
    code: &'static str,
    message: String,
}

/// A successful entry without further fields.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Done {
    id: String,
}

/// The rules for every batch, checked before its entries. `entry` is the entry's type, for the message.
fn check_batch<'a>(ids: impl ExactSizeIterator<Item = Option<&'a str>>, entry: &str) -> Result<(), SqsError> {
    let number = ids.len();
    if number == 0 {
        return Err(SqsError::new(
            ErrorKind::EmptyBatchRequest,
            format!("There should be at least one {entry} in the request."),
        ));
    }
    if number > MAX_BATCH {
        return Err(SqsError::new(
            ErrorKind::TooManyEntriesInBatchRequest,
            format!("Maximum number of entries per request are {MAX_BATCH}. You have sent {number}."),
        ));
    }
    let mut seen = Vec::with_capacity(MAX_BATCH);
    for id in ids {
        let id = required(id, "Id")?;
        if id.len() > 80 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return Err(SqsError::new(
                ErrorKind::InvalidBatchEntryId,
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most \
                 80 letters long.",
            ));
        }
        if seen.contains(&id) {
            return Err(SqsError::new(ErrorKind::BatchEntryIdsNotDistinct, format!("Id {id} repeated.")));
        }
        seen.push(id);
    }
    Ok(())
}

/// Carries out the entries one by one; one that fails does not stop the others.
fn run_batch<E, T>(
    entries: Vec<E>,
    id: impl Fn(&E) -> Option<&str>,
    mut run: impl FnMut(E, String) -> Result<T, SqsError>,
) -> BatchAnswer<T> {
    let mut answer = BatchAnswer { successful: Vec::with_capacity(entries.len()), failed: Vec::new() };
    for entry in entries {
        let entry_id = id(&entry).unwrap_or_default().to_owned();
        match run(entry, entry_id.clone()) {
            Ok(done) => answer.successful.push(done),
            Err(error) => answer.failed.push(Failed {
                id: entry_id,
                sender_fault: true,
                code: error.kind().code(),
                message: error.message().to_owned(),
            }),
        }
    }
    answer
}

#[cfg(test)]
mod tests;
