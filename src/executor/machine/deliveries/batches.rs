//! Entries that wait to go to one queue in batch calls: how many calls may be under way, and how a failed one slows
//! down those that follow.

use crate::executor::machine::backoff::{Jitter, doubling_ms};
use std::collections::{BTreeMap, VecDeque};

/// SQS's limit of a batch call.
pub(in crate::executor::machine) const BATCH: usize = 10;
/// Calls of one kind to one queue under way at once: more while more waits. Each may need a connection of its own, and
/// the host's descriptors are limited.
pub(super) const FEWEST_CALLS: usize = 8;
pub(in crate::executor::machine) const MOST_CALLS: usize = 64;
/// One more call for so many entries that wait.
const ENTRIES_A_CALL: usize = 50;
const FIRST_PAUSE_MS: u64 = 200;
const MOST_PAUSE_MS: u64 = 30_000;

/// The entries of one kind of call to one queue.
#[derive(Debug)]
pub(super) struct Batches<T> {
    waiting: VecDeque<T>,
    /// When what waits is sent, even if it does not fill a batch.
    send_at: Option<u64>,
    /// Entries that failed by themselves, by the time of their next try.
    later: BTreeMap<(u64, u64), T>,
    serial: u64,
    calls: usize,
    /// Calls that failed as a whole since the last that did not.
    failures: u32,
    paused_until: u64,
}

impl<T> Default for Batches<T> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            send_at: None,
            later: BTreeMap::new(),
            serial: 0,
            calls: 0,
            failures: 0,
            paused_until: 0,
        }
    }
}

impl<T> Batches<T> {
    /// To be sent at `send_at`, or sooner if it fills a batch with others.
    pub(super) fn push(&mut self, entry: T, send_at: u64) {
        self.waiting.push_back(entry);
        self.send_at = Some(self.send_at.map_or(send_at, |earlier| earlier.min(send_at)));
    }

    /// To be sent not before `at`.
    pub(super) fn push_later(&mut self, entry: T, at: u64) {
        self.serial += 1;
        self.later.insert((at, self.serial), entry);
    }

    /// Entries of a call that failed as a whole: they are the next to be sent.
    pub(super) fn put_back(&mut self, entries: Vec<T>) {
        for entry in entries.into_iter().rev() {
            self.waiting.push_front(entry);
        }
        self.send_at = Some(0);
    }

    /// The entries of a call that may be made now. Each is answered by [`Self::answered`].
    pub(super) fn take(&mut self, now_ms: u64, ending: bool) -> Option<Vec<T>> {
        while let Some(first) = self.later.first_entry()
            && (ending || first.key().0 <= now_ms)
        {
            let entry = first.remove();
            self.push(entry, now_ms);
        }
        let due = ending || self.waiting.len() >= BATCH || self.send_at.is_some_and(|at| at <= now_ms);
        if self.waiting.is_empty() || !due || !self.may_call() || (now_ms < self.paused_until && !ending) {
            return None;
        }
        self.calls += 1;
        let entries = self.waiting.drain(..BATCH.min(self.waiting.len())).collect();
        if self.waiting.is_empty() {
            self.send_at = None;
        }
        Some(entries)
    }

    /// The call that [`Self::take`] gave the entries for is not made.
    pub(super) fn not_called(&mut self) {
        self.calls -= 1;
    }

    /// While calls fail, one at a time finds out whether that is over.
    fn may_call(&self) -> bool {
        let most = (self.waiting.len() / ENTRIES_A_CALL).clamp(FEWEST_CALLS, MOST_CALLS);
        self.calls < if self.failures > 0 { 1 } else { most }
    }

    /// A call has ended. Returns how many in a row have failed as a whole.
    pub(super) fn answered(&mut self, ok: bool, now_ms: u64, jitter: &mut Jitter) -> u32 {
        self.calls -= 1;
        if ok {
            (self.failures, self.paused_until) = (0, 0);
        } else if self.paused_until <= now_ms {
            // Other calls of the same moment failed for the same reason.
            self.failures = self.failures.saturating_add(1);
            self.paused_until = now_ms + jitter.spread(doubling_ms(FIRST_PAUSE_MS, self.failures, MOST_PAUSE_MS));
        }
        self.failures
    }

    /// When [`Self::take`] may have something by itself.
    pub(super) fn next_call(&self) -> Option<u64> {
        let waiting = if self.waiting.len() >= BATCH { Some(0) } else { self.send_at };
        let later = self.later.first_key_value().map(|((at, _), _)| *at);
        let first = [waiting, later].into_iter().flatten().min()?;
        self.may_call().then_some(first.max(self.paused_until))
    }

    /// Drops everything that waits.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.later.clear();
        self.send_at = None;
    }

    /// Number of entries that wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.later.len()
    }

    /// True when nothing waits and no call is under way.
    pub(super) fn are_done(&self) -> bool {
        self.waiting.is_empty() && self.later.is_empty() && self.calls == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(count: u32, send_at: u64) -> Batches<u32> {
        let mut batches = Batches::default();
        (0..count).for_each(|entry| batches.push(entry, send_at));
        batches
    }

    #[test]
    fn a_full_batch_goes_at_once_and_the_rest_when_it_has_waited() {
        let mut batches = filled(12, 50);
        assert_eq!(batches.take(0, false), Some((0..10).collect()));
        assert_eq!(batches.take(0, false), None);
        assert_eq!(batches.next_call(), Some(50));
        assert_eq!(batches.take(50, false), Some(vec![10, 11]));
        assert_eq!(batches.next_call(), None);
    }

    #[test]
    fn calls_at_once_are_limited_even_at_the_end() {
        let mut batches = filled(200, 0);
        let calls = std::iter::from_fn(|| batches.take(0, true)).count();
        assert_eq!((calls, batches.next_call()), (FEWEST_CALLS, None));
        batches.answered(true, 0, &mut Jitter::new(1));
        assert!(batches.take(0, true).is_some());
    }

    #[test]
    fn a_failed_call_pauses_all_that_waits_and_is_followed_by_one_at_a_time() {
        let mut jitter = Jitter::new(1);
        let mut batches = filled(60, 0);
        let failed: Vec<_> = std::iter::from_fn(|| batches.take(1_000, false)).collect();
        for entries in failed {
            batches.put_back(entries);
            assert_eq!(batches.answered(false, 1_000, &mut jitter), 1);
        }
        assert_eq!(batches.take(1_000, false), None);
        let at = batches.next_call().unwrap();
        assert!((1_150..=1_200).contains(&at), "{at}");
        assert_eq!(batches.take(at, false).map(|entries| entries.len()), Some(10));
        assert_eq!((batches.take(at, false), batches.next_call()), (None, None));
        batches.answered(true, at, &mut jitter);
        assert_eq!(std::iter::from_fn(|| batches.take(at, false)).count(), 5);
    }

    #[test]
    fn c4_more_calls_are_made_while_more_waits() {
        let mut batches = filled(100_000, 0);
        assert_eq!(std::iter::from_fn(|| batches.take(0, false)).count(), MOST_CALLS);
    }

    #[test]
    fn what_was_dropped_asks_for_no_call() {
        let mut batches = filled(3, 50);
        batches.clear();
        assert_eq!((batches.next_call(), batches.are_done()), (None, true));
    }

    #[test]
    fn an_entry_that_failed_by_itself_delays_no_other() {
        let mut batches = filled(1, 0);
        batches.push_later(9, 500);
        assert_eq!(batches.take(0, false), Some(vec![0]));
        assert_eq!((batches.take(499, false), batches.next_call()), (None, Some(500)));
        assert_eq!(batches.take(500, false), Some(vec![9]));
    }
}
