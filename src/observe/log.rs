//! The log of a handle: records are made anywhere, and written or handed to the host by one thread of its own, so that
//! no work waits for a slow reader.
//!
//! There is no global subscriber, which would be the host's to set: each of our threads has the handle's own. Our
//! records pass at the level asked for, those of others (the AWS SDK, HTTP) at WARN at most: below that they hold
//! requests with their tokens.

mod line;
mod subscriber;

use crate::runtime::{panics, signals};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;
use subscriber::Subscriber;
use tracing::{Dispatch, dispatcher};

pub use tracing::Level;

/// Records that may wait to be written. Beyond that they are dropped and counted.
const CAPACITY: usize = 1024;

/// What the sink gets to return when a log ends without [`Log::stop`].
const PATIENCE: Duration = Duration::from_millis(500);

/// One record.
#[derive(Clone, Debug)]
pub struct Record {
    /// How much it matters.
    pub level: Level,
    /// When, in Unix ms.
    pub time_ms: i64,
    /// The module it comes from.
    pub target: String,
    /// What happened, with its fields as `key=value`.
    pub message: String,
}

/// Where records go.
pub enum Sink {
    /// One line each on stderr.
    Stderr,
    /// To the host. Called from the log's thread only.
    Host(Box<dyn Fn(&Record) + Send>),
}

/// The log of one handle. Its thread ends with it, or before with [`Log::stop`].
pub struct Log {
    shared: Arc<Shared>,
    dispatch: Dispatch,
    /// `None` once it has been stopped.
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Known also while the log is being stopped.
    thread_id: ThreadId,
    /// Disconnected when the thread has ended. Behind a lock only because the log is shared between threads.
    ended: Mutex<Receiver<()>>,
}

/// What makers of records and the log's thread share.
struct Shared {
    /// A [`Level`] as a number, 0 for none.
    level: AtomicU8,
    /// `None` once the log has been stopped.
    records: Mutex<Option<SyncSender<Record>>>,
    dropped: AtomicU64,
    /// The log was stopped without its sink: what still waits is not handed over.
    abandoned: AtomicBool,
    /// Held while a record is handed over: whoever replaces the sink waits until the old one is not in use.
    sink: Mutex<Sink>,
    /// A new sink that the old one itself has asked for.
    next_sink: Mutex<Option<Sink>>,
}

impl Log {
    /// Starts the thread, which writes to stderr. The caller has blocked all signals.
    pub fn start(level: Option<Level>) -> io::Result<Self> {
        let (records, to_write) = mpsc::sync_channel(CAPACITY);
        let shared = Arc::new(Shared {
            level: AtomicU8::new(subscriber::number(level)),
            records: Mutex::new(Some(records)),
            dropped: AtomicU64::new(0),
            abandoned: AtomicBool::new(false),
            sink: Mutex::new(Sink::Stderr),
            next_sink: Mutex::new(None),
        });
        let (ending, ended) = mpsc::channel();
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new().name("lmbx-log".into()).spawn(move || {
            signals::AllBlocked::for_good();
            panics::this_thread_is_ours();
            // Dropped last, by which `stop` learns that the thread ends.
            let _ending: mpsc::Sender<()> = ending;
            theirs.write_all(&to_write);
        })?;
        Ok(Self {
            dispatch: Dispatch::new(Subscriber::new(Arc::clone(&shared))),
            shared,
            thread_id: thread.thread().id(),
            thread: Mutex::new(Some(thread)),
            ended: Mutex::new(ended),
        })
    }

    /// For threads of the handle, for as long as they run.
    pub fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }

    /// Runs `body` on a thread of the host, its records in this log.
    pub fn on_this_thread<T>(&self, body: impl FnOnce() -> T) -> T {
        dispatcher::with_default(&self.dispatch, body)
    }

    /// Sends records elsewhere from now on. When this returns, the sink before it is not in use any more; asked for by
    /// that sink itself, as soon as it returns.
    pub fn send_to(&self, sink: Sink, level: Option<Level>) {
        if self.is_this_thread() {
            *lock(&self.shared.next_sink) = Some(sink);
        } else {
            *lock(&self.shared.sink) = sink;
        }
        self.shared.level.store(subscriber::number(level), Ordering::Relaxed);
    }

    /// Writes what waits and ends the thread. A sink that does not return within `patience` is left behind with it, and
    /// is not called again. False if that happened: the sink may still be running.
    pub fn stop(&self, patience: Duration) -> bool {
        let by_the_sink = self.is_this_thread();
        let Some(thread) = lock(&self.thread).take() else { return true };
        // The thread ends when nobody can send records any more.
        lock(&self.shared.records).take();
        let late = lock(&self.ended).recv_timeout(patience) == Err(RecvTimeoutError::Timeout);
        if late {
            self.shared.abandoned.store(true, Ordering::Relaxed);
        }
        // A sink that frees its own handle cannot be waited for.
        if !late && !by_the_sink {
            let _ = thread.join();
            // The host's function and what it owns are not needed any more, and the log may live on.
            *lock(&self.shared.sink) = Sink::Stderr;
        }
        !late
    }

    fn is_this_thread(&self) -> bool {
        self.thread_id == thread::current().id()
    }
}

/// Where `create` fails after the log was started.
impl Drop for Log {
    fn drop(&mut self) {
        self.stop(PATIENCE);
    }
}

impl Shared {
    /// From any thread; never waits.
    fn take(&self, record: Record) {
        let sent = match &*lock(&self.records) {
            Some(records) => records.try_send(record),
            None => return,
        };
        if matches!(sent, Err(TrySendError::Full(_))) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn write_all(&self, records: &Receiver<Record>) {
        while let Ok(record) = records.recv() {
            let dropped = self.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                self.write(&Record {
                    level: Level::WARN,
                    time_ms: record.time_ms,
                    target: module_path!().into(),
                    message: format!("{dropped} log records were dropped: their reader was too slow"),
                });
            }
            self.write(&record);
        }
    }

    fn write(&self, record: &Record) {
        let mut sink = lock(&self.sink);
        // Asked before each call: the host may have let go of what the sink needs while the last one ran.
        if self.abandoned.load(Ordering::SeqCst) {
            return;
        }
        // A sink that panics loses a record, not the log.
        let _ = panics::catch(|| match &*sink {
            // Nobody is left to be told of what goes wrong here.
            Sink::Stderr => drop(io::stderr().write_all(line::of(record).as_bytes())),
            Sink::Host(take) => take(record),
        });
        if let Some(next) = lock(&self.next_sink).take() {
            *sink = next;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
