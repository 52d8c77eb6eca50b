//! The runtimes of a handle: their threads have names and take no signals.

use super::{panics, signals};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::{Builder, Runtime};

/// Threads for calls that block, which are lookups of host names. More threads would not make them faster.
const MAX_BLOCKING: usize = 8;

/// Starts `workers` threads named `lmbx-NAME` and a number, each of which first calls `on_start`. The caller has blocked
/// all signals, so that the threads start with all blocked.
pub fn start(name: &'static str, workers: usize, on_start: impl Fn() + Send + Sync + 'static) -> io::Result<Runtime> {
    let number = AtomicUsize::new(0);
    Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(MAX_BLOCKING)
        // The kernel shows 15 bytes.
        .thread_name_fn(move || format!("lmbx-{name}{}", number.fetch_add(1, Ordering::Relaxed)))
        .on_thread_start(move || {
            // Blocking threads are started later, by any thread that needs one.
            signals::AllBlocked::for_good();
            panics::mark_thread();
            on_start();
        })
        .enable_io()
        .enable_time()
        .build()
}
