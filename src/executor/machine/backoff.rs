//! How long to wait before trying again, with jitter from a small seeded generator so that a history replays.

/// SplitMix64: tiny, seedable, good enough to spread retries.
#[derive(Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number in `0..=bound`.
    pub(super) fn up_to(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        z % bound.saturating_add(1).max(1)
    }

    /// `full_ms` times a factor from 0.75 to 1.0: spread, and never longer than promised.
    pub(super) fn spread(&mut self, full_ms: u64) -> u64 {
        full_ms - self.up_to(full_ms / 4)
    }
}

/// Airflow's contract: `min(4^n, 120)` s after failed attempt number n.
pub(super) fn contract_ms(attempt: u32) -> u64 {
    4u64.checked_pow(attempt).unwrap_or(u64::MAX).min(120) * 1000
}

/// `first_ms` doubled with each failure in a row (the first is number 1), at most `most_ms`.
pub(super) fn doubling_ms(first_ms: u64, failures: u32, most_ms: u64) -> u64 {
    let doublings = failures.saturating_sub(1).min(32);
    first_ms.saturating_mul(1 << doublings).min(most_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contract_is_4_16_64_120_seconds() {
        assert_eq!([1, 2, 3, 4, 40].map(contract_ms), [4_000, 16_000, 64_000, 120_000, 120_000]);
    }

    #[test]
    fn jitter_stays_between_three_quarters_and_all() {
        let mut jitter = Jitter::new(7);
        for _ in 0..10_000 {
            let wait = jitter.spread(4_000);
            assert!((3_000..=4_000).contains(&wait), "{wait}");
        }
    }

    #[test]
    fn doubling_starts_at_the_first_and_is_capped() {
        assert_eq!([1, 2, 3, 10, 99].map(|n| doubling_ms(500, n, 30_000)), [500, 1_000, 2_000, 30_000, 30_000]);
    }
}
