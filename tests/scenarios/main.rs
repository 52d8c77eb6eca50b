//! Complete scenarios with the local Lambda and SQS: several schedulers on one results queue, outages, and credentials
//! that expire. Each takes seconds; `LAMBDA_EXECUTOR_SOAK=1` (`make soak`) gives them realistic durations.

mod away;
mod executors;
mod shared_queue;
mod world;

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Runs the scenarios one after another, so that their figures are comparable.
fn alone() -> MutexGuard<'static, ()> {
    static STAGE: Mutex<()> = Mutex::new(());
    STAGE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints a line even for scenarios that pass; the test harness hides their `println!`.
fn print(line: &str) {
    let mut out = std::io::stderr();
    let _ = writeln!(out, "{line}");
}
