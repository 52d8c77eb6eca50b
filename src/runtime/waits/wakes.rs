//! Wake-ups: each ends every wait in progress, or the next one, and is then used up, so that a thread which waits again
//! at once waits.
//!
//! One descriptor could not tell a thread that is still to be woken from one that waits again. So there are two, and one
//! of them is current: waits that begin take it, and `wake` sets it. The first wait that it ends makes the other one
//! current, and leaves this one set for those that began before.

use crate::runtime::eventfd::EventFd;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The wake-ups of one handle.
#[derive(Debug)]
pub(super) struct Wakes {
    woken: [EventFd; 2],
    /// Index of the current descriptor; changed under the lock, read by `wake` without.
    current: AtomicUsize,
    waiters: Mutex<Waiters>,
}

#[derive(Debug, Default)]
struct Waiters {
    /// How many waits are on each descriptor.
    on: [usize; 2],
    /// A wait was ended by the current descriptor.
    used: bool,
}

impl Wakes {
    /// None yet.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { woken: [EventFd::new()?, EventFd::new()?], current: AtomicUsize::new(0), waiters: Mutex::default() })
    }

    /// Ends every wait in progress, or the next one. Takes no lock: a signal handler may call it.
    pub(super) fn wake(&self) {
        // Should the other one become current in between, then this wake-up has been used already: by the wait that made
        // it so, which returns after this began. Waits that were in progress are on descriptors that are set.
        self.woken[self.current.load(Ordering::SeqCst)].set();
    }

    /// A wait begins.
    pub(super) fn begin(&self) -> Waiter<'_> {
        let mut waiters = self.lock();
        let on = self.current.load(Ordering::SeqCst);
        waiters.on[on] += 1;
        Waiter { wakes: self, on }
    }

    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the other descriptor current, once this one has ended a wait and nobody is on the other any more. All who
    /// are have been woken by it.
    fn change_if_used(&self, waiters: &mut Waiters) {
        let other = 1 - self.current.load(Ordering::SeqCst);
        if waiters.used && waiters.on[other] == 0 {
            waiters.used = false;
            self.woken[other].clear();
            self.current.store(other, Ordering::SeqCst);
        }
    }
}

/// A wait in progress.
#[derive(Debug)]
pub(super) struct Waiter<'a> {
    wakes: &'a Wakes,
    on: usize,
}

impl Waiter<'_> {
    /// Readable once it is to end.
    pub(super) fn woken(&self) -> &EventFd {
        &self.wakes.woken[self.on]
    }

    /// It has been woken, and the host is told so.
    pub(super) fn uses_the_wake_up(&self) {
        let mut waiters = self.wakes.lock();
        if self.on == self.wakes.current.load(Ordering::SeqCst) {
            waiters.used = true;
            self.wakes.change_if_used(&mut waiters);
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut waiters = self.wakes.lock();
        waiters.on[self.on] -= 1;
        self.wakes.change_if_used(&mut waiters);
    }
}
