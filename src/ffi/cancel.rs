//! Tasks that the host no longer wants.

use super::entries::{self, Entries};
use super::error::lambda_executor_error_t;
use super::failure::Failure;
use super::handle::lambda_executor_t;
use super::status::*;
use super::strings::lambda_executor_str_t;
use super::{guard, strings};

/// Cancels tasks by key. A task that waits is never submitted. A task that was submitted is
/// abandoned: its slot is free at once, and a late result is discarded. Each gets a CANCELLED
/// event.
///
/// keys, n: the keys, at most LAMBDA_EXECUTOR_MAX_BATCH.
/// results: room for n statuses: OK, NOT_FOUND (finished or unknown), ERR_INVALID_ARGUMENT. May be
///   NULL.
/// first_error: as for lambda_executor_queue_batch.
///
/// OK if every key is OK, PARTIAL if not; ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED and
/// ERR_PANIC if no task was cancelled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_cancel(
    ex: *mut lambda_executor_t,
    keys: *const lambda_executor_str_t,
    n: usize,
    results: *mut lambda_executor_status_t,
    first_error: *mut *mut lambda_executor_error_t,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `keys` has n strings, `results` is NULL or has room for n statuses,
    // `first_error` and `err` are NULL or writable, by the header's rules.
    unsafe {
        let entries = Entries::new(results, n, first_error);
        entries.fill_on_failure(guard::on_handle(ex, err, |handle| {
            entries::limited(n)?;
            if keys.is_null() && n > 0 {
                return Err(Failure::argument(format!("keys is NULL, but n is {n}")));
            }
            let keys: Vec<_> =
                (0..n).map(|at| keys.add(at).read_unaligned()).map(|key| strings::key(key.ptr, key.len)).collect();
            let readable: Vec<&str> = keys.iter().filter_map(|key| key.as_ref().ok().copied()).collect();
            let mut cancelled = handle.executor.cancel(&readable).into_iter();
            let answers = keys.into_iter().map(|key| {
                key.map(|_| match cancelled.next() {
                    Some(true) => LAMBDA_EXECUTOR_OK,
                    Some(false) | None => LAMBDA_EXECUTOR_NOT_FOUND,
                })
            });
            Ok(entries.report("keys", answers).0)
        }))
    }
}
