//! How many Invokes may be under way at once, and how many may start in a second.

/// So many calls at once need no proof that they are useful: the default of option max_concurrent_invokes.
const FIRST_LIMIT: usize = 64;
/// An average latency of more than twice the lowest and so much, in ms, means that calls wait for each other.
const SLACK_MS: u64 = 10;
/// After so many rounds the lowest latency is measured anew, with few calls at once: the way to AWS may have changed.
const ROUNDS_OF_LOWEST: u32 = 4_096;

/// Additive increase, multiplicative decrease. Throttles of calls sent before the last decrease are ignored.
///
/// Beyond [`FIRST_LIMIT`] the limit also follows the latency. It grows by a quarter in each round of answers while the
/// average latency stays near the lowest, and shrinks when it does not: then more calls at once only wait in a line,
/// here or at Lambda, and delay the results that are received meanwhile.
#[derive(Debug)]
pub(super) struct Concurrency {
    most: usize,
    limit: usize,
    successes: usize,
    epoch: u64,
    /// Neither throttled nor slowed down since the lowest latency was measured first.
    is_growing: bool,
    /// Lambda has throttled: from then on the limit grows by one in a round.
    was_throttled: bool,
    /// The lowest average latency of a round, in ms.
    lowest_ms: Option<u64>,
    /// Answers of this round, and the sum of their latencies in ms.
    round: (usize, u64),
    rounds: u32,
}

impl Concurrency {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        let limit = most.min(FIRST_LIMIT);
        Self {
            most,
            limit,
            successes: 0,
            epoch: 0,
            is_growing: true,
            was_throttled: false,
            lowest_ms: None,
            round: (0, 0),
            rounds: 0,
        }
    }

    /// A call was accepted after so many ms.
    pub(super) fn took(&mut self, ms: u64) {
        let (answers, sum) = (self.round.0 + 1, self.round.1.saturating_add(ms));
        self.round = (answers, sum);
        if answers < self.limit {
            return;
        }
        let average = sum / answers as u64;
        self.round = (0, 0);
        self.rounds += 1;
        if self.rounds == ROUNDS_OF_LOWEST {
            (self.rounds, self.lowest_ms) = (0, None);
            self.is_growing = !self.was_throttled;
            self.limit = self.limit.min(FIRST_LIMIT);
            return;
        }
        let lowest = self.lowest_ms.map_or(average, |lowest| lowest.min(average));
        self.lowest_ms = Some(lowest);
        if average > 2 * lowest + SLACK_MS && self.limit > FIRST_LIMIT {
            (self.is_growing, self.successes) = (false, 0);
            self.limit = (self.limit / 4 * 3).max(FIRST_LIMIT);
        } else if self.is_growing {
            self.limit = (self.limit + self.limit / 4 + 1).min(self.most);
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Stored with each call, and passed to [`Self::throttled`].
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(super) fn succeeded(&mut self) {
        if self.limit == self.most {
            return;
        }
        self.successes += 1;
        if self.successes >= self.limit {
            self.successes = 0;
            self.limit += 1;
        }
    }

    pub(super) fn throttled(&mut self, sent_in_epoch: u64) {
        if sent_in_epoch == self.epoch {
            self.epoch += 1;
            (self.is_growing, self.was_throttled, self.successes) = (false, true, 0);
            self.limit = (self.limit / 2).max(1);
        }
    }
}

/// A token bucket that holds a tenth of a second's tokens, so that a rate limit is also smooth.
#[derive(Debug)]
pub(super) struct Rate {
    per_second: u64,
    /// In thousandths of a token, so that a millisecond adds `per_second` of them.
    level: u64,
    filled_at_ms: u64,
}

const TOKEN: u64 = 1000;

impl Rate {
    /// 0 is no limit.
    pub(super) fn new(per_second: u32) -> Self {
        let per_second = u64::from(per_second);
        Self { per_second, level: Self::most(per_second), filled_at_ms: 0 }
    }

    fn most(per_second: u64) -> u64 {
        (per_second * TOKEN / 10).max(TOKEN)
    }

    /// Takes a token, or returns when the next one is there.
    pub(super) fn take(&mut self, now_ms: u64) -> Result<(), u64> {
        if self.per_second == 0 {
            return Ok(());
        }
        let gained = now_ms.saturating_sub(self.filled_at_ms).saturating_mul(self.per_second);
        self.level = self.level.saturating_add(gained).min(Self::most(self.per_second));
        self.filled_at_ms = now_ms;
        if self.level >= TOKEN {
            self.level -= TOKEN;
            return Ok(());
        }
        Err(now_ms + (TOKEN - self.level).div_ceil(self.per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_throttles_halves_once() {
        let mut limit = Concurrency::new(64);
        let epoch = limit.epoch();
        for _ in 0..10 {
            limit.throttled(epoch);
        }
        assert_eq!(limit.limit(), 32);
        limit.throttled(limit.epoch());
        assert_eq!(limit.limit(), 16);
    }

    /// Rounds in which each call takes as long as `latency_ms` says of the limit. Returns the limits.
    fn rounds(limit: &mut Concurrency, count: usize, latency_ms: impl Fn(usize) -> u64) -> Vec<usize> {
        let round = |_| {
            for _ in 0..limit.limit() {
                limit.took(latency_ms(limit.limit()));
                limit.succeeded();
            }
            limit.limit()
        };
        (0..count).map(round).collect()
    }

    #[test]
    fn s4_the_limit_grows_to_the_most_while_the_latency_does_not_rise() {
        let mut limit = Concurrency::new(512);
        assert_eq!(limit.limit(), 64);
        assert_eq!(rounds(&mut limit, 12, |_| 40).last(), Some(&512));
    }

    #[test]
    fn s4_calls_that_would_only_wait_for_each_other_are_not_made() {
        let mut limit = Concurrency::new(512);
        // A service that answers 3,000 calls a second after 20 ms or more.
        let limits = rounds(&mut limit, 200, |calls| 20.max(calls as u64 * 1_000 / 3_000));
        let settled = &limits[50..];
        assert!(settled.iter().all(|limit| (64..=200).contains(limit)), "{settled:?}");
    }

    #[test]
    fn the_lowest_latency_is_measured_anew_from_time_to_time() {
        let mut limit = Concurrency::new(512);
        rounds(&mut limit, 100, |_| 5);
        let limits = rounds(&mut limit, ROUNDS_OF_LOWEST as usize, |_| 100);
        assert!(limits[50..3_000].iter().all(|limit| *limit < 200), "longer than it was");
        assert_eq!(limits.last(), Some(&512), "it has always been so long");
    }

    #[test]
    fn a_route_that_was_throttled_grows_by_one_in_a_round_for_good() {
        let mut limit = Concurrency::new(64);
        for _ in 0..4 {
            limit.throttled(limit.epoch());
        }
        let limits = rounds(&mut limit, ROUNDS_OF_LOWEST as usize - 1, |_| 20);
        assert_eq!(limits[..3], [5, 6, 7]);
        limit.throttled(limit.epoch());
        assert_eq!(rounds(&mut limit, 3, |_| 20), [33, 34, 35]);
    }

    #[test]
    fn a_limit_of_the_host_below_the_first_is_kept() {
        let mut limit = Concurrency::new(8);
        assert!(rounds(&mut limit, 100, |calls| calls as u64 * 100).iter().all(|limit| *limit == 8));
    }

    #[test]
    fn a_round_of_successes_adds_one_up_to_the_most() {
        let mut limit = Concurrency::new(4);
        limit.throttled(0);
        for _ in 0..2 {
            limit.succeeded();
        }
        assert_eq!(limit.limit(), 3);
        for _ in 0..100 {
            limit.succeeded();
        }
        assert_eq!(limit.limit(), 4);
    }

    #[test]
    fn rate_lets_through_what_it_says_and_names_the_time_of_the_next() {
        let mut rate = Rate::new(100);
        let mut now = 0;
        let mut taken = 0;
        while now < 10_000 {
            match rate.take(now) {
                Ok(()) => taken += 1,
                Err(at) => {
                    assert!(at > now);
                    now = at;
                }
            }
        }
        assert!((1_000..=1_010).contains(&taken), "{taken}");
    }

    #[test]
    fn one_a_second_is_possible() {
        let mut rate = Rate::new(1);
        assert_eq!(rate.take(0), Ok(()));
        assert_eq!(rate.take(0), Err(1_000));
        assert_eq!(rate.take(1_000), Ok(()));
    }
}
