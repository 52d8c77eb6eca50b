//! Acknowledgement: events that are safe with the host.

use super::batch::lambda_executor_batch_t;
use super::entries;
use super::error::lambda_executor_error_t;
use super::failure::Failure;
use super::guard;
use super::handle::lambda_executor_t;
use super::status::*;

/// Acknowledges all events of a batch: the host has stored what it needs of them, and their results
/// may be deleted from their queue. Every event must be acknowledged, RUNNING too; acknowledging a
/// final event includes the RUNNING event of the same task. Works until the executor is freed, also
/// after lambda_executor_close, and from any thread. A second call does nothing.
///
/// OK, ERR_INVALID_ARGUMENT (batch is NULL), ERR_CLOSED (the executor has been freed), ERR_FORKED,
/// ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lambda_executor_batch_ack(
    batch: *mut lambda_executor_batch_t,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `batch` is NULL or has not been freed, `err` is NULL or writable, by the header's rules.
    unsafe {
        guard::call(err, || {
            let Some(batch) = batch.as_ref() else { return Err(Failure::argument("batch is NULL")) };
            batch.acknowledge().map(|()| LAMBDA_EXECUTOR_OK)
        })
    }
}

/// Acknowledges single events by their seq, as lambda_executor_batch_ack does for all of a batch.
/// Repeated and unknown numbers are allowed.
///
/// seqs, n: the numbers, at most LAMBDA_EXECUTOR_MAX_BATCH.
///
/// OK, ERR_INVALID_ARGUMENT, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lambda_executor_ack(
    ex: *mut lambda_executor_t,
    seqs: *const u64,
    n: usize,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `seqs` has n numbers, `err` is NULL or writable, by the header's rules.
    unsafe {
        guard::until_free(ex, err, |handle| {
            entries::limited(n)?;
            if seqs.is_null() && n > 0 {
                return Err(Failure::argument(format!("seqs is NULL, but n is {n}")));
            }
            let seqs: Vec<u64> = (0..n).map(|at| seqs.add(at).read_unaligned()).collect();
            handle.executor.acknowledge(&seqs);
            Ok(LAMBDA_EXECUTOR_OK)
        })
    }
}
