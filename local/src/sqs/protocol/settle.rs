//! Operations on received messages: `DeleteMessage`, `ChangeMessageVisibility`, and their batches.

use super::{Answer, Batch, Done, check_batch, empty, queue_of, read, required, run_batch, seconds, write};
use crate::sqs::Sqs;
use crate::sqs::attributes::MAX_VISIBILITY_S;
use crate::sqs::errors::{ErrorKind, SqsError};
use crate::sqs::live::LiveQueue;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    /// In a request for one message.
    queue_url: Option<String>,
    /// In an entry of a batch.
    id: Option<String>,
    receipt_handle: Option<String>,
    visibility_timeout: Option<i64>,
}

pub(super) fn delete_message(sqs: &Sqs, body: &[u8]) -> Answer {
    let request: Entry = read(body)?;
    let queue = queue_of(sqs, request.queue_url)?;
    delete(&queue, request.receipt_handle)?;
    empty()
}

pub(super) fn change_message_visibility(sqs: &Sqs, body: &[u8]) -> Answer {
    let request: Entry = read(body)?;
    let queue = queue_of(sqs, request.queue_url)?;
    change(&queue, request.receipt_handle, request.visibility_timeout)?;
    empty()
}

pub(super) fn delete_message_batch(sqs: &Sqs, body: &[u8]) -> Answer {
    batch(sqs, body, "DeleteMessageBatchRequestEntry", |queue, entry| delete(queue, entry.receipt_handle))
}

pub(super) fn change_message_visibility_batch(sqs: &Sqs, body: &[u8]) -> Answer {
    batch(sqs, body, "ChangeMessageVisibilityBatchRequestEntry", |queue, entry| {
        change(queue, entry.receipt_handle, entry.visibility_timeout)
    })
}

fn batch(
    sqs: &Sqs,
    body: &[u8],
    entry_type: &str,
    action: impl Fn(&LiveQueue, Entry) -> Result<(), SqsError>,
) -> Answer {
    let request: Batch<Entry> = read(body)?;
    let queue = queue_of(sqs, request.queue_url)?;
    check_batch(request.entries.iter().map(|entry| entry.id.as_deref()), entry_type)?;
    let answer = run_batch(
        request.entries,
        |entry| entry.id.as_deref(),
        |entry, id| {
            let handle = entry.receipt_handle.clone().unwrap_or_default();
            action(&queue, entry).map(|()| Done { id }).map_err(|error| name_the_handle(error, &handle))
        },
    );
    write(&answer, 512)
}

/// In a batch SQS names the invalid handle.
fn name_the_handle(error: SqsError, handle: &str) -> SqsError {
    match error.kind() {
        ErrorKind::ReceiptHandleIsInvalid => {
            SqsError::new(error.kind(), format!("The input receipt handle \"{handle}\" is not a valid receipt handle."))
        }
        _ => error,
    }
}

fn delete(queue: &LiveQueue, handle: Option<String>) -> Result<(), SqsError> {
    let handle = required(handle, "ReceiptHandle")?;
    queue.with(|queue, now| queue.delete(now, &handle))
}

fn change(queue: &LiveQueue, handle: Option<String>, visibility: Option<i64>) -> Result<(), SqsError> {
    let handle = required(handle, "ReceiptHandle")?;
    let visibility = visibility.ok_or_else(|| SqsError::missing("VisibilityTimeout"))?;
    let visibility =
        seconds(visibility, "VisibilityTimeout", MAX_VISIBILITY_S, "VisibilityTimeout must be between 0 and 43200.")?;
    queue.with(|queue, now| queue.change_visibility(now, &handle, visibility))
}
