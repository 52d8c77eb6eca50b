//! Checks that what the configuration names exists and can be used.

use super::error::lambda_executor_error_t;
use super::failure::Failure;
use super::handle::lambda_executor_t;
use super::status::*;
use super::{guard, sync};
use crate::executor::Executor;
use crate::executor::ports::CallError;
use crate::runtime::eventfd::EventFd;
use crate::runtime::waits::Wait;
use once_cell::sync::OnceCell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Asks AWS now whether the functions exist and are active and the queues can be used. The error
/// names what is not, and why. What works and still does not fit, such as a queue that takes
/// shorter messages than may arrive, is logged as a warning and listed in lambda_executor_stats.
/// After a success, tasks that wait for an earlier check, for credentials or for a queue are tried
/// at once.
///
/// timeout_ms: 0 does not wait for the answer, -1 waits without limit. While a check is in flight,
///   further calls wait for that one; an answer that no call waited for is returned by the next
///   call within a minute. So a host that must not wait can start a check with 0 and ask with 0
///   again.
///
/// OK (everything can be used), TIMED_OUT, INTERRUPTED, ERR_AWS, ERR_CREDENTIALS,
/// ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC, ERR_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_check_health(
    ex: *mut lambda_executor_t,
    timeout_ms: i64,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `err` is NULL or writable, by the header's rules.
    unsafe {
        guard::on_handle(ex, err, |handle| {
            let deadline = sync::deadline(timeout_ms)?;
            let check =
                handle.health.current(&handle.executor).map_err(Failure::io("making a descriptor to wait on"))?;
            match handle.waits.begin().for_other(&check.answered, deadline).map_err(Failure::io("waiting for AWS"))? {
                Wait::Ready => handle.health.answer_of(&check).map(|()| LAMBDA_EXECUTOR_OK).map_err(Failure::from),
                Wait::Interrupted => Ok(LAMBDA_EXECUTOR_INTERRUPTED),
                Wait::TimedOut => Ok(LAMBDA_EXECUTOR_TIMED_OUT),
                Wait::Ended => Err(handle.ended()),
            }
        })
    }
}

/// The checks of one handle, of which at most one is in flight.
#[derive(Default)]
pub(super) struct Checks {
    /// The newest one, until its answer has been returned.
    newest: Mutex<Option<Arc<Check>>>,
}

impl Checks {
    /// The one in flight, or one whose answer has not been returned; else a new one.
    fn current(&self, executor: &Executor) -> std::io::Result<Arc<Check>> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(check) = newest.as_ref().filter(|check| !check.is_stale()) {
            return Ok(Arc::clone(check));
        }
        let check = Arc::new(Check { answered: EventFd::new()?, answer: OnceCell::new() });
        let done = Arc::clone(&check);
        executor.check_health(move |answer| done.put(answer));
        Ok(Arc::clone(newest.insert(check)))
    }

    /// The answer of a check that has one. All calls that wait for it get the same; a later call
    /// starts a new one.
    fn answer_of(&self, check: &Arc<Check>) -> Result<(), CallError> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.as_ref().is_some_and(|newest| Arc::ptr_eq(newest, check)) {
            *newest = None;
        }
        check.answer.get().map_or(Ok(()), |(_, answer)| answer.clone())
    }
}

/// One check. The last owner, its answer or a caller that timed out, closes the descriptor.
struct Check {
    answered: EventFd,
    answer: OnceCell<(Instant, Result<(), CallError>)>,
}

impl Check {
    fn put(&self, answer: Result<(), CallError>) {
        let _ = self.answer.set((Instant::now(), answer));
        self.answered.set();
    }

    /// Answered too long ago for a call of now.
    fn is_stale(&self) -> bool {
        const MINUTE: Duration = Duration::from_secs(60);
        self.answer.get().is_some_and(|(at, _)| at.elapsed() > MINUTE)
    }
}
