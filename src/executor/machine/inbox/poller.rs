//! The long polls of one queue: as many as the work and what arrives ask for.

use super::super::backoff::{Jitter, doubling_ms};
use super::super::deliveries::BATCH;
use super::unmatched::Crowd;

/// Long polls of one queue at once, at most.
const MOST_POLLS: usize = 64;
/// One more poll is useful for so many tasks.
const TASKS_A_POLL: u64 = 10;
/// A receive with so many messages has probably left some.
const FULL: usize = BATCH - 1;
const FIRST_RETRY_MS: u64 = 500;
const LONGEST_RETRY_MS: u64 = 30_000;
/// An empty answer to a long poll before this was no long poll: do not ask again in a tight loop.
const TOO_SOON_MS: u64 = 500;

/// What is known of one queue.
#[derive(Debug)]
pub(super) struct Poller {
    in_flight: usize,
    target: usize,
    failures: u32,
    retry_at_ms: u64,
    last_error: String,
    crowd: Crowd,
}

impl Default for Poller {
    fn default() -> Self {
        Self {
            in_flight: 0,
            target: 1,
            failures: 0,
            retry_at_ms: 0,
            last_error: String::new(),
            crowd: Crowd::default(),
        }
    }
}

impl Poller {
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    pub(super) fn last_error(&self) -> &str {
        &self.last_error
    }

    /// How many receives to start now, at most `room` beside the first; they are under way from now on.
    pub(super) fn start(&mut self, now_ms: u64, awaited: u64, room: usize) -> usize {
        let useful = usize::try_from(1 + awaited / TASKS_A_POLL).unwrap_or(MOST_POLLS).min(MOST_POLLS);
        self.target = self.target.min(useful);
        if self.may_start_at() > now_ms {
            return 0;
        }
        let room = if self.in_flight == 0 { room.max(1) } else { room };
        let missing = self.wanted().saturating_sub(self.in_flight).min(room);
        self.in_flight += missing;
        missing
    }

    /// When a receive may start that could not so far.
    pub(super) fn next_start(&self, now_ms: u64) -> Option<u64> {
        let at = self.may_start_at();
        (at > now_ms && self.in_flight < self.wanted()).then_some(at)
    }

    fn may_start_at(&self) -> u64 {
        self.retry_at_ms.max(self.crowd.next_receive_ms())
    }

    fn wanted(&self) -> usize {
        if self.failures > 0 || self.crowd.is_slow() { 1 } else { self.target }
    }

    /// When it is tried again after a failure.
    pub(super) fn next_try(&self, now_ms: u64) -> Option<u64> {
        (self.retry_at_ms > now_ms && self.in_flight == 0).then_some(self.retry_at_ms)
    }

    /// A receive brought so many messages. True if those before it had failed.
    pub(super) fn succeeded(&mut self, now_ms: u64, took_ms: u64, count: usize) -> bool {
        self.in_flight -= 1;
        let recovered = std::mem::take(&mut self.failures) > 0;
        self.retry_at_ms = 0;
        self.last_error.clear();
        if count >= FULL {
            self.target = (self.target * 2).min(MOST_POLLS);
        } else if count <= BATCH / 3 {
            self.target = self.target.saturating_sub(1).max(1);
        }
        if count == 0 && took_ms < TOO_SOON_MS {
            self.retry_at_ms = now_ms + TOO_SOON_MS;
        }
        recovered
    }

    /// Of the messages of a receive so many were not ours.
    pub(super) fn sorted(&mut self, now_ms: u64, count: usize, unmatched: usize) {
        self.crowd.received(now_ms, count, unmatched);
    }

    /// A receive failed. How many in a row, and how long to wait, if this one counts.
    pub(super) fn failed(&mut self, now_ms: u64, text: &str, jitter: &mut Jitter) -> Option<(u32, u64)> {
        self.in_flight -= 1;
        self.last_error = text.into();
        if self.retry_at_ms > now_ms {
            return None; // Other receives of the same moment failed for the same reason.
        }
        self.failures = self.failures.saturating_add(1);
        let wait = jitter.spread(doubling_ms(FIRST_RETRY_MS, self.failures, LONGEST_RETRY_MS));
        self.retry_at_ms = now_ms + wait;
        Some((self.failures, wait))
    }

    pub(super) fn wait_until(&mut self, at_ms: u64) {
        self.retry_at_ms = self.retry_at_ms.max(at_ms);
    }

    pub(super) fn try_now(&mut self, now_ms: u64) {
        self.retry_at_ms = self.retry_at_ms.min(now_ms);
    }

    /// A receive was given up without its answer.
    pub(super) fn dropped(&mut self) {
        self.in_flight -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s4_full_receives_double_the_polls_up_to_what_is_useful() {
        let mut poller = Poller::default();
        for (awaited, polls) in [
            (10_000, 1),
            (10_000, 2),
            (10_000, 4),
            (10_000, 8),
            (10_000, 16),
            (10_000, 32),
            (10_000, 64),
            (10_000, 64),
            (50, 6),
        ] {
            assert_eq!(poller.start(0, awaited, usize::MAX), polls);
            (0..polls).for_each(|_| poller.dropped());
            poller.in_flight = 1;
            poller.succeeded(0, 10, BATCH);
        }
    }

    #[test]
    fn an_empty_answer_that_came_at_once_is_not_asked_for_again_at_once() {
        let mut poller = Poller::default();
        assert_eq!(poller.start(0, 1, 0), 1);
        poller.succeeded(10, 10, 0);
        assert_eq!((poller.start(10, 1, 9), poller.next_start(10)), (0, Some(510)));
        assert_eq!(poller.start(510, 1, 9), 1);
    }
}
