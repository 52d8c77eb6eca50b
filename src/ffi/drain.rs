//! The end of the work.

use super::error::lambda_executor_error_t;
use super::failure::Failure;
use super::handle::lambda_executor_t;
use super::out::Out;
use super::status::*;
use super::{guard, sync};
use crate::executor::DrainMode;
use crate::runtime::waits::{Deadline, Wait};
use once_cell::sync::OnceCell;
use std::time::{Duration, Instant};

/// Mode: submit what waits.
pub const LAMBDA_EXECUTOR_DRAIN_FINISH: u32 = 0;
/// Mode: cancel what waits.
pub const LAMBDA_EXECUTOR_DRAIN_CANCEL_QUEUED: u32 = 1;

/// Timeout: option end_wait_timeout.
pub const LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED: i64 = -2;

/// Accepts no more tasks from now on, and waits until those accepted have finished. Afterwards
/// `queue` returns ERR_CLOSED, and `sync` hands out the events that are left, then returns
/// ERR_CLOSED. Does not need other threads to call `sync` or to acknowledge, up to 100,000 results
/// or 256 MiB of them, which then wait in memory. May be called again, to continue waiting or to go
/// from FINISH to CANCEL_QUEUED.
///
/// mode: LAMBDA_EXECUTOR_DRAIN_FINISH submits what waits, and waits for all tasks.
///   LAMBDA_EXECUTOR_DRAIN_CANCEL_QUEUED cancels what waits, and waits for what runs. The reason is
///   NEVER_INVOKED, or ABANDONED if the answer to an Invoke was lost, so that the command may run.
/// timeout_ms: 0 does not wait, -1 waits without limit. LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED waits as
///   long as option end_wait_timeout says, counted from the first call of this function on the
///   executor.
/// remaining: set to the number of tasks that have not finished. May be NULL.
///
/// OK (no task remains), TIMED_OUT, INTERRUPTED, QUEUE_FULL (so many results wait that no more are
/// received: take and acknowledge events, then call this again), ERR_INVALID_ARGUMENT, ERR_CLOSED,
/// ERR_FORKED, ERR_PANIC, ERR_IO.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lambda_executor_drain(
    ex: *mut lambda_executor_t,
    mode: u32,
    timeout_ms: i64,
    remaining: *mut u64,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `remaining` and `err` are NULL or writable, by the header's rules.
    unsafe {
        let remaining = Out::optional(remaining, 0);
        guard::on_handle(ex, err, |handle| {
            let mode = match mode {
                LAMBDA_EXECUTOR_DRAIN_FINISH => DrainMode::Finish,
                LAMBDA_EXECUTOR_DRAIN_CANCEL_QUEUED => DrainMode::CancelQueued,
                _ => {
                    return Err(Failure::argument(format!(
                        "mode is {mode} (allowed: LAMBDA_EXECUTOR_DRAIN_FINISH, 0, and \
                         LAMBDA_EXECUTOR_DRAIN_CANCEL_QUEUED, 1)"
                    )));
                }
            };
            let deadline = match timeout_ms {
                LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED => handle.end_wait.deadline(),
                _ => sync::deadline(timeout_ms)?,
            };
            handle.end_wait.begins();
            handle.executor.drain(mode);
            let wait = handle.waits.begin().for_drained(deadline).map_err(Failure::io("waiting for the drain"))?;
            let status = match wait {
                Wait::Ready if handle.waits.is_drained() => return Ok(LAMBDA_EXECUTOR_OK),
                Wait::Ready => LAMBDA_EXECUTOR_QUEUE_FULL,
                Wait::Interrupted => LAMBDA_EXECUTOR_INTERRUPTED,
                Wait::TimedOut => LAMBDA_EXECUTOR_TIMED_OUT,
                Wait::Ended => return Err(handle.ended()),
            };
            remaining.set(handle.executor.remaining());
            Ok(status)
        })
    }
}

/// Option end_wait_timeout, once the end has begun.
pub(super) struct EndWait {
    limit: Option<Duration>,
    began: OnceCell<Instant>,
}

impl EndWait {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        Self { limit, began: OnceCell::new() }
    }

    fn begins(&self) -> Instant {
        *self.began.get_or_init(Instant::now)
    }

    fn deadline(&self) -> Deadline {
        let Some(limit) = self.limit else { return Deadline::NEVER };
        let left = limit.saturating_sub(self.begins().elapsed());
        Deadline::after_ms(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
    }
}
