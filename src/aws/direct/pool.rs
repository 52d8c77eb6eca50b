//! Idle connections of one address. The connection that was used last is used first, so that those of a burst reach
//! their limit.

use super::connection::Connection;
use crate::aws::http::IDLE_LIMIT;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Connections that have ended, and those that were idle for too long, are closed so often.
const SWEEP: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct Pool {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The one that was used last is at the end.
    idle: Vec<Connection>,
    is_swept: bool,
}

impl Pool {
    /// A connection that was used before.
    pub(super) fn take(&self) -> Option<Connection> {
        loop {
            let mut connection = self.lock().idle.pop()?;
            if connection.idle() < IDLE_LIMIT && connection.is_usable() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next request, if it can carry one.
    pub(super) fn put(self: &Arc<Self>, mut connection: Connection) {
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
        let closed: Vec<Connection> = inner.idle.extract_if(.., |connection| !usable(connection)).collect();
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
