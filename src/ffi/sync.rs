//! The heartbeat: events out.

use super::batch::lambda_executor_batch_t;
use super::error::lambda_executor_error_t;
use super::failure::Failure;
use super::guard::{self, Outcome};
use super::handle::lambda_executor_t;
use super::out::Out;
use super::status::*;
use crate::runtime::waits::{Deadline, Wait};

/// Hands out events, oldest first; waits for the first one as long as the timeout allows. Several threads may do so at
/// once, each event goes to one of them.
///
/// timeout_ms: 0 does not wait, -1 waits for ever.
/// max_events: at most so many; 0 is all that wait.
/// batch: set to the events, freed with lambda_executor_batch_free; NULL with every status but OK.
///
/// OK (at least one event), TIMED_OUT, INTERRUPTED, ERR_CLOSED (closed, or drained and nothing left),
/// ERR_INVALID_ARGUMENT, ERR_FORKED, ERR_PANIC, ERR_IO.
#[unsafe(no_mangle)]
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
            sync(handle, deadline, max_events, &batch)
        })
    }
}

fn sync(
    handle: &lambda_executor_t,
    deadline: Deadline,
    max_events: usize,
    batch: &Out<*mut lambda_executor_batch_t>,
) -> Outcome {
    let mut waiting = None;
    loop {
        // Asked first: what finished before the drain did is then among the events taken next.
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
            // Perhaps another thread was faster; then the next round waits on.
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
            "timeout_ms is {timeout_ms} (allowed: 0 does not wait, -1 waits for ever, or a number of milliseconds)"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::deadline;

    #[test]
    fn timeouts_below_minus_one_are_mistakes() {
        assert!(deadline(-1).is_ok() && deadline(0).is_ok() && deadline(i64::MAX).is_ok());
        assert!(deadline(-2).is_err_and(|failure| failure.to_string().contains("-2")));
    }
}
