//! The asynchronous events of a function that wait for a free slot or for the time of their retry. No clock and no I/O:
//! time is an argument, in Unix ms.

use crate::job::Job;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Events by time, then by arrival number, so that two events can have the same time.
type Line = BTreeMap<(u64, u64), Job>;

/// The waiting events, oldest first. Retries join them when they are due.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// By qualifier, since each has its own maximum age, then by time of acceptance. No inner map is empty.
    ready: BTreeMap<Arc<str>, Line>,
    /// By the time of the retry.
    retries: Line,
    arrivals: u64,
}

impl Backlog {
    pub(crate) fn push(&mut self, job: Job) {
        self.arrivals += 1;
        let key = (job.accepted_ms, self.arrivals);
        match self.ready.get_mut(&job.qualifier) {
            Some(line) => {
                line.insert(key, job);
            }
            None => {
                self.ready.insert(job.qualifier.clone(), BTreeMap::from([(key, job)]));
            }
        }
    }

    /// Keeps an event for a retry at `at`.
    pub(crate) fn push_retry(&mut self, at: u64, job: Job) {
        self.arrivals += 1;
        self.retries.insert((at, self.arrivals), job);
    }

    /// The next event to run.
    pub(crate) fn pop(&mut self) -> Option<Job> {
        let lines = self.ready.iter().filter_map(|(qualifier, line)| Some((line.first_key_value()?.0, qualifier)));
        let qualifier = lines.min()?.1.clone();
        self.pop_of(&qualifier)
    }

    fn pop_of(&mut self, qualifier: &str) -> Option<Job> {
        let line = self.ready.get_mut(qualifier)?;
        let job = line.pop_first();
        if line.is_empty() {
            self.ready.remove(qualifier);
        }
        job.map(|(_, job)| job)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// Moves due retries to the waiting events, and removes events older than the maximum age of their qualifier.
    pub(crate) fn advance(&mut self, now: u64, max_age: impl Fn(&str) -> u64) -> Vec<Job> {
        while self.retries.first_key_value().is_some_and(|((at, _), _)| *at <= now) {
            if let Some((_, job)) = self.retries.pop_first() {
                self.push(job);
            }
        }
        let too_old = |qualifier: &str, accepted: u64| now.saturating_sub(accepted) > max_age(qualifier);
        let mut expired = Vec::new();
        loop {
            let found = self.oldest_of_each().find(|(name, accepted)| too_old(name, *accepted));
            let Some(qualifier) = found.map(|(name, _)| name.clone()) else { return expired };
            expired.extend(self.pop_of(&qualifier));
        }
    }

    /// The next time at which `advance` has something to do.
    pub(crate) fn next_time(&self, max_age: impl Fn(&str) -> u64) -> Option<u64> {
        let retry = self.retries.first_key_value().map(|((at, _), _)| *at);
        let expiries = self.oldest_of_each();
        let expiry = expiries.map(|(name, accepted)| accepted.saturating_add(max_age(name)).saturating_add(1)).min();
        retry.into_iter().chain(expiry).min()
    }

    /// Each qualifier with the acceptance time of its oldest event.
    fn oldest_of_each(&self) -> impl Iterator<Item = (&Arc<str>, u64)> {
        self.ready.iter().filter_map(|(name, line)| Some((name, line.first_key_value()?.0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job_of(qualifier: &str, id: &str, accepted_ms: u64) -> Job {
        Job {
            request_id: id.into(),
            payload: bytes::Bytes::new(),
            arn: "".into(),
            qualifier: qualifier.into(),
            version: "".into(),
            trace_id: None,
            accepted_ms,
            runs: 0,
            caller: None,
        }
    }

    fn job(id: &str, accepted_ms: u64) -> Job {
        job_of("$LATEST", id, accepted_ms)
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
        assert_eq!(backlog.next_time(|_| 1000), Some(50));
        assert!(backlog.advance(49, |_| 1000).is_empty());
        assert_eq!(ids(backlog.pop()), ["a"]);
        assert!(backlog.advance(50, |_| 1000).is_empty());
        assert_eq!(ids(std::iter::from_fn(|| backlog.pop())), ["late", "b"]);
        assert_eq!(backlog.next_time(|_| 1000), None);
    }

    #[test]
    fn two_retries_at_the_same_time_are_two() {
        let mut backlog = Backlog::default();
        backlog.push_retry(5, job("a", 0));
        backlog.push_retry(5, job("b", 0));
        backlog.advance(5, |_| 1000);
        assert_eq!(std::iter::from_fn(|| backlog.pop()).count(), 2);
        assert!(backlog.is_empty());
    }

    #[test]
    fn retries_due_together_keep_the_order_of_their_age() {
        let mut backlog = Backlog::default();
        for (id, accepted_ms) in [("c", 3), ("a", 1), ("b", 2)] {
            backlog.push_retry(5, job(id, accepted_ms));
        }
        assert_eq!(ids(backlog.advance(10, |_| 7)), ["a", "b"]);
        assert_eq!(ids(backlog.pop()), ["c"]);
        for (id, accepted_ms) in [("a", 11), ("b", 12)] {
            backlog.push_retry(15, job(id, accepted_ms));
        }
        backlog.advance(15, |_| 1000);
        assert_eq!(ids(std::iter::from_fn(|| backlog.pop())), ["a", "b"]);
    }

    #[test]
    fn events_that_are_too_old_are_removed() {
        let mut backlog = Backlog::default();
        backlog.push(job("old", 0));
        backlog.push(job("young", 90));
        backlog.push_retry(120, job("older", 0));
        assert_eq!(backlog.next_time(|_| 100), Some(101));
        assert!(backlog.advance(100, |_| 100).is_empty());
        assert_eq!(ids(backlog.advance(101, |_| 100)), ["old"]);
        assert_eq!(ids(backlog.advance(120, |_| 100)), ["older"]);
        assert_eq!(ids(backlog.pop()), ["young"]);
    }

    #[test]
    fn each_qualifier_has_its_own_age_and_all_share_one_order() {
        let mut backlog = Backlog::default();
        for (qualifier, id, accepted_ms) in [("live", "a", 0), ("1", "b", 1), ("live", "c", 2), ("1", "d", 3)] {
            backlog.push(job_of(qualifier, id, accepted_ms));
        }
        let age = |qualifier: &str| if qualifier == "1" { 10 } else { 100 };
        assert_eq!(backlog.next_time(age), Some(12));
        assert_eq!(ids(backlog.advance(12, age)), ["b"]);
        assert_eq!(ids(std::iter::from_fn(|| backlog.pop())), ["a", "c", "d"]);
    }
}
