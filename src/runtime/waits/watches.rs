//! Ends of watched tasks. Each wait has a descriptor of its own, so that none can take the signal of another, and clears
//! it before each look at its task: an end after the look sets it again.

use crate::runtime::eventfd::EventFd;
use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The waits for tasks of one handle.
#[derive(Debug, Default)]
pub(super) struct Watches {
    waits: Mutex<Vec<Arc<EventFd>>>,
}

impl Watches {
    /// A wait begins.
    pub(super) fn begin(&self) -> io::Result<Watch<'_>> {
        let ended = Arc::new(EventFd::new()?);
        self.lock().push(Arc::clone(&ended));
        Ok(Watch { watches: self, ended })
    }

    /// A watched task has ended: every wait looks again.
    pub(super) fn task_ended(&self) {
        self.lock().iter().for_each(|wait| wait.set());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<EventFd>>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The descriptor of a wait in progress.
#[derive(Debug)]
pub struct Watch<'a> {
    watches: &'a Watches,
    ended: Arc<EventFd>,
}

impl Deref for Watch<'_> {
    type Target = EventFd;

    fn deref(&self) -> &EventFd {
        &self.ended
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.watches.lock().retain(|wait| !Arc::ptr_eq(wait, &self.ended));
    }
}
