//! Receiving, deleting and hiding messages.

use super::clients::Clients;
use super::direct::{Direct, Operation, Prepared};
use super::{Aws, Limit, error_codes, errors};
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

/// Limit of calls that do not wait, added to the wait of those that do.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(10);

impl Queues for Aws {
    async fn receive(&self, request: ReceiveRequest) -> Result<Vec<Message>, CallError> {
        let limit = Limit::from_now(CALL_LIMIT + Duration::from_secs(request.wait_s.into()));
        let queue = self.queue(request.queue, limit).await?;
        if let Some((direct, head)) = queue.direct(Operation::Receive).await {
            let answer = direct.receive(&head, request, limit, &|| queue.what()).await;
            return answer.map_err(|failure| self.drop_rejected_clients(&queue.clients, failure));
        }
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
        let answer = self.call(&queue, Box::pin(call.customize().send())).await?;
        Ok(answer.messages.unwrap_or_default().into_iter().map(message).collect())
    }

    async fn delete(&self, queue: QueueId, receipts: Vec<String>) -> Result<Vec<EntryOutcome>, CallError> {
        if receipts.is_empty() {
            return Ok(Vec::new());
        }
        let queue = self.queue(queue, Limit::from_now(CALL_LIMIT)).await?;
        if let Some((direct, head)) = queue.direct(Operation::Delete).await {
            let answer = direct.delete(&head, queue.id, &receipts, queue.limit, &|| queue.what()).await;
            return answer.map_err(|failure| self.drop_rejected_clients(&queue.clients, failure));
        }
        let count = receipts.len();
        let entry = |(id, receipt): (usize, String)| {
            DeleteMessageBatchRequestEntry::builder().id(id.to_string()).receipt_handle(receipt).build()
        };
        let entries =
            receipts.into_iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>().map_err(build_error)?;
        let call = queue.client.delete_message_batch().queue_url(queue.url).set_entries(Some(entries));
        let answer = self.call(&queue, Box::pin(call.customize().send())).await?;
        Ok(outcomes(count, answer.successful().iter().map(|done| done.id()), answer.failed()))
    }

    async fn change_visibility(
        &self,
        queue: QueueId,
        entries: Vec<(String, u32)>,
    ) -> Result<Vec<EntryOutcome>, CallError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let queue = self.queue(queue, Limit::from_now(CALL_LIMIT)).await?;
        if let Some((direct, head)) = queue.direct(Operation::ChangeVisibility).await {
            let answer = direct.change_visibility(&head, queue.id, &entries, queue.limit, &|| queue.what()).await;
            return answer.map_err(|failure| self.drop_rejected_clients(&queue.clients, failure));
        }
        let count = entries.len();
        let entry = |(id, (receipt, seconds)): (usize, (String, u32))| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(id.to_string())
                .receipt_handle(receipt)
                .visibility_timeout(i32::try_from(seconds).unwrap_or(i32::MAX))
                .build()
        };
        let entries = entries.into_iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>().map_err(build_error)?;
        let call = queue.client.change_message_visibility_batch().queue_url(queue.url).set_entries(Some(entries));
        let answer = self.call(&queue, Box::pin(call.customize().send())).await?;
        Ok(outcomes(count, answer.successful().iter().map(|done| done.id()), answer.failed()))
    }
}

/// A queue, the client that reaches it, and the limit of the call that is about to be made.
pub(super) struct Queue<'a> {
    id: QueueId,
    pub(super) url: &'a str,
    pub(super) client: Client,
    clients: Arc<Clients>,
    limit: Limit,
}

impl Queue<'_> {
    /// For messages.
    fn what(&self) -> String {
        format!("queue {}", self.url)
    }

    /// Where the SDK does not send an operation: what does, and its head.
    async fn direct(&self, operation: Operation) -> Option<(&Direct, Arc<Prepared>)> {
        let direct = self.clients.direct.as_ref()?;
        Some((direct, direct.queue_head(&self.client, self.id, operation).await?))
    }
}

impl Aws {
    pub(super) async fn queue(&self, id: QueueId, limit: Limit) -> Result<Queue<'_>, CallError> {
        let clients = self.clients(&limit).await?;
        match (self.settings.queue_urls.get(id), clients.sqs.get(id).cloned()) {
            (Some(url), Some(client)) => Ok(Queue { id, url, client, clients, limit }),
            _ => Err(errors::call_error(Fault::Route, "InvalidRequest", format!("there is no queue {id}"))),
        }
    }

    pub(super) async fn call<T, E>(
        &self,
        queue: &Queue<'_>,
        call: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<T, CallError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let answer = queue.limit.call(|| queue.what(), call).await?;
        answer.map_err(|error| self.drop_rejected_clients(&queue.clients, errors::from_sdk(&queue.what(), error)))
    }
}

fn build_error(error: BuildError) -> CallError {
    errors::call_error(Fault::Route, "InvalidRequest", error.to_string())
}

fn message(message: SqsMessage) -> Message {
    let system = |name: MessageSystemAttributeName| message.attributes.as_ref()?.get(&name)?.parse::<i64>().ok();
    let own = |name: &str| message.message_attributes.as_ref()?.get(name)?.string_value.clone();
    let received = system(MessageSystemAttributeName::ApproximateReceiveCount);
    let receipt = message.receipt_handle.unwrap_or_default();
    Message {
        // A server that does not count is assumed to deliver the message for the first time.
        receive_count: received.and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
        sent_at_ms: system(MessageSystemAttributeName::SentTimestamp).unwrap_or(0),
        first_received_at_ms: system(MessageSystemAttributeName::ApproximateFirstReceiveTimestamp).unwrap_or(0),
        dead_request_id: own("RequestID"),
        dead_error_code: own("ErrorCode"),
        dead_error_message: own("ErrorMessage"),
        // A server that gives no ids: no two deliveries are then taken for the same message.
        message_id: message.message_id.filter(|id| !id.is_empty()).unwrap_or_else(|| receipt.clone()),
        receipt,
        body: message.body.unwrap_or_default(),
    }
}

/// The outcome of each entry; the ids of entries are their positions. An entry that the answer leaves out is retried.
fn outcomes<'a>(
    count: usize,
    done: impl Iterator<Item = &'a str>,
    failed: &[BatchResultErrorEntry],
) -> Vec<EntryOutcome> {
    let mut outcomes = vec![EntryOutcome::Retry { code: "NotAnswered".into() }; count];
    let position = |id: &str| id.parse::<usize>().ok();
    for id in done {
        if let Some(outcome) = position(id).and_then(|position| outcomes.get_mut(position)) {
            *outcome = EntryOutcome::Done;
        }
    }
    for entry in failed {
        if let Some(outcome) = position(&entry.id).and_then(|position| outcomes.get_mut(position)) {
            *outcome = failed_entry(error_codes::bare(&entry.code));
        }
    }
    outcomes
}

/// What became of an entry that SQS did not carry out.
pub(super) fn failed_entry(code: &str) -> EntryOutcome {
    // SQS reports an invalid parameter when a message would be hidden for more than 12 hours in all.
    let too_long = matches!(code, "InvalidParameterValue" | "InvalidParameterValueException");
    match error_codes::fault(code, 0) {
        Fault::Event => EntryOutcome::Gone { code: code.to_owned() },
        _ if too_long => EntryOutcome::Gone { code: code.to_owned() },
        _ => EntryOutcome::Retry { code: code.to_owned() },
    }
}
