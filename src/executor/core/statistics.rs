//! The statistics document: one table, from which the document, its page and its JSON Schema come. A new figure is one
//! row here; then `UPDATE=1 cargo test --workspace statistics` writes `docs/statistics.md` and its schema anew.


use super::Core;
use super::route::Route;
use crate::metrics::histogram::Histogram;
use crate::metrics::prices;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// One figure of `T`.
struct Field<T> {
    /// Its name in the document, or `group.name`.
    path: &'static str,
    /// For page and schema, as the next.
    #[cfg_attr(not(test), allow(dead_code))]
    kind: Kind,
    /// A sentence about it.
    #[cfg_attr(not(test), allow(dead_code))]
    about: &'static str,
    read: fn(&T) -> Value,
}

impl<T> Field<T> {
    /// The group, empty for what stands at the top, and the name in it.
    fn place(&self) -> (&'static str, &'static str) {
        self.path.split_once('.').unwrap_or(("", self.path))
    }
}

/// What a figure is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// Only goes up, from 0 at the start of the handle.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A gauge that may be null.
    GaugeOrNull,
    Dollars,
    Text,
    TextOrNull,
    /// A list of texts.
    Texts,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An object of [`LATENCY`].
    Latencies,
    /// A list of objects of [`ROUTE`].
    Routes,
}

const fn field<T>(path: &'static str, kind: Kind, about: &'static str, read: fn(&T) -> Value) -> Field<T> {
    Field { path, kind, about, read }
}

use Kind::{Counter, Dollars, Gauge, GaugeOrNull, Latencies, Routes, Text, TextOrNull, Texts, Word};

/// The states of health.
const HEALTH: &[&str] = &["starting", "no_credentials", "degraded", "healthy"];

/// Everything that is told.
#[rustfmt::skip]
const FIELDS: &[Field<Core>] = &[
    field("version", Text, "Version of the library.", |_| json!(env!("CARGO_PKG_VERSION"))),

    field("health.state", Word(HEALTH), "`starting` (the check at start is under way), `healthy`, `degraded` (something does not answer, or refuses, or cannot be read), `no_credentials` (AWS does not accept who we are).", |core| json!(core.health().state)),
    field("health.reason", TextOrNull, "Why it is not healthy, with AWS's code and message.", |core| json!(core.health().reason)),
    field("health.next_try_in_ms", GaugeOrNull, "When the executor tries again by itself; null while a call is under way, and when healthy.", |core| json!(core.health().next_try_in_ms)),

    field("health.warnings", Texts, "What the newest health check that passed found to work and still not to fit, such as a queue that takes shorter messages than may arrive: a sentence each.", |core| json!(core.warnings)),

    field("tasks.queued", Gauge, "Tasks that wait to be submitted, those that back off included.", |core| json!(core.queued)),
    field("tasks.submitting", Gauge, "Tasks whose Invoke is under way.", |core| json!(core.submitting)),
    field("tasks.running", Gauge, "Tasks that Lambda has accepted and that have not ended.", |core| json!(core.running)),
    field("tasks.waiting_events", Gauge, "Events that `sync` has not handed out.", |core| json!(core.waiting_events.len())),
    field("tasks.unacknowledged", Gauge, "Final events handed out and not acknowledged.", |core| json!(core.unacknowledged.len())),
    field("tasks.held_messages", Gauge, "Messages kept hidden in SQS for events that are not acknowledged.", |core| json!(core.held.len())),
    field("tasks.known", Gauge, "Tasks in memory, finished ones that are still visible included.", |core| json!(core.table.len())),

    field("totals.queued", Counter, "Tasks accepted by `queue`.", |core| json!(core.counters.queued)),
    field("totals.adopted", Counter, "Tasks accepted by `adopt`.", |core| json!(core.counters.adopted)),
    field("totals.accepted", Counter, "Tasks whose Invoke was answered with 202 while they waited for it.", |core| json!(core.counters.accepted)),
    field("totals.succeeded", Counter, "Tasks that ended SUCCEEDED.", |core| json!(core.counters.succeeded)),
    field("totals.failed", Counter, "Tasks that ended FAILED.", |core| json!(core.counters.failed)),
    field("totals.cancelled", Counter, "Tasks that ended CANCELLED.", |core| json!(core.counters.cancelled)),
    field("totals.lost", Counter, "Tasks that ended LOST.", |core| json!(core.counters.lost)),
    field("totals.dead_letters", Counter, "Of the failed: Lambda gave up.", |core| json!(core.counters.dead_letters)),

    field("aws_calls.invoke", Counter, "Invokes begun, failed ones included.", |core| json!(core.counters.invoke_calls)),
    field("aws_calls.receive", Counter, "ReceiveMessage calls begun.", |core| json!(core.counters.receive_calls)),
    field("aws_calls.receive_empty", Counter, "Of these: ended without a message.", |core| json!(core.counters.empty_receives)),
    field("aws_calls.delete_batch", Counter, "DeleteMessageBatch calls begun.", |core| json!(core.counters.delete_calls)),
    field("aws_calls.change_visibility_batch", Counter, "ChangeMessageVisibilityBatch calls begun.", |core| json!(core.counters.visibility_calls)),
    field("aws_calls.total", Counter, "All of these; the few calls of health checks are not counted.", |core| {
        let counters = &core.counters;
        json!(counters.invoke_calls + counters.receive_calls + counters.delete_calls + counters.visibility_calls)
    }),

    field("cost_estimate_usd.lambda", Dollars, "US dollars for Invoke, by the prices below. What the function costs while it runs is not known to the library.", |core| json!(core.counters.billed.lambda_usd())),
    field("cost_estimate_usd.sqs", Dollars, "US dollars for the library's calls of SQS. The function's own calls come on top.", |core| json!(core.counters.billed.sqs_usd())),
    field("cost_estimate_usd.total", Dollars, "Both.", |core| json!(core.counters.billed.usd())),
    field("cost_estimate_usd.lambda_requests", Counter, "Requests that Lambda bills.", |core| json!(core.counters.billed.lambda)),
    field("cost_estimate_usd.sqs_requests", Counter, "Requests that SQS bills, for standard and FIFO queues.", |core| json!(core.counters.billed.sqs_standard + core.counters.billed.sqs_fifo)),
    field("cost_estimate_usd.prices_as_of", Text, "Region and month of the prices.", |_| json!(prices::AS_OF)),

    field("invokes.throttled", Counter, "Invokes answered with a throttling error (no attempt used).", |core| json!(core.counters.throttled)),
    field("invokes.retried", Counter, "Failed attempts that were followed by a back-off.", |core| json!(core.counters.retried)),
    field("invokes.unanswered", Counter, "Invokes that failed while Lambda as a whole was away (no attempt used).", |core| json!(core.counters.unanswered)),
    field("invokes.late_answers", Counter, "202s for tasks that had ended or been cancelled meanwhile.", |core| json!(core.counters.late_answers)),
    field("invokes.credential_failures", Counter, "Calls refused for who we are, of both services (no attempt used).", |core| json!(core.counters.credential_failures)),

    field("messages.received", Counter, "Messages received, each time it is received.", |core| json!(core.counters.received)),
    field("messages.received_bytes", Counter, "Length of their bodies.", |core| json!(core.counters.received_bytes)),
    field("messages.deleted", Counter, "Messages deleted.", |core| json!(core.counters.deleted)),
    field("messages.deletes_gone", Counter, "Deletes refused because the receipt was too old.", |core| json!(core.counters.deletes_gone)),
    field("messages.deletes_given_up", Counter, "Deletes that failed too often; the message is deleted when it comes back.", |core| json!(core.counters.deletes_given_up)),
    field("messages.duplicates", Counter, "Messages of tasks that had ended already: deleted.", |core| json!(core.counters.duplicates)),
    field("messages.came_back", Counter, "Messages of waiting events that SQS showed again: kept.", |core| json!(core.counters.came_back)),
    field("messages.strangers", Counter, "Messages of others, each time one is received: released.", |core| json!(core.counters.strangers)),
    field("messages.orphans", Counter, "Of these: older than any task may run, so perhaps nobody's.", |core| json!(core.counters.orphans)),
    field("messages.malformed", Counter, "Messages in a results queue that are no results: deleted.", |core| json!(core.counters.malformed)),
    field("messages.foreign_dead_letters", Counter, "Messages in the dead letter queue that are not ours: released.", |core| json!(core.counters.foreign_dead_letters)),
    field("messages.receive_failures", Counter, "Failed receives.", |core| json!(core.counters.receive_failures)),

    field("latency_ms.queue_wait", Latencies, "From `queue` to the first Invoke.", |core| document(LATENCY, &core.counters.queue_wait)),
    field("latency_ms.invoke", Latencies, "Of each Invoke call.", |core| document(LATENCY, &core.counters.invoke_latency)),
    field("latency_ms.run_time", Latencies, "Of the command, by the function's clock.", |core| document(LATENCY, &core.counters.run_time)),
    field("latency_ms.result", Latencies, "From the result's arrival in SQS (`SentTimestamp`) to its event.", |core| document(LATENCY, &core.counters.result_latency)),

    field("routes", Routes, "Each function that tasks are sent to: the default one, then those of option `queues`.", |core| core.routes.iter().map(|route| document(ROUTE, route)).collect()),
];

/// What is told of each kind of time.
#[rustfmt::skip]
const LATENCY: &[Field<Histogram>] = &[
    field("count", Counter, "Number of values.", |values| json!(values.count())),
    field("p50", Gauge, "Half of the values are not larger (quantiles are at most 12.5 % too high).", |values| json!(values.percentile(50))),
    field("p90", Gauge, "90 % of the values are not larger.", |values| json!(values.percentile(90))),
    field("p99", Gauge, "99 % of the values are not larger.", |values| json!(values.percentile(99))),
    field("max", Gauge, "The largest value.", |values| json!(values.max())),
];

/// What is told of each route.
#[rustfmt::skip]
const ROUTE: &[Field<Route>] = &[
    field("name", Text, "The name that tasks ask for.", |route| json!(route.settings.name)),
    field("queued", Gauge, "Tasks that wait to be submitted to it, those that back off included.", |route| json!(route.queued)),
    field("in_flight", Gauge, "Invokes under way.", |route| json!(route.in_flight)),
    field("concurrency_limit", Gauge, "How many may be under way now.", |route| json!(route.concurrency.limit())),
    field("active", Gauge, "Tasks submitting or running.", |route| json!(route.active)),
    field("outage", TextOrNull, "What is wrong while Lambda does not answer; null if it does.", |route| json!(route.outage.as_ref().map(|outage| &outage.reason))),
];

/// The figures of `fields`, each in its place.
fn document<T>(fields: &[Field<T>], from: &T) -> Value {
    let mut all = Map::new();
    let mut groups: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for field in fields {
        let (group, name) = field.place();
        let object = if group.is_empty() { &mut all } else { groups.entry(group).or_default() };
        object.insert(name.into(), (field.read)(from));
    }
    all.extend(groups.into_iter().map(|(group, object)| (group.to_owned(), Value::Object(object))));
    Value::Object(all)
}

impl Core {
    /// Statistics as JSON; `docs/statistics.md` names each field.
    pub(crate) fn stats(&self) -> Value {
        document(FIELDS, self)
    }
}
