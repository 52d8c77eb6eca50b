//! What the host waits on, and what ends its waits.
//!
//! Every wait is a `poll` on descriptors, so that a signal ends it and the host's event loop can join in. Each of the
//! four descriptors tells one thing: events wait (set and cleared by the executor, under its lock), the drain is over,
//! the handle has ended (both set once), `wake` was called.

#![allow(unsafe_code)]

use super::eventfd::EventFd;
use crate::executor::ports::Readiness;
use once_cell::sync::OnceCell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

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
    woken: EventFd,
    end: OnceCell<End>,
    is_drained: AtomicBool,
    /// How many waits are in progress.
    in_progress: Mutex<usize>,
}

impl Waits {
    /// Nothing to wait for yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            events: EventFd::new()?,
            drained: EventFd::new()?,
            ended: EventFd::new()?,
            woken: EventFd::new()?,
            end: OnceCell::new(),
            is_drained: AtomicBool::new(false),
            in_progress: Mutex::new(0),
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
            self.woken.set();
            errno.write(before);
        }
    }

    /// Until events wait, or the drain is over.
    pub fn for_events(&self, deadline: Deadline) -> io::Result<Wait> {
        self.wait([Some(&self.events), Some(&self.drained)], deadline)
    }

    /// Until the drain is over.
    pub fn for_drained(&self, deadline: Deadline) -> io::Result<Wait> {
        self.wait([Some(&self.drained), None], deadline)
    }

    /// Until something else has happened.
    pub fn for_other(&self, other: &EventFd, deadline: Deadline) -> io::Result<Wait> {
        self.wait([Some(other), None], deadline)
    }

    fn wait(&self, goals: [Option<&EventFd>; 2], deadline: Deadline) -> io::Result<Wait> {
        let _in_progress = InProgress::begin(self);
        let polled =
            |fd: Option<&EventFd>| libc::pollfd { fd: fd.map_or(-1, EventFd::raw), events: libc::POLLIN, revents: 0 };
        let [first, second] = goals;
        let mut fds = [polled(Some(&self.ended)), polled(Some(&self.woken)), polled(first), polled(second)];
        loop {
            // SAFETY: four entries of ours; negative descriptors are skipped.
            let count = unsafe { libc::poll(fds.as_mut_ptr(), 4, deadline.poll_ms()) };
            if count < 0 {
                let error = io::Error::last_os_error();
                return if error.kind() == io::ErrorKind::Interrupted { Ok(Wait::Interrupted) } else { Err(error) };
            }
            let [ended, woken, first, second] = fds.map(|fd| fd.revents != 0);
            if ended {
                return Ok(Wait::Ended);
            }
            if first || second {
                return Ok(Wait::Ready);
            }
            if woken {
                return Ok(Wait::Interrupted);
            }
            if deadline.is_over() {
                return Ok(Wait::TimedOut);
            }
        }
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

    fn drained(&self) {
        self.is_drained.store(true, Ordering::Release);
        self.drained.set();
    }

    fn broken(&self) {
        self.break_with("the executor's driver ended by a panic, which the log tells of");
    }
}

/// A wait in progress. The last one to end takes the wake-up back: whoever waited has been woken by it. That happens
/// under the lock that the next wait takes first, so a wake-up meant for that one is never taken back.
struct InProgress<'a> {
    waits: &'a Waits,
}

impl<'a> InProgress<'a> {
    fn begin(waits: &'a Waits) -> Self {
        *waits.in_progress.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self { waits }
    }
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        let mut count = self.waits.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        *count -= 1;
        if *count == 0 {
            self.waits.woken.clear();
        }
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
