//! What the host waits on, and what ends its waits.
//!
//! Every wait is a `poll` on descriptors, so that a signal ends it and the host's event loop can join in. Each
//! descriptor means one thing: events wait (set and cleared by the executor, under its lock), the drain is over, the
//! handle has ended (both set once), `wake` was called ([`wakes`]), a watched task has ended ([`watches`]).

#![allow(unsafe_code)]

mod wakes;
mod watches;

use super::eventfd::EventFd;
use crate::executor::ports::Readiness;
use once_cell::sync::OnceCell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wakes::{Waiter, Wakes};
use watches::{Watch, Watches};

/// Why a handle no longer works.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// The host closed it.
    Closed,
    /// A panic, with its place.
    Broken(String),
    /// The host has closed descriptors of ours.
    DescriptorsClosed,
}

/// Result of a wait.
#[derive(Debug, Eq, PartialEq)]
pub enum Wait {
    /// What was waited for may have happened.
    Ready,
    /// By a signal or by `wake`.
    Interrupted,
    /// The deadline has passed.
    TimedOut,
    /// The handle no longer works; [`Waits::end`] says why.
    Ended,
}

/// The waits of one handle.
#[derive(Debug)]
pub struct Waits {
    events: EventFd,
    drained: EventFd,
    drain_blocked: EventFd,
    ended: EventFd,
    wakes: Wakes,
    watches: Watches,
    end: OnceCell<End>,
    is_drained: AtomicBool,
}

impl Waits {
    /// Nothing to wait for yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            events: EventFd::new()?,
            drained: EventFd::new()?,
            drain_blocked: EventFd::new()?,
            ended: EventFd::new()?,
            wakes: Wakes::new()?,
            watches: Watches::default(),
            end: OnceCell::new(),
            is_drained: AtomicBool::new(false),
        })
    }

    /// The descriptor that is readable while events wait, and for good once a drain is over or the handle has ended.
    pub fn events_descriptor(&self) -> i32 {
        self.events.raw()
    }

    /// True once nothing is left to wait for in a drain.
    pub fn is_drained(&self) -> bool {
        self.is_drained.load(Ordering::Acquire)
    }

    /// Why the handle no longer works, if so. Safe in a signal handler.
    pub fn end(&self) -> Option<&End> {
        self.end.get()
    }

    /// The host closes the handle. A broken one stays broken.
    pub fn close(&self) {
        self.end_with(End::Closed);
    }

    /// A panic has left the handle in an unknown state.
    pub fn break_with(&self, story: &str) {
        // Without its descriptors the runtime panics, too.
        self.end_with(if self.descriptors_are_ours() { End::Broken(story.into()) } else { End::DescriptorsClosed });
    }

    /// False once the host has closed descriptors of ours: then those of connections are closed as well, or other files.
    pub fn descriptors_are_ours(&self) -> bool {
        self.ended.is_ours() && self.events.is_ours()
    }

    fn end_with(&self, end: End) {
        let _ = self.end.set(end);
        self.ended.set();
        // For event loops, which know this descriptor only.
        self.events.set();
    }

    /// Ends every wait in progress, or the next one. Safe in a signal handler.
    pub fn wake(&self) {
        // SAFETY: errno of this thread always exists. What the signal interrupted may be about to read it.
        unsafe {
            let errno = libc::__errno_location();
            let before = errno.read();
            self.wakes.wake();
            errno.write(before);
        }
    }

    /// Begins a wait, which a `wake` from now on ends. It may take several turns, if another thread takes what was
    /// waited for.
    pub fn begin(&self) -> Waiting<'_> {
        Waiting { waits: self, waiter: self.wakes.begin() }
    }

    /// A descriptor that every end of a watched task sets from now on.
    pub fn watch(&self) -> io::Result<Watch<'_>> {
        self.watches.begin()
    }
}

/// A wait in progress.
#[derive(Debug)]
pub struct Waiting<'a> {
    waits: &'a Waits,
    waiter: Waiter<'a>,
}

impl Waiting<'_> {
    /// Until events wait, or the drain is over.
    pub fn for_events(&mut self, deadline: Deadline) -> io::Result<Wait> {
        self.wait([Some(&self.waits.events), Some(&self.waits.drained)], deadline)
    }

    /// Until the drain is over, or cannot go on before events are taken ([`Waits::is_drained`] says which).
    pub fn for_drained(&mut self, deadline: Deadline) -> io::Result<Wait> {
        self.wait([Some(&self.waits.drained), Some(&self.waits.drain_blocked)], deadline)
    }

    /// Until something else has happened.
    pub fn for_other(&mut self, other: &EventFd, deadline: Deadline) -> io::Result<Wait> {
        self.wait([Some(other), None], deadline)
    }

    fn wait(&mut self, goals: [Option<&EventFd>; 2], deadline: Deadline) -> io::Result<Wait> {
        let [first, second] = goals;
        let fds = [Some(&self.waits.ended), Some(self.waiter.woken()), first, second];
        loop {
            if !self.waits.descriptors_are_ours() {
                self.waits.end_with(End::DescriptorsClosed);
                return Ok(Wait::Ended);
            }
            let ready = match poll(fds, deadline.poll_ms()) {
                Ok(ready) => ready,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    // The signal's handler may have called `wake`: this return uses that wake-up.
                    let [_, woken, ..] = poll(fds, 0).unwrap_or_default();
                    if woken {
                        self.waiter.uses_the_wake_up();
                    }
                    return Ok(Wait::Interrupted);
                }
                Err(error) => return Err(error),
            };
            let [ended, woken, first, second] = ready;
            if ended {
                if self.waits.end().is_none() {
                    // Closed during the wait; `poll` reports that, too.
                    self.waits.end_with(End::DescriptorsClosed);
                }
                return Ok(Wait::Ended);
            }
            if first || second {
                return Ok(Wait::Ready);
            }
            if woken {
                self.waiter.uses_the_wake_up();
                return Ok(Wait::Interrupted);
            }
            if deadline.is_over() {
                return Ok(Wait::TimedOut);
            }
        }
    }
}

/// Which of the descriptors are readable, once one of them is or the timeout has passed.
fn poll(fds: [Option<&EventFd>; 4], timeout_ms: libc::c_int) -> io::Result<[bool; 4]> {
    // Negative descriptors are skipped.
    let mut fds = fds.map(|fd| libc::pollfd { fd: fd.map_or(-1, EventFd::raw), events: libc::POLLIN, revents: 0 });
    // SAFETY: four entries of ours.
    match unsafe { libc::poll(fds.as_mut_ptr(), 4, timeout_ms) } {
        0.. => Ok(fds.map(|fd| fd.revents != 0)),
        _ => Err(io::Error::last_os_error()),
    }
}

impl Readiness for Waits {
    fn events_waiting(&self, yes: bool) {
        if yes {
            self.events.set();
        } else {
            self.events.clear();
            // Event loops know this descriptor only. The order matters: `end_with` and `drained` publish first and set
            // then, so one of the two sides sets it after this clear.
            if self.end.get().is_some() || self.is_drained() {
                self.events.set();
            }
        }
    }

    fn watched_task_ended(&self) {
        self.watches.task_ended();
    }

    fn drain_blocked(&self, yes: bool) {
        if yes {
            self.drain_blocked.set();
        } else {
            self.drain_blocked.clear();
        }
    }

    fn drained(&self) {
        self.is_drained.store(true, Ordering::Release);
        self.drained.set();
        self.events.set();
    }

    fn broken(&self) {
        self.break_with("a panic ended the executor's driver; the log has its place");
    }
}

/// Latest end of a wait; computed once, so that interruptions and spurious wake-ups do not prolong it.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Option<Instant>,
}

impl Deadline {
    /// No limit.
    pub const NEVER: Self = Self { at: None };

    /// So many milliseconds from now.
    pub fn after_ms(ms: u64) -> Self {
        Self { at: Instant::now().checked_add(Duration::from_millis(ms)) }
    }

    fn is_over(self) -> bool {
        self.at.is_some_and(|at| at <= Instant::now())
    }

    /// For `poll`: rounded up, so that the last millisecond is not a busy loop.
    fn poll_ms(self) -> libc::c_int {
        self.at.map_or(-1, |at| {
            let left = at.saturating_duration_since(Instant::now()).as_nanos().div_ceil(1_000_000);
            libc::c_int::try_from(left).unwrap_or(libc::c_int::MAX)
        })
    }
}

#[cfg(test)]
mod tests;
