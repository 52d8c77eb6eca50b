//! The error object.

use super::failure::Failure;
use super::guard;
use super::status::*;
use super::types::lambda_executor_str_t;
use std::ffi::c_char;

/// What went wrong, for people. Made by a call that failed, lives until it is freed, whatever becomes of the executor.
pub struct lambda_executor_error_t {
    status: lambda_executor_status_t,
    /// Ends with a NUL and has no other.
    message: String,
}

impl lambda_executor_error_t {
    pub(super) fn new(failure: &Failure) -> Self {
        // A NUL from a key would hide the rest of the message from C.
        let mut message = failure.to_string().replace('\0', "\\0");
        message.push('\0');
        Self { status: failure.status(), message }
    }
}

/// The status that the failed call returned, or would have returned. OK for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_error_status(err: *const lambda_executor_error_t) -> lambda_executor_status_t {
    guard::plain(LAMBDA_EXECUTOR_ERR_PANIC, || {
        // SAFETY: the caller passes NULL or an error that has not been freed.
        unsafe { err.as_ref() }.map_or(LAMBDA_EXECUTOR_OK, |error| error.status)
    })
}

/// What happened and what to do about it: one sentence, or some lines. Valid as long as the error. Empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_error_message(err: *const lambda_executor_error_t) -> lambda_executor_str_t {
    let empty = lambda_executor_str_t { ptr: c"".as_ptr(), len: 0 };
    guard::plain(empty, || {
        // SAFETY: as above.
        unsafe { err.as_ref() }.map_or(empty, |error| lambda_executor_str_t {
            ptr: error.message.as_ptr().cast::<c_char>(),
            len: error.message.len().saturating_sub(1),
        })
    })
}

/// Frees an error. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_error_free(err: *mut lambda_executor_error_t) {
    guard::plain((), || {
        if !err.is_null() {
            // SAFETY: errors are handed out by Box::into_raw only, and the caller frees each once.
            drop(unsafe { Box::from_raw(err) });
        }
    });
}
