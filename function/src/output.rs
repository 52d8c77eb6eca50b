//! The command's output: copied to the function's log as it comes, byte for byte; its end is kept for the result.

use crate::log;
use crate::tail::{Tail, TailText};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, Stderr, Stdout};
use tokio::net::unix::pipe::Receiver;

/// The default capacity of a pipe.
const CHUNK_BYTES: usize = 64 * 1024;
/// The largest capacity of a pipe without privileges. All output of the command itself fits into it; more output comes
/// from a process that the command left behind.
const DRAIN_BYTES: usize = 1024 * 1024;
/// How long the result waits for a log that nothing reads.
const LOG_PATIENCE: Duration = Duration::from_secs(1);

/// Both streams of a command, and the end of their output in the order in which it was read.
pub(crate) struct Output {
    stdout: Option<Receiver>,
    stderr: Option<Receiver>,
    tail: Tail,
    log: Log,
    chunk: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Stream {
    Stdout,
    Stderr,
}

impl Output {
    /// Takes over the pipes. Keeps the last `tail_bytes`.
    pub(crate) fn new(stdout: Option<OwnedFd>, stderr: Option<OwnedFd>, tail_bytes: usize) -> std::io::Result<Self> {
        let receiver = |pipe: Option<OwnedFd>| pipe.map(Receiver::from_owned_fd).transpose();
        Ok(Self {
            stdout: receiver(stdout)?,
            stderr: receiver(stderr)?,
            tail: Tail::new(tail_bytes),
            log: Log {
                stdout: tokio::io::stdout(),
                stderr: tokio::io::stderr(),
                pending: Vec::new(),
                written: 0,
                to: Stream::Stdout,
            },
            chunk: vec![0; CHUNK_BYTES],
        })
    }

    /// Copies output; returns when both streams are closed. May be dropped at any await and called again: nothing is
    /// lost or copied twice.
    pub(crate) async fn pump(&mut self) {
        loop {
            self.log.write_pending().await;
            let from = match (&self.stdout, &self.stderr) {
                (None, None) => return,
                (Some(pipe), None) => ready(pipe, Stream::Stdout).await,
                (None, Some(pipe)) => ready(pipe, Stream::Stderr).await,
                (Some(stdout), Some(stderr)) => tokio::select! {
                    stream = ready(stdout, Stream::Stdout) => stream,
                    stream = ready(stderr, Stream::Stderr) => stream,
                },
            };
            let pipe = match from {
                Stream::Stdout => &mut self.stdout,
                Stream::Stderr => &mut self.stderr,
            };
            let Some(open) = pipe else { continue };
            match open.try_read(&mut self.chunk) {
                Ok(0) => *pipe = None,
                Ok(length) => {
                    let bytes = &self.chunk[..length];
                    self.tail.push(bytes);
                    self.log.queue(from, bytes);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => *pipe = None,
            }
        }
    }

    /// Reads the output that the command wrote before it ended, and no more: a process that it left behind may keep the
    /// pipes open for ever. Returns the end of the output, and how much there was.
    pub(crate) async fn finish(mut self) -> TailText {
        let mut rest = Vec::new();
        for (pipe, stream) in [(self.stdout.take(), Stream::Stdout), (self.stderr.take(), Stream::Stderr)] {
            let bytes = pipe.map(drain).unwrap_or_default();
            self.tail.push(&bytes);
            rest.push((stream, bytes));
        }
        let log = &mut self.log;
        let write = async {
            log.write_pending().await;
            for (stream, bytes) in rest {
                log.queue(stream, &bytes);
                log.write_pending().await;
            }
        };
        if tokio::time::timeout(LOG_PATIENCE, write).await.is_err() {
            log::write(log::Level::Warn, "the log accepts no more output; the rest of it is dropped", &[]);
        }
        self.tail.into_text()
    }
}

async fn ready(pipe: &Receiver, stream: Stream) -> Stream {
    // The read that follows reports the error.
    let _ = pipe.readable().await;
    stream
}

fn drain(pipe: Receiver) -> Vec<u8> {
    // Read directly: tokio may not know yet that the pipe is readable.
    let Ok(fd) = pipe.into_nonblocking_fd() else { return Vec::new() };
    let mut bytes = Vec::new();
    // Ends at the end of the stream, the limit, or `WouldBlock`; what was read stays.
    let _ = File::from(fd).take(DRAIN_BYTES as u64).read_to_end(&mut bytes);
    bytes
}

/// Our own stdout and stderr, with what is still to be written to one of them.
struct Log {
    stdout: Stdout,
    stderr: Stderr,
    pending: Vec<u8>,
    written: usize,
    to: Stream,
}

impl Log {
    /// Call it only when nothing is pending.
    fn queue(&mut self, to: Stream, bytes: &[u8]) {
        self.pending.clear();
        self.pending.extend_from_slice(bytes);
        self.written = 0;
        self.to = to;
    }

    /// Writes on another thread, so that a slow log delays neither time limits nor the result. May be dropped and
    /// called again.
    async fn write_pending(&mut self) {
        while self.written < self.pending.len() {
            let rest = &self.pending[self.written..];
            let result = match self.to {
                Stream::Stdout => self.stdout.write(rest).await,
                Stream::Stderr => self.stderr.write(rest).await,
            };
            match result {
                Ok(length) if length > 0 => self.written += length,
                // Our own log is closed. The command continues.
                _ => self.written = self.pending.len(),
            }
        }
        let _ = match self.to {
            Stream::Stdout => self.stdout.flush().await,
            Stream::Stderr => self.stderr.flush().await,
        };
    }
}
