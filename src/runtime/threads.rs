//! The runtime of a handle: its threads are named, take no signals, and log to the handle's log.

use super::{panics, signals};
use std::cell::RefCell;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::{Builder, Runtime};
use tracing::Dispatch;
use tracing::dispatcher::{DefaultGuard, set_default};

/// Threads for what blocks: looking up names. More would not look them up faster.
const MAX_BLOCKING: usize = 8;

thread_local! {
    static LOGS_TO: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
}

/// Starts `workers` threads. The caller has blocked all signals, so that they start that way.
pub fn start(workers: usize, log: &Dispatch) -> io::Result<Runtime> {
    let number = AtomicUsize::new(0);
    let log = log.clone();
    Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(MAX_BLOCKING)
        // The kernel shows 15 bytes.
        .thread_name_fn(move || format!("lmbx-{}", number.fetch_add(1, Ordering::Relaxed)))
        .on_thread_start(move || {
            // Blocking threads are started later, by whichever thread has need of them.
            signals::AllBlocked::for_good();
            panics::this_thread_is_ours();
            LOGS_TO.set(Some(set_default(&log)));
        })
        .on_thread_stop(|| drop(LOGS_TO.take()))
        .enable_io()
        .enable_time()
        .build()
}
