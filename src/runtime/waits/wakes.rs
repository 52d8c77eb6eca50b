//! Wake-ups: each ends every wait in progress, or the next one, and is then used up, so that a thread that waits again
//! at once is not woken by it a second time.
//!
//! One descriptor cannot distinguish a thread that is still to be woken from one that waits again. So there are two:
//!
//! 1. A wait that begins uses the current descriptor.
//! 2. `wake` sets the current descriptor.
//! 3. The first wait that it ends makes the other descriptor current, once no wait uses the other one any more.
//! 4. The former one stays set for the waits that began before, and is cleared before it becomes current again.

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
    /// No wake-up is pending.
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

    /// Makes the other descriptor current, once this one has ended a wait and no wait is on the other any more.
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

    /// The wait has been woken and returns INTERRUPTED.
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
