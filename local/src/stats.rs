//! Counters, returned by `GET /_local/stats`. They only increase.

use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A counter that many threads increment.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The operations that are counted by name; any other counts as `Other`.
const OPERATIONS: &[&str] = &[
    "Invoke",
    "GetFunction",
    "CreateFunction",
    "SendMessage",
    "SendMessageBatch",
    "ReceiveMessage",
    "DeleteMessage",
    "DeleteMessageBatch",
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "GetQueueAttributes",
    "SetQueueAttributes",
    "CreateQueue",
    "GetQueueUrl",
    "PurgeQueue",
    "Other",
];

/// The counters since the start of the server.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    requests: [Counter; OPERATIONS.len()],
    /// Requests rejected because of their signature or credentials.
    pub(crate) refused_signatures: Counter,
    /// Requests that a fault throttled, failed, dropped or left without an answer.
    pub(crate) faults: Counter,
    /// Requests in their own task whose connection was closed before the answer.
    pub(crate) aborted_requests: Counter,
    /// Invokes of the type `DryRun`, which are not among `requests`.
    pub(crate) dry_runs: Counter,
    /// Asynchronous events accepted.
    pub(crate) events_accepted: Counter,
    /// TCP connections accepted.
    pub(crate) connections: Counter,
    /// Runs of a function, retries included.
    pub(crate) invocations: Counter,
    /// Runs that ended in a function error.
    pub(crate) function_errors: Counter,
    /// Runs that were killed at the time limit.
    pub(crate) timeouts: Counter,
    /// Runs after a first failure.
    pub(crate) retries: Counter,
    /// Events given up and sent to a dead letter queue or an on-failure destination.
    pub(crate) dead_letters: Counter,
    /// Events given up without a destination, or that could not be sent to it.
    pub(crate) dropped_events: Counter,
    /// Synchronous invokes rejected for lack of concurrency.
    pub(crate) throttles: Counter,
    /// Runs that started a process.
    pub(crate) cold_starts: Counter,
    /// Runs in a process that had run before.
    pub(crate) warm_starts: Counter,
}

impl Stats {
    pub(crate) fn request(&self, operation: &str) {
        let at = OPERATIONS.iter().position(|name| *name == operation).unwrap_or(OPERATIONS.len() - 1);
        self.requests[at].add();
    }

    pub(crate) fn json(&self) -> Value {
        let requests: Map<String, Value> = OPERATIONS
            .iter()
            .zip(&self.requests)
            .map(|(name, count)| ((*name).to_owned(), count.get().into()))
            .filter(|(_, count)| *count != 0)
            .collect();
        json!({
            "requests": requests,
            "refused_signatures": self.refused_signatures.get(),
            "faults": self.faults.get(),
            "aborted_requests": self.aborted_requests.get(),
            "connections": self.connections.get(),
            "dry_runs": self.dry_runs.get(),
            "events_accepted": self.events_accepted.get(),
            "invocations": self.invocations.get(),
            "function_errors": self.function_errors.get(),
            "timeouts": self.timeouts.get(),
            "retries": self.retries.get(),
            "dead_letters": self.dead_letters.get(),
            "dropped_events": self.dropped_events.get(),
            "throttles": self.throttles.get(),
            "cold_starts": self.cold_starts.get(),
            "warm_starts": self.warm_starts.get(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_operation() {
        let stats = Stats::default();
        stats.request("Invoke");
        stats.request("Invoke");
        stats.request("ListQueues");
        assert_eq!(stats.json()["requests"], json!({"Invoke": 2, "Other": 1}));
    }
}
