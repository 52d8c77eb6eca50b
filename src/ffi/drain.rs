//! The end of the work, and word that events are safe.

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

/// Flag of lambda_executor_drain: what waits is submitted, and everything is waited for.
pub const LAMBDA_EXECUTOR_DRAIN_FINISH: u32 = 0;
/// Flag of lambda_executor_drain: what waits is cancelled, and what runs is waited for. The reason is NEVER_INVOKED, or
/// ABANDONED where the answer to a try was lost, so that the command may run.
pub const LAMBDA_EXECUTOR_DRAIN_RUNNING: u32 = 1;

/// As timeout_ms of lambda_executor_drain: option end_wait_timeout, which is in seconds and counts from the first call of
/// lambda_executor_drain on the executor, so that calls after an interruption wait no longer; 0, its default, is for ever.
pub const LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED: i64 = -2;

/// Accepts no more tasks from now on, and waits until those accepted have finished. Needs nobody to call `sync` or to
/// acknowledge meanwhile, up to 100,000 results that wait for it. Afterwards `queue` returns ERR_CLOSED, and `sync` hands out what is left, then returns
/// ERR_CLOSED. May be called again: to wait on, or to go from FINISH to RUNNING.
///
/// flags: LAMBDA_EXECUTOR_DRAIN_FINISH or LAMBDA_EXECUTOR_DRAIN_RUNNING.
/// timeout_ms: 0 does not wait, -1 waits for ever, LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED as long as option end_wait_timeout
///   says.
/// remaining: set to the number of tasks that have not finished. May be NULL.
///
/// OK (nothing remains), TIMED_OUT, INTERRUPTED, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC, ERR_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_drain(
    ex: *mut lambda_executor_t,
    flags: u32,
    timeout_ms: i64,
    remaining: *mut u64,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `remaining` and `err` are NULL or writable, by the header's rules.
    unsafe {
        let remaining = Out::optional(remaining, 0);
        guard::on_handle(ex, err, |handle| {
            let mode = match flags {
                LAMBDA_EXECUTOR_DRAIN_FINISH => DrainMode::Finish,
                LAMBDA_EXECUTOR_DRAIN_RUNNING => DrainMode::CancelQueued,
                _ => {
                    return Err(Failure::argument(format!(
                        "flags are {flags} (allowed: LAMBDA_EXECUTOR_DRAIN_FINISH, LAMBDA_EXECUTOR_DRAIN_RUNNING)"
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
                Wait::Ready => return Ok(LAMBDA_EXECUTOR_OK),
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

/// With option ack "manual": these events are safe with the host, and their results may leave the queue. Only final
/// events need it; RUNNING, repeated and unknown numbers are fine. Not needed with "auto", where lambda_executor_batch_free says it.
///
/// OK, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_ack(
    ex: *mut lambda_executor_t,
    seqs: *const u64,
    n: usize,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: as above; `seqs` holds n numbers.
    unsafe {
        guard::on_handle(ex, err, |handle| {
            if seqs.is_null() && n > 0 {
                return Err(Failure::argument(format!("seqs is NULL, but n is {n}")));
            }
            let seqs: Vec<u64> = (0..n).map(|at| seqs.add(at).read_unaligned()).collect();
            handle.executor.acknowledge(&seqs);
            Ok(LAMBDA_EXECUTOR_OK)
        })
    }
}
