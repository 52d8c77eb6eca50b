//! Operations on queues as a whole.

use super::{Answer, empty, queue_of, read, required, write};
use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::live::LiveQueue;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;

const MAX_PAGE: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_url: Option<String>,
    queue_name: Option<String>,
    #[serde(default)]
    attributes: Option<BTreeMap<String, String>>,
    #[serde(default)]
    attribute_names: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UrlAnswer<'a> {
    queue_url: &'a str,
}

impl Request {
    fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

pub(super) fn create_queue(sqs: &Sqs, body: &[u8]) -> Answer {
    let request: Request = read(body)?;
    let name = required(request.queue_name.as_deref(), "QueueName")?;
    let attributes: Vec<_> = request.attributes().collect();
    let queue = sqs.create(name, &attributes)?;
    write(&UrlAnswer { queue_url: &queue.url }, 128)
}

pub(super) fn get_queue_url(sqs: &Sqs, body: &[u8]) -> Answer {
    let request: Request = read(body)?;
    let name = required(request.queue_name, "QueueName")?;
    let queue = sqs.by_name(&name).ok_or_else(SqsError::no_such_queue)?;
    write(&UrlAnswer { queue_url: &queue.url }, 128)
}

/// Deletes the queue with its messages; polls that wait on it end empty.
pub(super) fn delete_queue(sqs: &Sqs, body: &[u8]) -> Answer {
    let request: Request = read(body)?;
    let queue = queue_of(sqs, request.queue_url)?;
    sqs.remove(&queue.name);
    empty()
}

pub(super) fn purge_queue(sqs: &Sqs, body: &[u8]) -> Answer {
    let request: Request = read(body)?;
    let queue = queue_of(sqs, request.queue_url)?;
    queue.with(|inner, now| inner.purge(now, &queue.name))?;
    empty()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes(#[serde(serialize_with = "as_map")] Vec<(&'static str, String)>);

fn as_map<S: Serializer>(pairs: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AttributesAnswer {
    attributes: Attributes,
}

pub(super) fn get_queue_attributes(sqs: &Sqs, body: &[u8]) -> Answer {
    let request: Request = read(body)?;
    let queue = queue_of(sqs, request.queue_url)?;
    let wanted = request.attribute_names.unwrap_or_default();
    let shown = queue.with(|queue, now| queue.show(now, &wanted))?;
    if shown.is_empty() {
        return empty();
    }
    write(&AttributesAnswer { attributes: Attributes(shown) }, 1_024)
}

pub(super) fn set_queue_attributes(sqs: &Sqs, body: &[u8]) -> Answer {
    let request: Request = read(body)?;
    let queue = queue_of(sqs, request.queue_url.clone())?;
    let attributes: Vec<_> = request.attributes().collect();
    if request.attributes.is_none() {
        return Err(SqsError::missing("Attributes"));
    }
    // Check outside of the lock, since another queue is looked up. Then apply the changes to the current attributes.
    let current = queue.with(|queue, _| queue.attributes().clone());
    let wanted = current.with(attributes.iter().copied(), false)?;
    if let Some(policy) = wanted.redrive.as_ref().filter(|policy| current.redrive.as_ref() != Some(*policy)) {
        sqs.check_redrive(policy, queue.fifo)?;
    }
    queue.with(|queue, now| {
        let changed = queue.attributes().with(attributes.iter().copied(), false)?;
        queue.set_attributes(now, changed);
        Ok(())
    })?;
    empty()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRequest {
    queue_url: Option<String>,
    #[serde(default)]
    queue_name_prefix: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListAnswer<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    queue_urls: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
}

pub(super) fn list_queues(sqs: &Sqs, body: &[u8]) -> Answer {
    let request: ListRequest = read(body)?;
    let page = match request.max_results {
        None => MAX_PAGE,
        Some(max) => usize::try_from(max)
            .ok()
            .filter(|max| (1..=MAX_PAGE).contains(max))
            .ok_or_else(|| SqsError::value(max, "MaxResults", "MaxResults must be an integer between 1 and 1000."))?,
    };
    let prefix = request.queue_name_prefix.unwrap_or_default();
    // The token is the last name of the previous page; it does not need to be opaque.
    let mut queues = sqs.by_prefix(&prefix, &request.next_token.unwrap_or_default(), page + 1);
    let more = queues.len() > page;
    queues.truncate(page);
    let next_token = if more && request.max_results.is_some() { queues.last() } else { None };
    let answer = ListAnswer { queue_urls: urls(&queues), next_token: next_token.map(|queue| queue.name.as_str()) };
    write(&answer, 1_024)
}

#[derive(Serialize)]
struct SourcesAnswer<'a> {
    // This name is in lower case, unlike all others in this API.
    #[serde(rename = "queueUrls")]
    queue_urls: Vec<&'a str>,
}

pub(super) fn list_dead_letter_source_queues(sqs: &Sqs, body: &[u8]) -> Answer {
    let request: ListRequest = read(body)?;
    let target = queue_of(sqs, request.queue_url)?;
    let mut sources = sqs.by_prefix("", "", usize::MAX);
    sources.retain(|queue| {
        let policy = queue.with(|queue, _| queue.attributes().redrive.clone());
        policy.is_some_and(|policy| *policy.target_arn == *target.arn)
    });
    write(&SourcesAnswer { queue_urls: urls(&sources) }, 1_024)
}

fn urls(queues: &[Arc<LiveQueue>]) -> Vec<&str> {
    queues.iter().map(|queue| queue.url.as_str()).collect()
}
