//! A connection's bytes, watched: what was written of the present request, and read of its answer, decides whether AWS
//! may have seen it.

use super::connect::Io;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How far the present request of a connection has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    written: AtomicBool,
    read: AtomicBool,
    used_up: AtomicBool,
}

impl Progress {
    /// Another request begins.
    pub(super) fn begin(&self) {
        self.written.store(false, Relaxed);
        self.read.store(false, Relaxed);
    }

    /// Whether a byte of the request has been written.
    pub(super) fn has_written(&self) -> bool {
        self.written.load(Relaxed)
    }

    /// The connection carries no further request.
    pub(super) fn use_no_more(&self) {
        self.used_up.store(true, Relaxed);
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.used_up.load(Relaxed)
    }

    /// Whether a byte of the answer has been read.
    pub(super) fn has_read(&self) -> bool {
        self.read.load(Relaxed)
    }
}

/// The connection.
pub(super) struct Watched {
    io: Box<dyn Io>,
    progress: Arc<Progress>,
}

impl Watched {
    pub(super) fn new(io: Box<dyn Io>, progress: Arc<Progress>) -> Self {
        Self { io, progress }
    }

    fn wrote(&self, count: usize) {
        if count > 0 {
            self.progress.written.store(true, Relaxed);
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.progress.read.store(true, Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.io).poll_write(cx, buf))?;
        self.wrote(count);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs))?;
        self.wrote(count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
