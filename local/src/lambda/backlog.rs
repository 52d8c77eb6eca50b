//! The asynchronous events of a function that wait: for a free slot, or for the time of their next try. No clock and no
//! I/O: time is an argument, in Unix ms.

use super::job::Job;
use std::collections::BTreeMap;

/// The waiting events, the oldest first, also those that wait for another try once its time has come.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// By the time they were accepted, then by arrival.
    ready: BTreeMap<(u64, u64), Job>,
    /// By time, then by arrival, so that two at the same time are not one.
    retries: BTreeMap<(u64, u64), Job>,
    arrivals: u64,
}

impl Backlog {
    pub(crate) fn push(&mut self, job: Job) {
        self.arrivals += 1;
        self.ready.insert((job.accepted_ms, self.arrivals), job);
    }

    /// Keeps an event until `at`, when it is tried again.
    pub(crate) fn push_retry(&mut self, at: u64, job: Job) {
        self.arrivals += 1;
        self.retries.insert((at, self.arrivals), job);
    }

    /// The next event to run.
    pub(crate) fn pop(&mut self) -> Option<Job> {
        self.ready.pop_first().map(|(_, job)| job)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// Makes retries ready whose time has come, and takes out events older than `max_age`.
    pub(crate) fn advance(&mut self, now: u64, max_age: u64) -> Vec<Job> {
        while self.retries.first_key_value().is_some_and(|((at, _), _)| *at <= now) {
            if let Some((_, job)) = self.retries.pop_first() {
                self.push(job);
            }
        }
        let mut expired = Vec::new();
        while self.ready.first_key_value().is_some_and(|((accepted, _), _)| now.saturating_sub(*accepted) > max_age) {
            expired.extend(self.pop());
        }
        expired
    }

    /// When `advance` has something to do next, if nothing else happens.
    pub(crate) fn next_time(&self, max_age: u64) -> Option<u64> {
        let retry = self.retries.first_key_value().map(|((at, _), _)| *at);
        let expiry = self.ready.first_key_value();
        let expiry = expiry.map(|((accepted, _), _)| accepted.saturating_add(max_age).saturating_add(1));
        retry.into_iter().chain(expiry).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: &str, accepted_ms: u64) -> Job {
        Job {
            request_id: id.into(),
            payload: bytes::Bytes::new(),
            arn: "".into(),
            version: "".into(),
            trace_id: None,
            accepted_ms,
            runs: 0,
            caller: None,
        }
    }

    fn ids(jobs: impl IntoIterator<Item = Job>) -> Vec<String> {
        jobs.into_iter().map(|job| job.request_id.to_string()).collect()
    }

    #[test]
    fn events_wait_in_order_and_retries_come_first_when_their_time_has_come() {
        let mut backlog = Backlog::default();
        backlog.push_retry(50, job("late", 0));
        backlog.push(job("a", 10));
        backlog.push(job("b", 11));
        assert_eq!(backlog.next_time(1000), Some(50));
        assert!(backlog.advance(49, 1000).is_empty());
        assert_eq!(ids(backlog.pop()), ["a"]);
        assert!(backlog.advance(50, 1000).is_empty());
        assert_eq!(ids(std::iter::from_fn(|| backlog.pop())), ["late", "b"]);
        assert_eq!(backlog.next_time(1000), None);
    }

    #[test]
    fn two_retries_at_the_same_time_are_two() {
        let mut backlog = Backlog::default();
        backlog.push_retry(5, job("a", 0));
        backlog.push_retry(5, job("b", 0));
        backlog.advance(5, 1000);
        assert_eq!(std::iter::from_fn(|| backlog.pop()).count(), 2);
    }

    #[test]
    fn retries_due_together_keep_the_order_of_their_age() {
        let mut backlog = Backlog::default();
        for (id, accepted_ms) in [("c", 3), ("a", 1), ("b", 2)] {
            backlog.push_retry(5, job(id, accepted_ms));
        }
        assert_eq!(ids(backlog.advance(10, 7)), ["a", "b"]);
        assert_eq!(ids(backlog.pop()), ["c"]);
        for (id, accepted_ms) in [("a", 11), ("b", 12)] {
            backlog.push_retry(15, job(id, accepted_ms));
        }
        backlog.advance(15, 1000);
        assert_eq!(ids(std::iter::from_fn(|| backlog.pop())), ["a", "b"]);
    }

    #[test]
    fn events_that_are_too_old_are_taken_out() {
        let mut backlog = Backlog::default();
        backlog.push(job("old", 0));
        backlog.push(job("young", 90));
        backlog.push_retry(120, job("older", 0));
        assert_eq!(backlog.next_time(100), Some(101));
        assert!(backlog.advance(100, 100).is_empty());
        assert_eq!(ids(backlog.advance(101, 100)), ["old"]);
        assert_eq!(ids(backlog.advance(120, 100)), ["older"]);
        assert_eq!(ids(backlog.pop()), ["young"]);
    }
}
