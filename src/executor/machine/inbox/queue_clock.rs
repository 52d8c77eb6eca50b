//! The queue's clock, as its messages show it. Without it a result that names no attempt could not be distinguished from one of an
//! earlier use of its key: when it was sent is known by the queue's clock, when the task was invoked by ours.
//!
//! Only our monotonic clock is used: the wall clock may jump.

use crate::executor::message::Received;

/// SQS is many machines, whose clocks differ by some milliseconds.
const TOLERANCE_MS: i64 = 10;
/// What was learnt is used for one to two such periods, in ms: our monotonic clock runs slightly faster or slower than
/// the queue's, for a time also much faster, while the system corrects its clock.
const PERIOD_MS: u64 = 300_000;
/// The year 2200. A later stamp is a mistake of the queue.
const LATEST_STAMP_MS: i64 = 7_258_118_400_000;

/// What is known of one queue's clock.
#[derive(Debug, Default)]
pub(super) struct QueueClock {
    /// The queue's Unix time minus our mono time, as the messages of this period show it. Each shows that it is at least
    /// what the message says minus the time of its receive.
    ahead_ms: Option<i64>,
    /// The same of the period before.
    ahead_before_ms: Option<i64>,
    period_began_ms: u64,
}

impl QueueClock {
    /// A message was received: it was sent, and received for the first time, before now.
    pub(super) fn learn(&mut self, message: &Received, now_ms: u64) {
        let stamp = message.sent_at_ms.max(message.first_received_at_ms);
        if !(1..=LATEST_STAMP_MS).contains(&stamp) {
            return;
        }
        let period_ms = now_ms.saturating_sub(self.period_began_ms);
        if period_ms >= PERIOD_MS {
            self.ahead_before_ms = self.ahead_ms.take().filter(|_| period_ms < 2 * PERIOD_MS);
            self.period_began_ms = now_ms;
        }
        self.ahead_ms = self.ahead_ms.max(Some(stamp.saturating_sub_unsigned(now_ms)));
    }

    /// The queue's time when ours was `mono_ms`: this or later by the tolerance.
    pub(super) fn at(&self, mono_ms: u64) -> Option<i64> {
        self.ahead_ms
            .max(self.ahead_before_ms)
            .map(|ahead| ahead.saturating_add_unsigned(mono_ms).saturating_sub(TOLERANCE_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::message::Content;

    fn message(sent_at_ms: i64, first_received_at_ms: i64) -> Received {
        Received {
            message_id: "m".into(),
            receipt: "r".into(),
            receive_count: 1,
            sent_at_ms,
            first_received_at_ms,
            bytes: 0,
            content: Content::SuccessRecord,
        }
    }

    #[test]
    fn the_message_that_was_fastest_shows_most() {
        let mut clock = QueueClock::default();
        assert_eq!(clock.at(0), None);
        clock.learn(&message(1_000_000, 0), 5_000);
        assert_eq!(clock.at(5_000), Some(1_000_000 - TOLERANCE_MS));
        clock.learn(&message(900_000, 1_000_990), 6_000);
        assert_eq!(clock.at(5_000), Some(1_000_000 - TOLERANCE_MS), "one that was received 10 ms late shows less");
        clock.learn(&message(0, 1_002_005), 7_000);
        assert_eq!(clock.at(5_000), Some(1_000_005 - TOLERANCE_MS));
    }

    #[test]
    fn c17_times_beyond_every_calendar_are_ignored() {
        let mut clock = QueueClock::default();
        clock.learn(&message(i64::MAX, i64::MAX), u64::MAX);
        clock.learn(&message(i64::MAX, 0), 0);
        assert_eq!(clock.at(0), None);
        clock.learn(&message(LATEST_STAMP_MS, 0), 500);
        assert_eq!(clock.at(500), Some(LATEST_STAMP_MS - TOLERANCE_MS));
        assert_eq!(clock.at(u64::MAX), Some(i64::MAX - TOLERANCE_MS));
    }

    #[test]
    fn what_a_fast_clock_of_ours_showed_is_forgotten_after_two_periods() {
        let mut clock = QueueClock::default();
        let sent_at_ms = |now_ms: u64| 1_000_000_i64 + now_ms as i64;
        clock.learn(&message(sent_at_ms(0), 0), 0);
        // From now on our clock is 4 s ahead of what it was, compared with the queue's.
        for now_ms in [PERIOD_MS, 2 * PERIOD_MS - 1] {
            clock.learn(&message(sent_at_ms(now_ms) - 4_000, 0), now_ms);
            assert_eq!(clock.at(now_ms), Some(sent_at_ms(now_ms) - TOLERANCE_MS));
        }
        clock.learn(&message(sent_at_ms(2 * PERIOD_MS) - 4_000, 0), 2 * PERIOD_MS);
        assert_eq!(clock.at(0), Some(sent_at_ms(0) - 4_000 - TOLERANCE_MS));
        clock.learn(&message(sent_at_ms(10 * PERIOD_MS) - 9_000, 0), 10 * PERIOD_MS);
        assert_eq!(clock.at(0), Some(sent_at_ms(0) - 9_000 - TOLERANCE_MS), "nothing is newer than this");
    }
}
