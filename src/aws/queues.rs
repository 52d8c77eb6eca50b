//! Receiving, deleting and hiding messages.

use super::clients::Clients;
use super::{Aws, errors};
use crate::executor::ports::{CallError, EntryOutcome, Fault, Message, QueueId, Queues, ReceiveRequest};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    Message as SqsMessage, MessageSystemAttributeName,
};
use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// For calls that do not wait, and on top of the wait of those that do.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(10);

impl Queues for Aws {
    async fn receive(&self, request: ReceiveRequest) -> Result<Vec<Message>, CallError> {
        let queue = self.queue(request.queue).await?;
        let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
        let call = queue
            .client
            .receive_message()
            .queue_url(queue.url)
            .max_number_of_messages(number(request.max_messages))
            .wait_time_seconds(number(request.wait_s))
            .visibility_timeout(number(request.visibility_s))
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateFirstReceiveTimestamp);
        let limit = CALL_LIMIT + Duration::from_secs(request.wait_s.into());
        let answer = self.call(&queue, limit, call.send()).await?;
        Ok(answer.messages.unwrap_or_default().into_iter().map(message).collect())
    }

    async fn delete(&self, queue: QueueId, receipts: Vec<String>) -> Result<Vec<EntryOutcome>, CallError> {
        if receipts.is_empty() {
            return Ok(Vec::new());
        }
        let queue = self.queue(queue).await?;
        let asked = receipts.len();
        let entry = |(id, receipt): (usize, String)| {
            DeleteMessageBatchRequestEntry::builder().id(id.to_string()).receipt_handle(receipt).build()
        };
        let entries = receipts.into_iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>().map_err(unbuilt)?;
        let call = queue.client.delete_message_batch().queue_url(queue.url).set_entries(Some(entries));
        let answer = self.call(&queue, CALL_LIMIT, call.send()).await?;
        Ok(outcomes(asked, answer.successful().iter().map(|done| done.id()), answer.failed()))
    }

    async fn change_visibility(
        &self,
        queue: QueueId,
        entries: Vec<(String, u32)>,
    ) -> Result<Vec<EntryOutcome>, CallError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let queue = self.queue(queue).await?;
        let asked = entries.len();
        let entry = |(id, (receipt, seconds)): (usize, (String, u32))| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(id.to_string())
                .receipt_handle(receipt)
                .visibility_timeout(i32::try_from(seconds).unwrap_or(i32::MAX))
                .build()
        };
        let entries = entries.into_iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>().map_err(unbuilt)?;
        let call = queue.client.change_message_visibility_batch().queue_url(queue.url).set_entries(Some(entries));
        let answer = self.call(&queue, CALL_LIMIT, call.send()).await?;
        Ok(outcomes(asked, answer.successful().iter().map(|done| done.id()), answer.failed()))
    }
}

/// A queue with the client that reaches it.
struct Queue<'a> {
    url: &'a str,
    client: Client,
    clients: Arc<Clients>,
}

impl Aws {
    async fn queue(&self, id: QueueId) -> Result<Queue<'_>, CallError> {
        let clients = self.clients.get(&self.settings).await?;
        match (self.settings.queue_urls.get(id), clients.sqs.get(id).cloned()) {
            (Some(url), Some(client)) => Ok(Queue { url, client, clients }),
            _ => Err(errors::own(Fault::Route, "InvalidRequest", format!("there is no queue {id}"))),
        }
    }

    async fn call<T, E>(
        &self,
        queue: &Queue<'_>,
        limit: Duration,
        call: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<T, CallError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let what = || format!("queue {}", queue.url);
        match tokio::time::timeout(limit, call).await {
            Err(_) => Err(errors::timed_out(&what(), limit)),
            Ok(Err(error)) => Err(self.noting_refused(&queue.clients, errors::sort(&what(), error))),
            Ok(Ok(answer)) => Ok(answer),
        }
    }
}

fn unbuilt(error: BuildError) -> CallError {
    errors::own(Fault::Route, "InvalidRequest", error.to_string())
}

fn message(message: SqsMessage) -> Message {
    let system = |name: MessageSystemAttributeName| message.attributes.as_ref()?.get(&name)?.parse::<i64>().ok();
    let own = |name: &str| message.message_attributes.as_ref()?.get(name)?.string_value.clone();
    let received = system(MessageSystemAttributeName::ApproximateReceiveCount);
    Message {
        // This receive is the first where nobody counts.
        receive_count: received.and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
        sent_at_ms: system(MessageSystemAttributeName::SentTimestamp).unwrap_or(0),
        first_received_at_ms: system(MessageSystemAttributeName::ApproximateFirstReceiveTimestamp).unwrap_or(0),
        dead_request_id: own("RequestID"),
        dead_error_code: own("ErrorCode"),
        dead_error_message: own("ErrorMessage"),
        message_id: message.message_id.unwrap_or_default(),
        receipt: message.receipt_handle.unwrap_or_default(),
        body: message.body.unwrap_or_default(),
    }
}

/// What became of each entry; their ids are their places. What the answer leaves out is worth another try.
fn outcomes<'a>(
    asked: usize,
    done: impl Iterator<Item = &'a str>,
    failed: &[BatchResultErrorEntry],
) -> Vec<EntryOutcome> {
    let mut outcomes = vec![EntryOutcome::Retry { code: "NotAnswered".into() }; asked];
    let place = |id: &str| id.parse::<usize>().ok();
    for id in done {
        if let Some(outcome) = place(id).and_then(|place| outcomes.get_mut(place)) {
            *outcome = EntryOutcome::Done;
        }
    }
    for entry in failed {
        if let Some(outcome) = place(&entry.id).and_then(|place| outcomes.get_mut(place)) {
            *outcome = failed_entry(errors::bare(&entry.code));
        }
    }
    outcomes
}

fn failed_entry(code: &str) -> EntryOutcome {
    let code = code.to_owned();
    match code.as_str() {
        // The last is what SQS says at the 12 hours that a message may be hidden in all.
        "ReceiptHandleIsInvalid"
        | "MessageNotInflight"
        | "InvalidParameterValue"
        | "InvalidParameterValueException" => EntryOutcome::Gone { code },
        _ => EntryOutcome::Retry { code },
    }
}
