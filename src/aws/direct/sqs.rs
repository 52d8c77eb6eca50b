//! ReceiveMessage and the two batch calls in the JSON protocol: the heads and bodies of a queue's requests.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-vs-query.html>

use super::head::Capture;
use super::{Direct, Prepared, answer, unreadable};
use crate::aws::Limit;
use crate::executor::ports::{CallError, EntryOutcome, Message, QueueId, ReceiveRequest};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use bytes::Bytes;
use std::io::Write;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// What every receive asks for, in front of its visibility timeout.
const ATTRIBUTES_AND_VISIBILITY: &str = concat!(
    r#""MessageAttributeNames":["All"],"MessageSystemAttributeNames":["ApproximateReceiveCount","SentTimestamp","#,
    r#""ApproximateFirstReceiveTimestamp"],"VisibilityTimeout":"#
);

/// Ten entries with receipts as SQS makes them, of 200 to 400 bytes.
const LIKELY_BATCH: usize = 5_120;

/// What is asked of SQS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::aws) enum Operation {
    Receive,
    Delete,
    ChangeVisibility,
}

/// One queue.
#[derive(Debug)]
pub(super) struct QueueHeads {
    /// The queue's URL as a JSON string.
    url: String,
    receive: OnceCell<Option<Arc<Prepared>>>,
    delete: OnceCell<Option<Arc<Prepared>>>,
    change_visibility: OnceCell<Option<Arc<Prepared>>>,
}

impl QueueHeads {
    pub(super) fn new(url: &str) -> Self {
        Self { url: json(url), receive: OnceCell::new(), delete: OnceCell::new(), change_visibility: OnceCell::new() }
    }
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl Direct {
    /// The head of an operation on a queue.
    pub(in crate::aws) async fn queue_head(
        &self,
        client: &Client,
        queue: QueueId,
        operation: Operation,
    ) -> Option<Arc<Prepared>> {
        let heads = self.queues.get(queue)?;
        let head = match operation {
            Operation::Receive => &heads.receive,
            Operation::Delete => &heads.delete,
            Operation::ChangeVisibility => &heads.change_visibility,
        };
        head.get_or_init(|| async { self.prepare(&self.to_sqs, &capture(client, operation).await) }).await.clone()
    }

    pub(in crate::aws) async fn receive(
        &self,
        prepared: &Prepared,
        request: ReceiveRequest,
        limit: Limit,
        what: &(impl Fn() -> String + Sync),
    ) -> Result<Vec<Message>, CallError> {
        let ReceiveRequest { queue, max_messages, wait_s, visibility_s } = request;
        let body = format!(
            r#"{{"QueueUrl":{},"MaxNumberOfMessages":{max_messages},"WaitTimeSeconds":{wait_s},{}{visibility_s}}}"#,
            self.url(queue),
            ATTRIBUTES_AND_VISIBILITY
        );
        let found = self.call(prepared, body.into(), limit, what).await?;
        answer::messages(&found.body)
            .map_err(|error| unreadable(&what(), found.status, &found.headers, &error.to_string()))
    }

    pub(in crate::aws) async fn delete(
        &self,
        prepared: &Prepared,
        queue: QueueId,
        receipts: &[String],
        limit: Limit,
        what: &(impl Fn() -> String + Sync),
    ) -> Result<Vec<EntryOutcome>, CallError> {
        let entries = receipts.iter().map(|receipt| (receipt.as_str(), None));
        let body = self.batch(queue, entries);
        self.outcomes(prepared, receipts.len(), body, limit, what).await
    }

    pub(in crate::aws) async fn change_visibility(
        &self,
        prepared: &Prepared,
        queue: QueueId,
        entries: &[(String, u32)],
        limit: Limit,
        what: &(impl Fn() -> String + Sync),
    ) -> Result<Vec<EntryOutcome>, CallError> {
        let all = entries.iter().map(|(receipt, seconds)| (receipt.as_str(), Some(*seconds)));
        let body = self.batch(queue, all);
        self.outcomes(prepared, entries.len(), body, limit, what).await
    }

    async fn outcomes(
        &self,
        prepared: &Prepared,
        count: usize,
        body: Vec<u8>,
        limit: Limit,
        what: &(impl Fn() -> String + Sync),
    ) -> Result<Vec<EntryOutcome>, CallError> {
        let found = self.call(prepared, Bytes::from(body), limit, what).await?;
        answer::outcomes(count, &found.body)
            .map_err(|error| unreadable(&what(), found.status, &found.headers, &error.to_string()))
    }

    /// The ids of entries are their positions.
    fn batch<'a>(&self, queue: QueueId, entries: impl Iterator<Item = (&'a str, Option<u32>)>) -> Vec<u8> {
        let mut body = Vec::with_capacity(LIKELY_BATCH);
        // Writing to memory cannot fail.
        _ = write!(body, r#"{{"QueueUrl":{},"Entries":["#, self.url(queue));
        for (id, (receipt, seconds)) in entries.enumerate() {
            let comma = if id == 0 { "" } else { "," };
            _ = write!(body, r#"{comma}{{"Id":"{id}","ReceiptHandle":"#);
            _ = serde_json::to_writer(&mut body, receipt);
            if let Some(seconds) = seconds {
                _ = write!(body, r#","VisibilityTimeout":{seconds}"#);
            }
            body.push(b'}');
        }
        body.extend_from_slice(b"]}");
        body
    }

    fn url(&self, queue: QueueId) -> &str {
        self.queues.get(queue).map_or("\"\"", |queue| &queue.url)
    }
}

/// A queue for requests that are not sent.
const ANY: &str = "https://sqs.us-east-1.amazonaws.com/1/q";

/// The head of an operation does not depend on its queue: SQS reads the URL in the body.
async fn capture(client: &Client, operation: Operation) -> Capture {
    let capture = Capture::default();
    let interceptor = capture.clone();
    let credentials = Builder::new().credentials_provider(Capture::credentials());
    // Each of them fails, as intended.
    match operation {
        Operation::Receive => {
            let call = client.receive_message().queue_url(ANY).customize();
            _ = Box::pin(call.interceptor(interceptor).config_override(credentials).send()).await;
        }
        Operation::Delete => {
            let call = client.delete_message_batch().queue_url(ANY).customize();
            _ = Box::pin(call.interceptor(interceptor).config_override(credentials).send()).await;
        }
        Operation::ChangeVisibility => {
            let call = client.change_message_visibility_batch().queue_url(ANY).customize();
            _ = Box::pin(call.interceptor(interceptor).config_override(credentials).send()).await;
        }
    }
    capture
}
