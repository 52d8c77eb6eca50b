//! The runtimes of a handle: their threads have names and take no signals.

use super::address_space::Spare;
use super::{panics, signals};
use std::hint;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// Threads for calls that block, which are lookups of host names and programs that print credentials. More threads
/// would not make them faster.
const MAX_BLOCKING: usize = 4;
/// A blocking thread is started with the runtime and stays: with none, a lookup of a name panics while the system
/// refuses new threads.
const FOR_GOOD: Duration = Duration::from_secs(u32::MAX as u64);
/// For [`check_room`]: the kernel takes microseconds to count a thread as ended.
const ENDS_WITHIN: Duration = Duration::from_secs(1);

/// Threads that [`start`] starts at once.
pub const fn started_with(workers: usize) -> usize {
    workers + 1
}

/// Starts `workers` threads named `lmbx-NAME` and a number, and one more for calls that block. Each first calls
/// `on_start`. The caller has blocked all signals, so that the threads start with all blocked, and has called
/// [`check_room`].
pub fn start(name: &'static str, workers: usize, on_start: impl Fn() + Send + Sync + 'static) -> io::Result<Runtime> {
    let number = AtomicUsize::new(0);
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(MAX_BLOCKING)
        .thread_keep_alive(FOR_GOOD)
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
        .build()?;
    drop(runtime.spawn_blocking(|| ()));
    Ok(runtime)
}

/// Fails unless the system lets this process start `number` more threads now: RLIMIT_NPROC and the cgroup's pids.max
/// limit them, and RLIMIT_AS their stacks. Tokio panics where it cannot start one, and then waits for ever for those
/// that it has started. Also fails unless addresses are left for what they allocate.
pub fn check_room(number: usize) -> io::Result<()> {
    let _spare = Spare::hold()?;
    let started: io::Result<Vec<_>> = (0..number).map(|_| Waiting::start()).collect();
    started.map(drop)
}

/// A thread that does nothing. Dropping it ends it.
struct Waiting {
    /// Dropped first: the thread ends.
    end: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<Option<PathBuf>>>,
}

impl Waiting {
    fn start() -> io::Result<Self> {
        let (end, ended) = mpsc::channel::<()>();
        let (ready, started) = mpsc::channel();
        let wait = move || {
            // A thread's first allocation reserves addresses for its later ones. The next thread inherits them.
            _ = ready.send(hint::black_box(Box::new(0u8)));
            // Fails once the sender is dropped.
            _ = ended.recv();
            std::fs::read_link("/proc/thread-self").ok().map(|own| Path::new("/proc").join(own))
        };
        // With the stack of a thread of Tokio, which the C library keeps for that one.
        let thread = thread::Builder::new().name("lmbx-probe".into()).spawn(wait)?;
        _ = started.recv();
        Ok(Self { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.end = None;
        let Some(Ok(Some(shown_as))) = self.thread.take().map(thread::JoinHandle::join) else { return };
        // A thread that was joined may still count towards the limits until it has left /proc.
        let until = Instant::now() + ENDS_WITHIN;
        while shown_as.exists() && Instant::now() < until {
            thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threads_that_look_for_room_have_ended() {
        check_room(5).unwrap();
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let names = tasks.filter_map(|entry| std::fs::read_to_string(entry.unwrap().path().join("comm")).ok());
        assert_eq!(names.filter(|name| name.starts_with("lmbx-probe")).count(), 0);
    }
}
