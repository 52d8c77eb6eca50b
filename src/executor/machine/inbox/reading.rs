//! How long all queues have been read: the clock by which silence means LOST.
//!
//! The clock stands still while a queue cannot be read, while receiving is paused, and while nothing is received because
//! nothing runs. A receive that fails costs the time since the last one of its queue, and no more: among many receives
//! that is little.

use crate::executor::ports::QueueId;

/// Between two receives there may be so much without a receive under way, in ms: pauses while a queue is full of others'
/// messages, or empty answers come too soon. During anything longer nothing was read.
const LONGEST_PAUSE_MS: u64 = 1_000;

/// Gaps that are kept apart.
const MOST_GAPS: usize = 1_024;

/// The clock.
#[derive(Debug)]
pub(in crate::executor::machine) struct Reading {
    /// Up to when each queue has been read or found unreadable, in mono ms.
    read_until: Vec<u64>,
    /// Mono time up to which reading has been counted.
    counted_until: u64,
    total_ms: u64,
    /// Times that do not count and end after `counted_until`. They may overlap.
    gaps: Vec<(u64, u64)>,
    paused_since: Option<u64>,
    /// Of each queue: it has not been read since a receive failed or since a pause. Before it has, nothing is counted: what
    /// arrived meanwhile comes first.
    unread: Vec<bool>,
    /// When a receive failed last whose messages may be hidden until they become visible again.
    last_lost_answer_ms: Option<u64>,
}

impl Reading {
    pub(super) fn new(queues: usize, now_ms: u64) -> Self {
        Self {
            read_until: vec![now_ms; queues],
            counted_until: now_ms,
            total_ms: 0,
            gaps: Vec::new(),
            paused_since: None,
            unread: vec![true; queues],
            last_lost_answer_ms: None,
        }
    }

    /// The time on this clock, in ms.
    pub(in crate::executor::machine) fn now_ms(&self) -> u64 {
        self.total_ms
    }

    /// The most that this clock can show for now, in ms: what is being read has not been counted yet.
    pub(in crate::executor::machine) fn at_most_ms(&self, mono_ms: u64) -> u64 {
        self.total_ms + mono_ms.saturating_sub(self.counted_until)
    }

    /// True if a receive since then may have taken messages that never arrived.
    pub(in crate::executor::machine) fn has_lost_answer_since(&self, mono_ms: u64) -> bool {
        self.last_lost_answer_ms.is_some_and(|at| at >= mono_ms)
    }

    /// A long poll of a queue that began then has been answered. It may have brought few of many messages, so the time
    /// before it, in which nothing was asked for, does not count.
    pub(super) fn succeeded(&mut self, queue: QueueId, began_ms: u64, now_ms: u64) {
        if began_ms > self.read_until[queue] + LONGEST_PAUSE_MS {
            self.gap(self.read_until[queue], began_ms);
        }
        self.read_until[queue] = now_ms;
        self.unread[queue] = false;
        if self.paused_since.is_none() && !self.unread.contains(&true) {
            self.count();
        }
    }

    /// A receive failed. `lost_answer`: SQS may have handed out messages.
    pub(super) fn failed(&mut self, queue: QueueId, now_ms: u64, lost_answer: bool) {
        self.gap(self.read_until[queue], now_ms);
        self.read_until[queue] = now_ms;
        self.unread[queue] = true;
        if lost_answer {
            self.last_lost_answer_ms = Some(now_ms);
        }
    }

    /// No receive starts from now on.
    pub(super) fn interrupted(&mut self, now_ms: u64) {
        self.paused_since.get_or_insert(now_ms);
    }

    /// Receives start again.
    pub(super) fn resumed(&mut self, now_ms: u64) {
        if let Some(since) = self.paused_since.take() {
            self.gap(since, now_ms);
            self.unread.fill(true);
        }
    }

    fn gap(&mut self, from: u64, to: u64) {
        match self.gaps.last_mut() {
            _ if from >= to => {}
            Some(last) if last.1 == from => last.1 = to,
            _ => self.gaps.push((from, to)),
        }
        if self.gaps.len() > MOST_GAPS {
            self.merge_gaps();
        }
    }

    /// While a queue cannot be read for long, gaps of the others add up. Half of them are enough: the time between two
    /// that become one is counted as not read, which delays LOST.
    fn merge_gaps(&mut self) {
        self.gaps.sort_unstable();
        self.gaps =
            self.gaps.chunks(2).map(|pair| (pair[0].0, pair.iter().map(|gap| gap.1).max().unwrap_or(0))).collect();
    }

    /// Counts the time in which every queue was read.
    fn count(&mut self) {
        let all = self.read_until.iter().copied().min().unwrap_or(self.counted_until);
        if all <= self.counted_until {
            return;
        }
        self.gaps.sort_unstable();
        let mut from = self.counted_until;
        for (start, end) in self.gaps.iter().filter(|(start, _)| *start < all) {
            self.total_ms += start.saturating_sub(from);
            from = from.max(*end);
        }
        self.total_ms += all.saturating_sub(from);
        self.counted_until = all;
        self.gaps.retain(|(_, end)| *end > all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_while_every_queue_is_read() {
        let mut reading = Reading::new(2, 1_000);
        reading.succeeded(0, 1_000, 5_000);
        assert_eq!(reading.now_ms(), 0, "the other queue has not been read yet");
        reading.succeeded(1, 1_000, 3_000);
        assert_eq!(reading.now_ms(), 2_000);
        reading.succeeded(1, 3_000, 9_000);
        assert_eq!(reading.now_ms(), 4_000);
    }

    #[test]
    fn the_time_between_a_failed_receive_and_the_next_does_not_count() {
        let mut reading = Reading::new(1, 0);
        reading.failed(0, 1_000, false);
        reading.succeeded(0, 31_000, 31_020);
        assert_eq!(reading.now_ms(), 20, "its back-off lasted 30 s");
    }

    #[test]
    fn s16_a_failed_receive_among_many_costs_little() {
        let mut reading = Reading::new(1, 0);
        for at in (100..=100_000).step_by(100) {
            if at % 5_000 == 0 {
                reading.failed(0, at, true);
            } else {
                reading.succeeded(0, at - 100, at);
            }
        }
        reading.succeeded(0, 100_000, 100_100);
        assert_eq!(reading.now_ms(), 98_100, "20 of 1,000 receives failed, each cost 100 ms");
        assert!(reading.has_lost_answer_since(100_000) && !reading.has_lost_answer_since(100_001));
    }

    #[test]
    fn s16_a_failed_receive_costs_its_own_time_though_another_queue_is_read_seldom() {
        let mut reading = Reading::new(2, 0);
        for at in (100..=100_000).step_by(100) {
            if at % 5_000 == 0 {
                reading.failed(0, at, true);
            } else {
                reading.succeeded(0, at - 100, at);
            }
            if at % 20_000 == 0 {
                reading.succeeded(1, at - 20_000, at);
            }
        }
        reading.succeeded(0, 100_000, 100_100);
        assert_eq!(reading.now_ms(), 98_000);
    }

    #[test]
    fn nothing_is_counted_before_a_queue_that_could_not_be_read_has_been_read_again() {
        let mut reading = Reading::new(2, 0);
        reading.succeeded(0, 0, 10_000);
        reading.failed(0, 10_500, false);
        reading.succeeded(1, 0, 20_000);
        assert_eq!(reading.now_ms(), 0, "what arrived since is not known yet");
        reading.succeeded(0, 20_500, 20_510);
        assert_eq!(reading.now_ms(), 10_000);
    }

    #[test]
    fn gaps_do_not_grow_without_bound_while_a_queue_cannot_be_read() {
        let mut reading = Reading::new(2, 0);
        reading.failed(1, 0, false);
        for at in 0..100_000 {
            reading.interrupted(at * 10);
            reading.resumed(at * 10 + 1);
            reading.succeeded(0, at * 10 + 1, at * 10 + 5);
        }
        assert!(reading.gaps.len() <= MOST_GAPS, "{} gaps", reading.gaps.len());
        reading.succeeded(0, 999_995, 1_000_100);
        reading.succeeded(1, 1_000_000, 1_000_100);
        assert!((90..=100).contains(&reading.now_ms()), "{} ms", reading.now_ms());
    }

    #[test]
    fn it_stands_still_while_nothing_is_received() {
        let mut reading = Reading::new(1, 0);
        reading.succeeded(0, 0, 1_000);
        reading.interrupted(1_000);
        reading.interrupted(30_000);
        reading.resumed(50_000);
        reading.succeeded(0, 50_000, 51_000);
        assert_eq!(reading.now_ms(), 2_000);
    }
}
