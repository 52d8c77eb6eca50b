//! The time: Unix milliseconds that never go back, and that follow tokio's clock, so that tests can move it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Reads the time once from the system's clock and counts on from there.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    start_unix_ms: u64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), start_unix_ms: u64::try_from(unix.as_millis()).unwrap_or(0) }
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
