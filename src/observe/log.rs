//! The log of a handle. Any thread makes records; one thread of the log writes them or passes them to the host, so that
//! no other work waits for a slow reader.
//!
//! Records of this library have the level that the host asked for; those of other parts (the AWS SDK, HTTP) are
//! recorded at ERROR only, since below that they may hold requests with their credentials.

mod line;
mod route;

use crate::runtime::stderr::Stderr;
use crate::runtime::{panics, signals};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

pub use tracing::Level;

/// Records that may wait to be written. Beyond that they are dropped and counted.
const CAPACITY: usize = 1024;

/// How long a log that ends without [`Log::stop`] waits for its sink.
const PATIENCE: Duration = Duration::from_millis(500);

/// One record.
#[derive(Clone, Debug)]
pub struct Record {
    /// How serious it is.
    pub level: Level,
    /// When it was made, in Unix ms.
    pub time_ms: i64,
    /// The module that made it.
    pub target: String,
    /// What happened, followed by the fields as `key=value`.
    pub message: String,
}

/// Where records go.
pub enum Sink {
    /// One line each on the stderr that the process had when the log was started.
    Stderr,
    /// To the host. Called from the log's thread only.
    Host(Box<dyn Fn(&Record) + Send>),
}

/// The log of one handle. Its thread ends with [`Log::stop`], or when the log is dropped.
pub struct Log {
    source: Arc<Source>,
    writer: Arc<Writer>,
    /// `None` once it has been stopped.
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Known also while the log is being stopped.
    thread_id: ThreadId,
    /// Disconnected when the thread has ended. Behind a lock only because the log is shared between threads.
    ended: Mutex<Receiver<()>>,
}

/// Takes records from any thread. Threads may keep it after the log has ended, so it holds nothing of the host.
struct Source {
    /// A [`Level`] as a number, 0 for none.
    level: AtomicU8,
    /// `None` once the log has been stopped.
    records: Mutex<Option<SyncSender<Record>>>,
    dropped: Arc<AtomicU64>,
}

/// What the log's thread shares with [`Log`].
struct Writer {
    dropped: Arc<AtomicU64>,
    /// The log was stopped before its sink returned: the remaining records are discarded.
    abandoned: AtomicBool,
    /// Held while a record is handed over, so that replacing the sink waits until the old one is not in use.
    sink: Mutex<Sink>,
    /// A new sink that was set from within the old one.
    next_sink: Mutex<Option<Sink>>,
    stderr: Stderr,
}

impl Log {
    /// Starts the thread, which writes to `stderr`. The caller has blocked all signals.
    pub fn start(level: Option<Level>, stderr: Stderr) -> io::Result<Self> {
        route::prepare();
        let (records, to_write) = mpsc::sync_channel(CAPACITY);
        let dropped = Arc::new(AtomicU64::new(0));
        let source = Arc::new(Source {
            level: AtomicU8::new(number(level)),
            records: Mutex::new(Some(records)),
            dropped: Arc::clone(&dropped),
        });
        let writer = Arc::new(Writer {
            dropped,
            abandoned: AtomicBool::new(false),
            sink: Mutex::new(Sink::Stderr),
            next_sink: Mutex::new(None),
            stderr,
        });
        let (ending, ended) = mpsc::channel();
        let of_thread = Arc::clone(&writer);
        let thread = thread::Builder::new().name("lmbx-log".into()).spawn(move || {
            signals::AllBlocked::for_good();
            panics::mark_thread();
            // Dropped last: this is how `stop` learns that the thread ends.
            let _ending: mpsc::Sender<()> = ending;
            of_thread.write_all(&to_write);
        })?;
        Ok(Self {
            source,
            writer,
            thread_id: thread.thread().id(),
            thread: Mutex::new(Some(thread)),
            ended: Mutex::new(ended),
        })
    }

    /// A function that sends the records of the thread that calls it to this log, for the rest of the thread's life.
    /// For threads that run only our code.
    pub fn thread_starter(&self) -> impl Fn() + Send + Sync + 'static {
        let source = Arc::clone(&self.source);
        move || route::attach(&source)
    }

    /// Runs `body` on a thread of the host; its records go to this log.
    pub fn on_this_thread<T>(&self, body: impl FnOnce() -> T) -> T {
        route::with(&self.source, body)
    }

    /// Sends records to another sink from now on. When this returns, the sink before it is not in use any more; if the
    /// sink itself calls this, it is replaced when it returns.
    pub fn send_to(&self, sink: Sink, level: Option<Level>) {
        if self.is_this_thread() {
            *lock(&self.writer.next_sink) = Some(sink);
        } else {
            *lock(&self.writer.sink) = sink;
        }
        self.source.level.store(number(level), Ordering::Relaxed);
    }

    /// Writes the waiting records and ends the thread. A sink that does not return within `patience` is abandoned with
    /// its thread, and is not called again. False if that happened: the sink may still be running.
    pub fn stop(&self, patience: Duration) -> bool {
        let by_the_sink = self.is_this_thread();
        let Some(thread) = lock(&self.thread).take() else { return true };
        // The thread ends when there is no sender any more.
        lock(&self.source.records).take();
        let late = lock(&self.ended).recv_timeout(patience) == Err(RecvTimeoutError::Timeout);
        if late {
            self.writer.abandoned.store(true, Ordering::Relaxed);
        }
        // A sink that frees its own handle cannot be waited for.
        if !late && !by_the_sink {
            let _ = thread.join();
            // The host's function and what it owns are not needed any more, and the log may live on.
            *lock(&self.writer.sink) = Sink::Stderr;
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

impl Source {
    fn wants(&self, level: Level) -> bool {
        number(Some(level)) <= self.level.load(Ordering::Relaxed)
    }

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
}

impl Writer {
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
        // Checked before each call: the host may have released what the sink uses during the last one.
        if self.abandoned.load(Ordering::SeqCst) {
            return;
        }
        // A sink that panics loses a record, not the log.
        let _ = panics::catch(|| match &*sink {
            Sink::Stderr => self.stderr.write(line::of(record).as_bytes()),
            Sink::Host(take) => take(record),
        });
        if let Some(next) = lock(&self.next_sink).take() {
            *sink = next;
        }
    }
}

/// A level as a number: 0 for none, the larger the more verbose.
fn number(level: Option<Level>) -> u8 {
    match level {
        None => 0,
        Some(Level::ERROR) => 1,
        Some(Level::WARN) => 2,
        Some(Level::INFO) => 3,
        Some(Level::DEBUG) => 4,
        Some(Level::TRACE) => 5,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
