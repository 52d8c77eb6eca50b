//! The queue's clock, as its messages show it. Without it a result that names no attempt could not be distinguished from one of an
//! earlier use of its key: when it was sent is known by the queue's clock, when the task was invoked by ours.
//!
//! Only our monotonic clock is used: the wall clock may jump.

use crate::executor::message::Received;

/// SQS is many machines, whose clocks differ by some milliseconds.
const TOLERANCE_MS: i64 = 10;

/// What is known of one queue's clock.
#[derive(Debug, Default)]
pub(super) struct QueueClock {
    /// The queue's Unix time minus our mono time. Each message shows that it is at least what the message says minus the
    /// time of its receive.
    ahead_ms: Option<i64>,
}

impl QueueClock {
    /// A message was received: it was sent, and received for the first time, before now.
    pub(super) fn learn(&mut self, message: &Received, now_ms: u64) {
        let stamp = message.sent_at_ms.max(message.first_received_at_ms);
        if stamp > 0 {
            let ahead = stamp.saturating_sub_unsigned(now_ms);
            self.ahead_ms = Some(self.ahead_ms.map_or(ahead, |before| before.max(ahead)));
        }
    }

    /// The queue's time when ours was `mono_ms`: this or later by the tolerance.
    pub(super) fn at(&self, mono_ms: u64) -> Option<i64> {
        self.ahead_ms.map(|ahead| ahead.saturating_add_unsigned(mono_ms).saturating_sub(TOLERANCE_MS))
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
    fn c17_times_beyond_every_calendar_do_not_overflow() {
        let mut clock = QueueClock::default();
        clock.learn(&message(i64::MAX, i64::MAX), u64::MAX);
        clock.learn(&message(i64::MAX, 0), 0);
        assert_eq!(clock.at(u64::MAX), Some(i64::MAX - TOLERANCE_MS));
    }
}
