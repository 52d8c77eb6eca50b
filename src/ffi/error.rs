//! The error object.

use super::failure::Failure;
use super::guard;
use super::status::*;
use super::strings::lambda_executor_str_t;
use std::ffi::c_char;

/// Why a call failed, for people. Created by the failed call, valid until it is freed, also after
/// its executor.
pub struct lambda_executor_error_t {
    status: lambda_executor_status_t,
    /// Ends with its only NUL, as do the next two.
    message: String,
    aws_code: String,
    request_id: String,
    retriable: bool,
}

impl lambda_executor_error_t {
    pub(super) fn new(failure: &Failure) -> Self {
        Self {
            status: failure.status(),
            message: terminated(&failure.to_string()),
            aws_code: terminated(failure.aws_code()),
            request_id: terminated(failure.request_id()),
            retriable: failure.is_retriable(),
        }
    }
}

/// A NUL inside would hide the rest from C.
fn terminated(text: &str) -> String {
    let mut text = text.replace('\0', "\\0");
    text.push('\0');
    text
}

/// A text of an error, or an empty one.
///
/// # Safety
/// `err` is NULL or an error that lives as long as the text is used.
unsafe fn text(
    err: *const lambda_executor_error_t,
    get: impl FnOnce(&lambda_executor_error_t) -> &str,
) -> *const c_char {
    // SAFETY: passed on from the caller.
    unsafe { err.as_ref() }.map_or(c"".as_ptr(), |error| get(error).as_ptr().cast())
}

/// Returns the status that the failed call returned. OK for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_error_status(err: *const lambda_executor_error_t) -> lambda_executor_status_t {
    guard::plain(LAMBDA_EXECUTOR_ERR_PANIC, || {
        // SAFETY: the caller passes NULL or an error that has not been freed.
        unsafe { err.as_ref() }.map_or(LAMBDA_EXECUTOR_OK, |error| error.status)
    })
}

/// Returns what happened and what to do about it, one sentence or some lines, with its length.
/// Valid as long as the error. Empty for NULL.
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

/// Returns the same message NUL-terminated, for printf. Valid as long as the error. "" for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_error_cstr(err: *const lambda_executor_error_t) -> *const c_char {
    // SAFETY: as above.
    guard::plain(c"".as_ptr(), || unsafe { text(err, |error| &error.message) })
}

/// Returns AWS's error code, such as "AccessDeniedException", or a name of this library for what
/// did not reach AWS, such as "ConnectionFailed". "" where the error does not come from a call to
/// AWS, and for NULL. Valid as long as the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_error_aws_code(err: *const lambda_executor_error_t) -> *const c_char {
    // SAFETY: as above.
    guard::plain(c"".as_ptr(), || unsafe { text(err, |error| &error.aws_code) })
}

/// Returns AWS's id of the failed request, for AWS's support. "" where AWS did not answer, and for
/// NULL. Valid as long as the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_error_request_id(err: *const lambda_executor_error_t) -> *const c_char {
    // SAFETY: as above.
    guard::plain(c"".as_ptr(), || unsafe { text(err, |error| &error.request_id) })
}

/// Returns 1 if the same call may succeed later without a change by the operator: AWS was not
/// reached, failed, or throttled the call. 0 for other errors and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_error_is_retriable(err: *const lambda_executor_error_t) -> i32 {
    guard::plain(0, || {
        // SAFETY: as above.
        unsafe { err.as_ref() }.map_or(0, |error| i32::from(error.retriable))
    })
}

/// Frees an error. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_error_free(err: *mut lambda_executor_error_t) {
    guard::plain((), || {
        if !err.is_null() {
            // SAFETY: errors are handed out by Box::into_raw only, and the caller frees each once.
            drop(unsafe { Box::from_raw(err) });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::ports::{CallError, Fault, Sent};
    use std::ffi::CStr;

    fn read(text: *const c_char) -> String {
        // SAFETY: NUL-terminated, and the error lives.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }

    #[test]
    fn an_error_of_aws_has_its_code_request_id_and_whether_it_may_pass() {
        for (fault, status, retriable) in [
            (Fault::Event, LAMBDA_EXECUTOR_ERR_AWS, 0),
            (Fault::Route, LAMBDA_EXECUTOR_ERR_AWS, 0),
            (Fault::Service, LAMBDA_EXECUTOR_ERR_AWS, 1),
            (Fault::Account, LAMBDA_EXECUTOR_ERR_AWS, 1),
            (Fault::Identity, LAMBDA_EXECUTOR_ERR_CREDENTIALS, 0),
        ] {
            let error = lambda_executor_error_t::new(&Failure::from(CallError {
                fault,
                sent: Sent::No,
                code: "TheCode".into(),
                message: "the message".into(),
                request_id: "the id".into(),
                retry_after_ms: None,
            }));
            let error = std::ptr::from_ref(&error);
            // SAFETY: the error lives.
            unsafe {
                assert_eq!(lambda_executor_error_status(error), status);
                assert_eq!(lambda_executor_error_is_retriable(error), retriable, "{fault:?}");
                assert_eq!(read(lambda_executor_error_aws_code(error)), "TheCode");
                assert_eq!(read(lambda_executor_error_request_id(error)), "the id");
                assert_eq!(read(lambda_executor_error_cstr(error)), "TheCode: the message");
            }
        }
    }

    #[test]
    fn null_and_other_errors_have_empty_texts() {
        let error = lambda_executor_error_t::new(&Failure::argument("a\0b"));
        for error in [std::ptr::null(), std::ptr::from_ref(&error)] {
            // SAFETY: NULL or alive.
            unsafe {
                assert_eq!(read(lambda_executor_error_aws_code(error)), "");
                assert_eq!(read(lambda_executor_error_request_id(error)), "");
                assert_eq!(lambda_executor_error_is_retriable(error), 0);
                assert_eq!(read(lambda_executor_error_cstr(error)), if error.is_null() { "" } else { "a\\0b" });
            }
        }
    }
}
