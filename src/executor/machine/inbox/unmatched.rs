//! Messages of others in a queue of ours: how long each is hidden, and how often a queue full of them is read.
//!
//! Several executors may read one queue. SQS hands a message to any of them, so each result is released until the
//! executor that waits for it receives it. The first receives release it at once. Later ones hide it for an eighth of its
//! age: a young message has an owner that is busy at the moment, and is late by about an eighth; an old one has perhaps
//! no owner any more, and must not be received again and again. In its first minute chance makes that half to one and a
//! half of it: two results that become visible together each time could otherwise go to the wrong one of two executors
//! each time. All messages of a receive get the same chance, so that they are received together again.
//!
//! Measured by `tests/scenarios/shared_queue.rs` (2,000 tasks that end over 3 s, 200 orphans, one machine with 2 cores):
//!
//! | rule | executors | p99 of result latency | deliveries of a result | of 200 orphans |
//! |---|---|---|---|---|
//! | 0.1.0: remembers 16,384 messages, 200 lines | 2 | 1,663 ms | 1.75 | 1,903 |
//! | | 4 | 6,143 ms | 3.74 | 4,588 |
//! | by receive count: 0 for the first 8, then 1, 2, 4, ... 60 s | 2 | 1,023 ms | 2.11 | 2,600 |
//! | | 4 | more than 100 s | | |
//! | by age, this one (three runs) | 2 | 79 to 1,151 ms | 2.17 to 2.50 | 600 |
//! | | 4 | 7 to 12 s | 4.88 to 5.42 | 600 |
//!
//! With four executors, one result of a hundred is received by the wrong one more than 16 times. Executors with a queue of
//! their own each (`reply_queue_url`) have a p99 of 29 to 63 ms.
//!
//! A result behind 40,000 messages of others is found after 9 minutes (`machine/tests/crowds.rs`): 10,000 are looked
//! through at full speed, 9,000 ever slower, and the others at four receives a second.

/// Receives, by any reader, after which a message is released at once.
const AT_ONCE: u32 = 2;
/// After so many it is hidden for a second at least: a redrive policy counts receives too.
const OFTEN: u32 = 16;
/// A message is hidden for this part of its age.
const PART_OF_AGE: u64 = 8;
/// What is hidden for so long is old: its owner had its chances. In s.
const OLD_S: u32 = 8;
/// After a release, other readers of the queue get their turn: otherwise SQS returns the message to us. In ms.
const TURN_MS: u64 = 20;
/// Receives in a row that brought only messages of others, before reading slows down: enough to have seen 10,000 of them.
const PATIENCE: u32 = 1_000;
/// Reading slows down to this: four receives a second.
const LONGEST_PAUSE_MS: u64 = 250;
/// The pause doubles after so many receives more.
const RECEIVES_A_STEP: u32 = 100;

/// A receive with so many messages has probably left some.
const FULL: usize = 9;

/// A number in `0..=MOST_CHANCE`, drawn for each receive.
pub(super) const MOST_CHANCE: u32 = 1_000;

/// How long a message of that age is hidden that was received so often, in s. `chance`: of the receive that brought it.
pub(super) fn delay_s(receive_count: u32, age_ms: u64, most_s: u32, chance: u32) -> u32 {
    if receive_count <= AT_ONCE {
        return 0;
    }
    let by_age = u32::try_from(age_ms / PART_OF_AGE / 1_000).unwrap_or(u32::MAX);
    let seconds = match by_age {
        0 => u32::from(receive_count > OFTEN),
        1..OLD_S => by_age.div_ceil(2) + (by_age * chance + MOST_CHANCE / 2) / MOST_CHANCE,
        OLD_S.. => by_age,
    };
    seconds.min(most_s)
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
        } else {
            self.in_a_row = self.in_a_row.saturating_add(1);
        }
        // While receives come full, the queue has more than what was released.
        let turn_ms = if unmatched > 0 && count < FULL { TURN_MS } else { 0 };
        self.next_receive_ms = self.next_receive_ms.max(now_ms + self.pause_ms().max(turn_ms));
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
    use super::super::super::backoff::Jitter;
    use super::*;

    #[test]
    fn the_first_receives_release_at_once_and_later_ones_hide_by_age() {
        let delays = |count, age_ms, most_s| [0, MOST_CHANCE].map(|chance| delay_s(count, age_ms, most_s, chance));
        assert_eq!([delays(1, 3_600_000, 60), delays(2, 3_600_000, 60)], [[0, 0]; 2]);
        assert_eq!([delays(3, 3_600_000, 60), delays(1_000, u64::MAX, 60)], [[60, 60]; 2]);
        assert_eq!([delays(9, 7_999, 60), delays(9, 8_000, 60), delays(9, 56_000, 60)], [[0, 0], [1, 2], [4, 11]]);
        assert_eq!([delays(16, 0, 60), delays(17, 0, 60), delays(9, 60_000, 4)], [[0, 0], [1, 1], [4, 4]]);
    }

    /// Two executors take turns to receive. Their results become visible together and go to the wrong one first.
    #[test]
    fn most_results_that_are_exchanged_find_their_executors_in_the_first_minute() {
        let mut found = 0;
        for seed in 0..100 {
            let mut jitters = [Jitter::new(seed), Jitter::new(seed + 1_000)];
            // When each becomes visible, in s, and whose it is.
            let mut waiting = [(16, 0), (16, 1)];
            let (mut reader, mut receives) = (1, 20);
            while waiting.iter().all(|(at, _)| *at < 60) {
                waiting.sort_unstable();
                let (now_s, owner) = waiting[0];
                if owner == reader {
                    found += 1;
                    break;
                }
                let chance = jitters[reader].up_to(u64::from(MOST_CHANCE)) as u32;
                waiting[0].0 += u64::from(delay_s(receives, now_s * 1_000, 60, chance));
                receives += 1;
                reader = 1 - reader;
            }
        }
        assert!(found >= 70, "{found} of 100");
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
