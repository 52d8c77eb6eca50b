//! The one guard around every export: no panic unwinds into C, no call uses a handle that cannot work.

use super::error::lambda_executor_error_t;
use super::failure::Failure;
use super::handle::lambda_executor_t;
use super::out::Out;
use super::status::*;
use crate::runtime::panics;
use crate::runtime::waits::End;

/// Result of the body of an export.
pub(super) type CallResult = Result<lambda_executor_status_t, Failure>;

/// For exports without a handle and without an error: a panic becomes `fallback`.
pub(super) fn plain<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    panics::catch(body).unwrap_or(fallback)
}

/// For exports that have an error to fill but no handle.
///
/// # Safety
/// `err` is NULL or may be written.
pub(super) unsafe fn call(
    err: *mut *mut lambda_executor_error_t,
    body: impl FnOnce() -> CallResult,
) -> lambda_executor_status_t {
    // SAFETY: passed on from the caller.
    let err = unsafe { Out::optional(err, std::ptr::null_mut()) };
    answer(&err, panics::catch(body).unwrap_or_else(|story| Err(Failure::Panic(story))))
}

/// For exports on a handle that is not NULL, not of another process, not broken and not closed. A panic breaks it.
///
/// # Safety
/// `ex` is NULL or a handle that has not been freed; `err` is NULL or may be written.
pub(super) unsafe fn on_handle(
    ex: *const lambda_executor_t,
    err: *mut *mut lambda_executor_error_t,
    body: impl FnOnce(&lambda_executor_t) -> CallResult,
) -> lambda_executor_status_t {
    // SAFETY: passed on from the caller.
    unsafe { checked(ex, err, lambda_executor_t::open, body) }
}

/// The same for what works until the handle is freed: on closed handles too.
///
/// # Safety
/// As for [`on_handle`].
pub(super) unsafe fn until_free(
    ex: *const lambda_executor_t,
    err: *mut *mut lambda_executor_error_t,
    body: impl FnOnce(&lambda_executor_t) -> CallResult,
) -> lambda_executor_status_t {
    // SAFETY: passed on from the caller.
    unsafe { checked(ex, err, lambda_executor_t::not_broken, body) }
}

/// The same for what works on closed and broken handles too, but not on those of another process.
///
/// # Safety
/// As for [`on_handle`].
pub(super) unsafe fn on_any_handle(
    ex: *const lambda_executor_t,
    err: *mut *mut lambda_executor_error_t,
    body: impl FnOnce(&lambda_executor_t) -> CallResult,
) -> lambda_executor_status_t {
    // SAFETY: passed on from the caller.
    unsafe { checked(ex, err, lambda_executor_t::of_this_process, body) }
}

/// # Safety
/// As for [`on_handle`].
unsafe fn checked(
    ex: *const lambda_executor_t,
    err: *mut *mut lambda_executor_error_t,
    check: impl FnOnce(&lambda_executor_t) -> Result<(), Failure>,
    body: impl FnOnce(&lambda_executor_t) -> CallResult,
) -> lambda_executor_status_t {
    // SAFETY: passed on from the caller.
    let err = unsafe { Out::optional(err, std::ptr::null_mut()) };
    // SAFETY: the caller passes NULL or a handle that lives until this call has returned.
    let Some(handle) = (unsafe { ex.as_ref() }) else {
        return answer(&err, Err(Failure::argument("the executor is NULL")));
    };
    answer(&err, breaking(handle, || check(handle).and_then(|()| body(handle))))
}

/// The same for what may be called in a signal handler: nothing here allocates, takes a lock, or uses thread-local
/// storage, which the first access in a thread may allocate. Nothing in `body` may panic, so nothing is caught.
///
/// # Safety
/// As for [`on_handle`].
pub(super) unsafe fn in_signal_handler(
    ex: *mut lambda_executor_t,
    body: impl FnOnce(&lambda_executor_t),
) -> lambda_executor_status_t {
    // SAFETY: the caller passes NULL or a handle that lives until this call has returned.
    let Some(handle) = (unsafe { ex.as_ref() }) else { return LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT };
    if !handle.born.is_current() {
        return LAMBDA_EXECUTOR_ERR_FORKED;
    }
    match handle.waits.end() {
        Some(End::Closed) => LAMBDA_EXECUTOR_ERR_CLOSED,
        Some(End::Broken(_)) => LAMBDA_EXECUTOR_ERR_PANIC,
        Some(End::DescriptorsClosed) => LAMBDA_EXECUTOR_ERR_IO,
        None => {
            body(handle);
            LAMBDA_EXECUTOR_OK
        }
    }
}

/// Runs `body` with its records in the handle's log; a panic breaks the handle, whose state is unknown after it.
pub(super) fn breaking<T>(handle: &lambda_executor_t, body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    panics::catch(|| handle.log.on_this_thread(body)).unwrap_or_else(|story| {
        handle.waits.break_with(&story);
        handle.executor.stop_after_a_bug();
        Err(Failure::Panic(story))
    })
}

fn answer(err: &Out<*mut lambda_executor_error_t>, result: CallResult) -> lambda_executor_status_t {
    match result {
        Ok(status) => status,
        Err(failure) => {
            report(err, &failure);
            failure.status()
        }
    }
}

/// Creates the error object, if the caller asked for one.
pub(super) fn report(err: &Out<*mut lambda_executor_error_t>, failure: &Failure) {
    err.set_with(|| Box::into_raw(Box::new(lambda_executor_error_t::new(failure))));
}
