//! The statistics document: one table, from which the document, its page and its JSON Schema are made. A new figure is one
//! row here; then `make docs` writes the page anew.

use super::machine::{RouteSnapshot, Snapshot, Times};
use crate::metrics::prices;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// One figure of `T`.
struct Field<T> {
    /// Its name in the document, or `group.name`.
    path: &'static str,
    kind: Kind,
    /// A sentence about it.
    about: &'static str,
    read: fn(&T) -> Value,
}

impl<T> Field<T> {
    /// The group, empty at the top, and the name in it.
    fn place(&self) -> (&'static str, &'static str) {
        self.path.split_once('.').unwrap_or(("", self.path))
    }
}

/// What a figure is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Only goes up, from 0 at the start of the handle.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A gauge that may be null.
    GaugeOrNull,
    /// US dollars.
    Dollars,
    /// A text.
    Text,
    /// A text or null.
    TextOrNull,
    /// A list of texts.
    Texts,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An object of times.
    Latencies,
    /// A list of objects, one for each route.
    Routes,
}

/// A row of the table, for the page and the schema.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name in the document, or `group.name`.
    pub path: &'static str,
    /// What it is.
    pub kind: Kind,
    /// A sentence about it.
    pub about: &'static str,
}

/// The figures of the document.
pub fn rows() -> Vec<Row> {
    rows_of(FIELDS)
}

/// The figures of each kind of time.
pub fn latency_rows() -> Vec<Row> {
    rows_of(LATENCY)
}

/// The figures of each route.
pub fn route_rows() -> Vec<Row> {
    rows_of(ROUTE)
}

fn rows_of<T>(fields: &[Field<T>]) -> Vec<Row> {
    fields.iter().map(|field| Row { path: field.path, kind: field.kind, about: field.about }).collect()
}

const fn field<T>(path: &'static str, kind: Kind, about: &'static str, read: fn(&T) -> Value) -> Field<T> {
    Field { path, kind, about, read }
}

use Kind::{Counter, Dollars, Gauge, GaugeOrNull, Latencies, Routes, Text, TextOrNull, Texts, Word};

/// The states of health.
const HEALTH: &[&str] = &["starting", "no_credentials", "degraded", "healthy"];

#[rustfmt::skip]
const FIELDS: &[Field<Snapshot>] = &[
    field("version", Text, "Version of the library.", |_| json!(env!("CARGO_PKG_VERSION"))),

    field("health.state", Word(HEALTH), "`starting` (a check at start is under way), `healthy`, `degraded` (a function cannot be invoked, or a queue cannot be read), `no_credentials` (AWS rejects our credentials). The worst of all routes and queues.", |s| json!(s.health.state)),
    field("health.reason", TextOrNull, "Why it is not healthy, with AWS's code and message and, with several routes, the name of the route.", |s| json!(s.health.reason)),
    field("health.since_ms", GaugeOrNull, "Unix time in ms since which this state lasts, if known.", |s| json!(s.health.since_ms)),
    field("health.next_try_in_ms", GaugeOrNull, "Milliseconds until the executor tries again by itself; null while a call is in progress, and when healthy.", |s| json!(s.health.next_try_in_ms)),
    field("health.warnings", Texts, "Warnings of the newest health check that passed, one sentence each: settings that work now and may lose or delay messages later, such as a queue that accepts only short messages.", |s| json!(s.warnings)),

    field("tasks.queued", Gauge, "Tasks that wait to be submitted, including those that back off.", |s| json!(s.queued)),
    field("tasks.submitting", Gauge, "Tasks whose Invoke is in progress, or whose Invokes have all been sent without an answer.", |s| json!(s.submitting)),
    field("tasks.running", Gauge, "Tasks that Lambda has accepted and that have not ended.", |s| json!(s.running)),
    field("tasks.waiting_events", Gauge, "Events that wait for `sync`, including those that it will hand out again.", |s| json!(s.waiting_events)),
    field("tasks.unacknowledged", Gauge, "Events handed out and not acknowledged.", |s| json!(s.unacknowledged)),
    field("tasks.held_messages", Gauge, "Messages kept hidden in SQS for events that are not acknowledged.", |s| json!(s.held_messages)),
    field("tasks.known", Gauge, "Tasks in memory, including finished ones that are still visible.", |s| json!(s.known)),

    field("totals.queued", Counter, "Tasks accepted by `queue`.", |s| json!(s.total_queued)),
    field("totals.adopted", Counter, "Tasks accepted by `adopt`.", |s| json!(s.total_adopted)),
    field("totals.accepted", Counter, "Tasks whose Invoke was answered with 202 while they waited for it.", |s| json!(s.total_accepted)),
    field("totals.succeeded", Counter, "Tasks that ended SUCCEEDED.", |s| json!(s.total_succeeded)),
    field("totals.failed", Counter, "Tasks that ended FAILED.", |s| json!(s.total_failed)),
    field("totals.cancelled", Counter, "Tasks that ended CANCELLED.", |s| json!(s.total_cancelled)),
    field("totals.lost", Counter, "Tasks that ended LOST.", |s| json!(s.total_lost)),
    field("totals.dead_letters", Counter, "Failed tasks whose event became a dead letter.", |s| json!(s.total_dead_letters)),

    field("aws_calls.invoke", Counter, "Invokes begun, failed ones included.", |s| json!(s.invoke_calls)),
    field("aws_calls.probe", Counter, "Dry runs and checks begun while a function could not be invoked.", |s| json!(s.probes)),
    field("aws_calls.receive", Counter, "ReceiveMessage calls begun.", |s| json!(s.receive_calls)),
    field("aws_calls.receive_empty", Counter, "ReceiveMessage calls that ended without a message.", |s| json!(s.empty_receives)),
    field("aws_calls.delete_batch", Counter, "DeleteMessageBatch calls begun.", |s| json!(s.delete_calls)),
    field("aws_calls.change_visibility_batch", Counter, "ChangeMessageVisibilityBatch calls begun.", |s| json!(s.visibility_calls)),
    field("aws_calls.total", Counter, "All of these except the probes. The few calls of health checks are not counted.", |s| {
        json!(s.invoke_calls + s.receive_calls + s.delete_calls + s.visibility_calls)
    }),

    field("cost_estimate_usd.lambda", Dollars, "US dollars for Invoke, by the prices below. What the function costs while it runs is not known to the library.", |s| json!(s.billed.lambda_usd())),
    field("cost_estimate_usd.sqs", Dollars, "US dollars for the library's calls to SQS. The function's own calls are not included.", |s| json!(s.billed.sqs_usd())),
    field("cost_estimate_usd.total", Dollars, "Both.", |s| json!(s.billed.usd())),
    field("cost_estimate_usd.lambda_requests", Counter, "Requests that Lambda bills.", |s| json!(s.billed.lambda)),
    field("cost_estimate_usd.sqs_requests", Counter, "Requests that SQS bills, for standard and FIFO queues.", |s| json!(s.billed.sqs_standard + s.billed.sqs_fifo)),
    field("cost_estimate_usd.prices_as_of", Text, "Region and month of the prices.", |_| json!(prices::AS_OF)),

    field("invokes.tasks", Counter, "Tasks in all Invokes begun: as many as Invokes without option `batch_size`.", |s| json!(s.tasks_in_calls)),
    field("invokes.batches", Counter, "Invokes begun with more than one task.", |s| json!(s.batches)),
    field("invokes.resubmitted", Counter, "Tasks that were sent again, alone, because their batch could not run them (no attempt used).", |s| json!(s.resubmitted)),
    field("invokes.throttled", Counter, "Invokes answered with a throttling error (no attempt used).", |s| json!(s.throttled)),
    field("invokes.retried", Counter, "Failed Invokes that were followed by a back-off.", |s| json!(s.retried)),
    field("invokes.unanswered", Counter, "Invokes that failed by a fault of the service or the function (no attempt used).", |s| json!(s.unanswered)),
    field("invokes.late_answers", Counter, "202s for tasks that had ended or been cancelled meanwhile.", |s| json!(s.late_answers)),
    field("invokes.credential_failures", Counter, "Calls rejected for our credentials, of both services (no attempt used).", |s| json!(s.credential_failures)),

    field("messages.received", Counter, "Messages received. A message that is received again counts again.", |s| json!(s.received)),
    field("messages.received_bytes", Counter, "Length of their bodies.", |s| json!(s.received_bytes)),
    field("messages.deleted", Counter, "Messages deleted.", |s| json!(s.deleted)),
    field("messages.deletes_gone", Counter, "Deletes refused because the receipt was too old.", |s| json!(s.deletes_gone)),
    field("messages.deletes_given_up", Counter, "Deletes that failed too often; the message is deleted when SQS delivers it again.", |s| json!(s.deletes_given_up)),
    field("messages.duplicates", Counter, "Messages of tasks that had ended already: deleted.", |s| json!(s.duplicates)),
    field("messages.came_back", Counter, "Messages that SQS delivered again before they were deleted.", |s| json!(s.came_back)),
    field("messages.unmatched", Counter, "Messages of other executors, which are released. A message that is received again counts again.", |s| json!(s.unmatched)),
    field("messages.orphans", Counter, "Messages of other executors that are older than any task may run, so that probably no executor waits for them.", |s| json!(s.orphans)),
    field("messages.malformed", Counter, "Messages in a results queue that are not results: deleted.", |s| json!(s.malformed)),
    field("messages.foreign_dead_letters", Counter, "Messages in the dead letter queue that are not of this library: released.", |s| json!(s.foreign_dead_letters)),
    field("messages.success_records", Counter, "Records of an on-success destination: deleted.", |s| json!(s.success_records)),
    field("messages.receive_failures", Counter, "Failed receives.", |s| json!(s.receive_failures)),

    field("latency_ms.queue_wait", Latencies, "From `queue` to the first Invoke.", |s| document(LATENCY, &s.queue_wait)),
    field("latency_ms.invoke", Latencies, "Of each Invoke call.", |s| document(LATENCY, &s.invoke)),
    field("latency_ms.run_time", Latencies, "Of the command, by the function's clock.", |s| document(LATENCY, &s.run_time)),
    field("latency_ms.result", Latencies, "From the result's arrival in SQS (`SentTimestamp`) to its event.", |s| document(LATENCY, &s.result)),

    field("routes", Routes, "The routes: the default one, then those of option `queues`.", |s| s.routes.iter().map(|route| document(ROUTE, route)).collect()),
];

#[rustfmt::skip]
const LATENCY: &[Field<Times>] = &[
    field("count", Counter, "Number of values.", |t| json!(t.count)),
    field("p50", Gauge, "Half of the values are not larger (quantiles are at most 12.5 % too high).", |t| json!(t.p50)),
    field("p90", Gauge, "90 % of the values are not larger.", |t| json!(t.p90)),
    field("p99", Gauge, "99 % of the values are not larger.", |t| json!(t.p99)),
    field("max", Gauge, "The largest value.", |t| json!(t.max)),
];

#[rustfmt::skip]
const ROUTE: &[Field<RouteSnapshot>] = &[
    field("name", Text, "The name that tasks ask for.", |r| json!(r.name)),
    field("state", Word(HEALTH), "Whether its function can be invoked: `starting`, `degraded` or `healthy`.", |r| json!(r.health.state)),
    field("reason", TextOrNull, "Why not.", |r| json!(r.health.reason)),
    field("since_ms", GaugeOrNull, "Unix time in ms since which it cannot be invoked.", |r| json!(r.health.since_ms)),
    field("next_try_in_ms", GaugeOrNull, "Milliseconds until the next probe; null while one is in progress, and when healthy.", |r| json!(r.health.next_try_in_ms)),
    field("queued", Gauge, "Tasks that wait to be submitted to it, those that back off included.", |r| json!(r.queued)),
    field("in_flight", Gauge, "Invokes under way.", |r| json!(r.in_flight)),
    field("concurrency_limit", Gauge, "How many may be under way now: the level that has been found so far (`max_concurrent_invokes`).", |r| json!(r.concurrency_limit)),
    field("active", Gauge, "Tasks submitting or running.", |r| json!(r.active)),
];

/// Statistics as JSON.
pub(super) fn statistics(snapshot: &Snapshot) -> Value {
    document(FIELDS, snapshot)
}

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
