//! How many Invokes may start in a second.

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
