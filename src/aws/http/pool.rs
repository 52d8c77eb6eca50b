//! Idle connections of one address. The connection that was used last is used first, so that those of a burst reach
//! their limit.

use super::connection::Connection;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Connections are kept for so long without a request.
const IDLE_LIMIT: Duration = Duration::from_secs(90);
/// Connections that have ended, and those that were idle for too long, are closed so often.
const SWEEP: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct Pool {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The one that was used last is at the end.
    #[expect(clippy::vec_box, reason = "each request moves a connection out and in")]
    idle: Vec<Box<Connection>>,
    is_swept: bool,
}

impl Pool {
    /// A connection that was used before.
    pub(super) fn take(&self) -> Option<Box<Connection>> {
        loop {
            let mut connection = self.lock().idle.pop()?;
            if connection.idle() < IDLE_LIMIT && connection.is_usable() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next request, if it can carry one.
    pub(super) fn put(self: &Arc<Self>, mut connection: Box<Connection>) {
        if !connection.is_usable() {
            return;
        }
        connection.becomes_idle();
        let mut inner = self.lock();
        inner.idle.push(connection);
        if !std::mem::replace(&mut inner.is_swept, true) {
            let pool = Arc::downgrade(self);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(SWEEP).await;
                    match pool.upgrade() {
                        Some(pool) if pool.sweep() => {}
                        _ => return,
                    }
                }
            });
        }
    }

    /// Returns whether there are idle connections left.
    fn sweep(&self) -> bool {
        let mut inner = self.lock();
        let usable = |connection: &mut Connection| connection.idle() < IDLE_LIMIT && connection.is_usable();
        let closed: Vec<Box<Connection>> = inner.idle.extract_if(.., |connection| !usable(connection)).collect();
        inner.is_swept = !inner.idle.is_empty();
        let is_swept = inner.is_swept;
        drop(inner);
        drop(closed);
        is_swept
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, DuplexStream};
    use tokio::time::advance;

    /// A pool with one connection, and the server's end of it.
    async fn pool_of_one() -> (Arc<Pool>, DuplexStream) {
        let (client, server) = tokio::io::duplex(64);
        let pool = Arc::<Pool>::default();
        pool.put(Connection::new(Box::new(client)).await.unwrap());
        (pool, server)
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_kept_for_the_idle_limit() {
        let (pool, _server) = pool_of_one().await;
        advance(IDLE_LIMIT - Duration::from_secs(1)).await;
        // Use restarts the idle time.
        let used = pool.take().expect("kept");
        pool.put(used);
        advance(IDLE_LIMIT - Duration::from_secs(1)).await;
        assert!(pool.take().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_idle_for_too_long_is_closed_and_not_used() {
        let (pool, mut server) = pool_of_one().await;
        let began = tokio::time::Instant::now();
        // Ends when the pool closes its end, although no call takes a connection.
        assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
        let closed_after = began.elapsed();
        assert!((IDLE_LIMIT..=IDLE_LIMIT + SWEEP).contains(&closed_after), "{closed_after:?}");
        assert!(pool.take().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_old_is_not_used_even_before_it_is_swept() {
        let (pool, _server) = pool_of_one().await;
        // Does not let the sweeper run.
        advance(IDLE_LIMIT).await;
        assert_eq!(pool.lock().idle.len(), 1);
        assert!(pool.take().is_none());
    }
}
