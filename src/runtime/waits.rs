//! What the host waits on, and what ends its waits.
//!
//! Every wait is a `poll` on descriptors, so that a signal ends it and the host's event loop can join in. Each
//! descriptor tells one thing: events wait (set and cleared by the executor, under its lock), the drain is over, the
//! handle has ended (both set once), `wake` was called ([`wakes`]).

#![allow(unsafe_code)]

mod wakes;

use super::eventfd::EventFd;
use crate::executor::ports::Readiness;
use once_cell::sync::OnceCell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wakes::{Waiter, Wakes};

/// Why a handle works no more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// The host said so.
    Closed,
    /// A panic; the text says where.
    Broken(String),
}

/// How a wait came out.
#[derive(Debug, Eq, PartialEq)]
pub enum Wait {
    /// What was waited for may be there.
    Ready,
    /// By a signal or by `wake`.
    Interrupted,
    /// The time is over.
    TimedOut,
    /// The handle works no more; [`Waits::end`] says why.
    Ended,
}

/// The waits of one handle.
#[derive(Debug)]
pub struct Waits {
    events: EventFd,
    drained: EventFd,
    ended: EventFd,
    wakes: Wakes,
    end: OnceCell<End>,
    is_drained: AtomicBool,
}

impl Waits {
    /// Nothing to wait for yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            events: EventFd::new()?,
            drained: EventFd::new()?,
            ended: EventFd::new()?,
            wakes: Wakes::new()?,
            end: OnceCell::new(),
            is_drained: AtomicBool::new(false),
        })
    }

    /// The descriptor that is readable while events wait.
    pub fn events_descriptor(&self) -> i32 {
        self.events.raw()
    }

    /// True once nothing is left to wait for in a drain.
    pub fn is_drained(&self) -> bool {
        self.is_drained.load(Ordering::Acquire)
    }

    /// Why the handle works no more, if so. May be asked in a signal handler.
    pub fn end(&self) -> Option<&End> {
        self.end.get()
    }

    /// The host is done with the handle. A broken one stays broken.
    pub fn close(&self) {
        self.end_with(End::Closed);
    }

    /// A panic has left the handle in an unknown state.
    pub fn break_with(&self, story: &str) {
        self.end_with(End::Broken(story.into()));
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

    /// Begins a wait, which a `wake` from now on ends. It may take several turns: another thread may be faster to get
    /// what there was.
    pub fn begin(&self) -> Waiting<'_> {
        Waiting { waits: self, waiter: self.wakes.begin() }
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

    /// Until the drain is over.
    pub fn for_drained(&mut self, deadline: Deadline) -> io::Result<Wait> {
        self.wait([Some(&self.waits.drained), None], deadline)
    }

    /// Until something else has happened.
    pub fn for_other(&mut self, other: &EventFd, deadline: Deadline) -> io::Result<Wait> {
        self.wait([Some(other), None], deadline)
    }

    fn wait(&mut self, goals: [Option<&EventFd>; 2], deadline: Deadline) -> io::Result<Wait> {
        let [first, second] = goals;
        let fds = [Some(&self.waits.ended), Some(self.waiter.woken()), first, second];
        loop {
            let ready = match poll(fds, deadline.poll_ms()) {
                Ok(ready) => ready,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    // The signal's handler may be who called `wake`, and that is then done.
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

/// Which of the descriptors are readable, once one of them is or the time is over.
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
            // The executor's last word must not hide the end from event loops.
            if self.end.get().is_some() {
                self.events.set();
            }
        }
    }

    fn watched_task_ended(&self) {}

    fn drain_blocked(&self, _yes: bool) {}

    fn drained(&self) {
        self.is_drained.store(true, Ordering::Release);
        self.drained.set();
    }

    fn broken(&self) {
        self.break_with("the executor's driver ended by a panic, which the log tells of");
    }
}

/// When a wait ends at the latest; computed once, so that interruptions and false alarms don't prolong it.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Option<Instant>,
}

impl Deadline {
    /// Waits for ever.
    pub const NEVER: Self = Self { at: None };

    /// So many milliseconds from now.
    pub fn after_ms(ms: u64) -> Self {
        Self { at: Instant::now().checked_add(Duration::from_millis(ms)) }
    }

    fn is_over(self) -> bool {
        self.at.is_some_and(|at| at <= Instant::now())
    }

    /// For `poll`: rounded up, so that it does not spin through the last millisecond.
    fn poll_ms(self) -> libc::c_int {
        self.at.map_or(-1, |at| {
            let left = at.saturating_duration_since(Instant::now()).as_nanos().div_ceil(1_000_000);
            libc::c_int::try_from(left).unwrap_or(libc::c_int::MAX)
        })
    }
}

#[cfg(test)]
mod tests;
