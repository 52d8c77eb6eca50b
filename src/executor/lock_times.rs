//! How long the state machine's lock is held. Compiled for tests and with the feature `lock-times` only: a shipped
//! library does not measure its lock.

use crate::metrics::histogram::Histogram;
use std::ops::{Deref, DerefMut};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

static HOLDS: LazyLock<Mutex<Holds>> = LazyLock::new(Mutex::default);
static THREAD_CPU: OnceLock<fn() -> Duration> = OnceLock::new();

/// The holds of all executors of the process.
#[derive(Debug, Default)]
pub struct Holds {
    /// Time from lock to unlock, in ns.
    pub wall: Histogram,
    /// CPU time of the holding thread, in ns: without the time for which the system ran other threads in its place.
    /// Empty before [`set_thread_cpu`].
    pub cpu: Histogram,
}

/// `clock` returns the CPU time that the calling thread has used. Only the first call counts.
pub fn set_thread_cpu(clock: fn() -> Duration) {
    let _ = THREAD_CPU.set(clock);
}

/// The holds since the last call.
pub fn take() -> Holds {
    std::mem::take(&mut HOLDS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A guard of the lock. Its time is recorded just before the unlock.
pub(super) struct Timed<G> {
    // Dropped in this order.
    _time: Time,
    guard: G,
}

struct Time {
    wall: Instant,
    cpu: Option<Duration>,
}

impl<G> Timed<G> {
    pub(super) fn new(guard: G) -> Self {
        Self { _time: Time { wall: Instant::now(), cpu: thread_cpu() }, guard }
    }
}

impl<G: Deref> Deref for Timed<G> {
    type Target = G::Target;

    fn deref(&self) -> &G::Target {
        &self.guard
    }
}

impl<G: DerefMut> DerefMut for Timed<G> {
    fn deref_mut(&mut self) -> &mut G::Target {
        &mut self.guard
    }
}

impl Drop for Time {
    fn drop(&mut self) {
        let (wall, cpu) = (self.wall.elapsed(), thread_cpu());
        let mut holds = HOLDS.lock().unwrap_or_else(PoisonError::into_inner);
        holds.wall.record(nanoseconds(wall));
        if let (Some(before), Some(cpu)) = (self.cpu, cpu) {
            holds.cpu.record(nanoseconds(cpu.saturating_sub(before)));
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn thread_cpu() -> Option<Duration> {
    THREAD_CPU.get().map(|clock| clock())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_recorded_when_the_guard_is_dropped() {
        let lock = Mutex::new(0);
        let began = Instant::now();
        let mut guard = Timed::new(lock.lock().unwrap());
        while began.elapsed() < Duration::from_millis(100) {
            *guard += 1;
        }
        drop(guard);
        // Other tests of this process may have recorded holds, too.
        let longest = take().wall.max();
        assert!(longest >= 90_000_000, "{longest} ns");
        assert!(lock.try_lock().is_ok(), "the lock is free again");
    }
}
