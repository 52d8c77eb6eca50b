//! Messages of others in a queue of ours: how long each is hidden, and how often a queue full of them is read.
//!
//! Several executors may read one queue. SQS hands a message to any of them, so each result is released until the
//! executor that waits for it receives it. The first receives release it at once; later ones hide it for 1, 2, 4, … s, so
//! that it is not received again and again while its owner is busy or gone.

/// Receives, by any reader, after which a message is released at once.
const AT_ONCE: u32 = 4;
/// Receives in a row that brought only messages of others, before reading slows down: enough to have seen 10,000 of them.
const PATIENCE: u32 = 1_000;
/// Reading slows down to this: four receives a second.
const LONGEST_PAUSE_MS: u64 = 250;
/// The pause doubles after so many receives more.
const RECEIVES_A_STEP: u32 = 100;

/// How long a message that was received so often is hidden, in s.
pub(super) fn delay_s(receive_count: u32, most_s: u32) -> u32 {
    match receive_count.saturating_sub(AT_ONCE) {
        0 => 0,
        over => (1u32 << (over - 1).min(16)).min(most_s),
    }
}

/// How full of others' messages a queue is.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    /// Full receives in a row without one of ours.
    in_a_row: u32,
    next_receive_ms: u64,
}

impl Crowd {
    /// Of the messages of a receive so many were not ours.
    pub(super) fn received(&mut self, now_ms: u64, count: usize, unmatched: usize) {
        if count == 0 || unmatched < count {
            // The queue is empty for now, or one is ours and others may wait behind it.
            self.in_a_row /= 2;
            return;
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.next_receive_ms = now_ms + self.pause_ms();
    }

    /// No receive before then.
    pub(super) fn next_receive_ms(&self) -> u64 {
        self.next_receive_ms
    }

    /// One poll at a time.
    pub(super) fn is_slow(&self) -> bool {
        self.pause_ms() > 0
    }

    fn pause_ms(&self) -> u64 {
        let steps = self.in_a_row.saturating_sub(PATIENCE) / RECEIVES_A_STEP;
        if steps == 0 { 0 } else { (1u64 << (steps - 1).min(16)).min(LONGEST_PAUSE_MS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_receives_release_at_once_and_later_ones_hide_for_longer() {
        assert_eq!([1, 4, 5, 6, 7, 10, 11, 1_000].map(|count| delay_s(count, 60)), [0, 0, 1, 2, 4, 32, 60, 60]);
        assert_eq!(delay_s(1_000, 4), 4);
    }

    #[test]
    fn s18_a_queue_of_others_messages_is_read_four_times_a_second_in_the_end() {
        let (mut crowd, mut now_ms, mut receives) = (Crowd::default(), 0, Vec::new());
        while now_ms < 150_000 {
            now_ms = now_ms.max(crowd.next_receive_ms()) + 5;
            crowd.received(now_ms, 10, 10);
            receives.push(now_ms);
        }
        let last_second = receives.iter().filter(|at| **at > now_ms - 10_000).count();
        assert!(last_second <= 50, "{last_second} receives in the last 10 s");
        assert!(receives.len() > 1_000, "it looked through the queue first");
        crowd.received(now_ms, 10, 9);
        crowd.received(now_ms, 10, 9);
        assert!(!crowd.is_slow(), "results of ours are followed by fast receives");
    }
}
