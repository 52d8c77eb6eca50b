//! The time of the system.

use crate::executor::ports::{Clock, Now};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Both clocks of the system. Sleeps on the runtime.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// The monotonic clock is 0 now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let mono_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now { mono_ms, unix_ms: unix_ms() }
    }

    async fn sleep_until(&self, mono_ms: u64) {
        match self.start.checked_add(Duration::from_millis(mono_ms)) {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => std::future::pending().await,
        }
    }
}

/// Milliseconds since 1970; 0 if the system's clock is before that.
pub fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
