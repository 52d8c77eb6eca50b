//! Statistics.

use super::error::lambda_executor_error_t;
use super::guard;
use super::handle::lambda_executor_t;
use super::out::{Buffer, Out};
use super::status::*;
use std::ffi::c_char;

/// Writes counters, gauges, latency histograms and health as a JSON object. Members may be added.
/// Works until the executor is freed, also after lambda_executor_close.
///
/// buf, cap: where to write it, with a NUL. NULL and 0 ask for the size only, which may have grown
///   by the next call.
/// needed: set to the size in bytes, including the NUL. May be NULL.
///
/// OK, BUFFER_TOO_SMALL, ERR_INVALID_ARGUMENT, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_stats(
    ex: *const lambda_executor_t,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `buf` is NULL or writable for `cap` bytes, `needed` and `err` are NULL or
    // writable, by the header's rules.
    unsafe {
        let needed = Out::optional(needed, 0);
        guard::until_free(ex, err, |handle| {
            let buffer = Buffer::new(buf, cap)?;
            Ok(buffer.put(&handle.executor.stats(), &needed))
        })
    }
}
