//! Whole stories over the local Lambda and SQS: several schedulers on one results queue, services that go away, and
//! credentials that expire. Each is bounded to seconds; `LAMBDA_EXECUTOR_SOAK=1` makes them as long as in life, and
//! `make soak` runs them so.

mod away;
mod executors;
mod shared_queue;
mod world;

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Figures are comparable only if the stories run one after another.
fn alone() -> MutexGuard<'static, ()> {
    static STAGE: Mutex<()> = Mutex::new(());
    STAGE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shown also for stories that end well, whose `println!` the test harness keeps to itself.
fn print(line: &str) {
    let mut out = std::io::stderr();
    let _ = writeln!(out, "{line}");
}
