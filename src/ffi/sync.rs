//! The heartbeat: events out.

use super::batch::lambda_executor_batch_t;
use super::error::lambda_executor_error_t;
use super::failure::Failure;
use super::guard::{self, CallResult};
use super::handle::lambda_executor_t;
use super::out::Out;
use super::status::*;
use crate::runtime::waits::{Deadline, Wait};

/// Events of one sync with max_events 0.
pub const LAMBDA_EXECUTOR_DEFAULT_EVENTS: u32 = 10_000;

/// Hands out events, oldest first, and waits for the first one as long as the timeout allows.
/// Several threads may call it at once; each event goes to one of them.
///
/// timeout_ms: 0 does not wait, -1 waits without limit.
/// max_events: at most so many. 0: LAMBDA_EXECUTOR_DEFAULT_EVENTS. SIZE_MAX: all that wait.
/// batch: set to the events; acknowledge it with lambda_executor_batch_ack, free it with
///   lambda_executor_batch_free. NULL unless the status is OK.
///
/// OK (at least one event), TIMED_OUT, INTERRUPTED, ERR_CLOSED (closed, or drained and no event
/// left), ERR_INVALID_ARGUMENT, ERR_FORKED, ERR_PANIC, ERR_IO.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lambda_executor_sync(
    ex: *mut lambda_executor_t,
    timeout_ms: i64,
    max_events: usize,
    batch: *mut *mut lambda_executor_batch_t,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `batch` and `err` are NULL or writable, by the header's rules.
    unsafe {
        let batch = Out::optional(batch, std::ptr::null_mut());
        guard::on_handle(ex, err, |handle| {
            batch.required("batch")?;
            let deadline = deadline(timeout_ms)?;
            sync(handle, deadline, most(max_events), &batch)
        })
    }
}

/// max_events as a number of events.
fn most(max_events: usize) -> usize {
    match max_events {
        0 => usize::try_from(LAMBDA_EXECUTOR_DEFAULT_EVENTS).unwrap_or(usize::MAX),
        max => max,
    }
}

fn sync(
    handle: &lambda_executor_t,
    deadline: Deadline,
    max_events: usize,
    batch: &Out<*mut lambda_executor_batch_t>,
) -> CallResult {
    let mut waiting = None;
    loop {
        // Read first: events of tasks that ended before the drain was over are then among those taken next.
        let drained = handle.waits.is_drained();
        let events = handle.executor.take_events(max_events);
        if !events.is_empty() {
            let made = lambda_executor_batch_t::new(events, handle);
            batch.set(Box::into_raw(Box::new(made)));
            return Ok(LAMBDA_EXECUTOR_OK);
        }
        if drained {
            return Err(Failure::Closed("the executor is drained, and all its events have been handed out"));
        }
        let waiting = waiting.get_or_insert_with(|| handle.waits.begin());
        match waiting.for_events(deadline).map_err(Failure::io("waiting for events"))? {
            // Another thread may have taken the events; then the next turn waits again.
            Wait::Ready => {}
            Wait::Interrupted => return Ok(LAMBDA_EXECUTOR_INTERRUPTED),
            Wait::TimedOut => return Ok(LAMBDA_EXECUTOR_TIMED_OUT),
            Wait::Ended => return Err(handle.ended()),
        }
    }
}

/// A timeout of the caller as a point in time.
pub(super) fn deadline(timeout_ms: i64) -> Result<Deadline, Failure> {
    match u64::try_from(timeout_ms) {
        Ok(ms) => Ok(Deadline::after_ms(ms)),
        Err(_) if timeout_ms == -1 => Ok(Deadline::NEVER),
        Err(_) => Err(Failure::argument(format!(
            "timeout_ms is {timeout_ms} (allowed: 0 does not wait, -1 waits without limit, or a number of milliseconds)"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::{deadline, most};

    #[test]
    fn timeouts_below_minus_one_are_mistakes() {
        assert!(deadline(-1).is_ok() && deadline(0).is_ok() && deadline(i64::MAX).is_ok());
        assert!(deadline(-2).is_err_and(|failure| failure.to_string().contains("-2")));
    }

    #[test]
    fn max_events_0_is_bounded_and_size_max_is_all() {
        assert_eq!([most(0), most(1), most(20_000), most(usize::MAX)], [10_000, 1, 20_000, usize::MAX]);
    }
}
