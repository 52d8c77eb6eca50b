//! A clock in Unix milliseconds that never goes back. It follows tokio's clock, so that tests can move it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// The system's clock in Unix ms, as other processes see it. Unlike a [`Clock`] it continues while the machine sleeps.
pub(crate) fn system_time() -> u64 {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(unix.as_millis()).unwrap_or(0)
}

/// Reads the time once from the system's clock and counts on from there.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    start_unix_ms: u64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), start_unix_ms: system_time() }
    }

    /// Milliseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        let passed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.start_unix_ms.saturating_add(passed)
    }

    /// When the clock will first show `unix_ms`.
    pub(crate) fn instant(&self, unix_ms: u64) -> Instant {
        let after_start = Duration::from_millis(unix_ms.saturating_sub(self.start_unix_ms));
        self.start.checked_add(after_start).unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_systems_time_does_not_depend_on_the_clock() {
        let clock = Clock::new();
        tokio::time::advance(Duration::from_secs(3600)).await;
        let ahead = clock.now().abs_diff(system_time());
        assert!(ahead > 3_000_000, "the clock is {ahead} ms ahead");
    }
}
