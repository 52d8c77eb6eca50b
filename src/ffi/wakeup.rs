//! For hosts with an event loop, and for signal handlers.

use super::error::lambda_executor_error_t;
use super::guard;
use super::handle::lambda_executor_t;
use super::out::Out;
use super::status::*;
use std::ffi::c_int;

/// Returns a descriptor for poll or epoll. It is readable while events wait that have not been
/// handed out, and from the moment on when a drain is over or the executor is closed or broken, so
/// that an event loop learns of it from its next `sync`. Call `sync` with timeout 0 when it is
/// readable. Never read, write or close it. It lives as long as the executor.
///
/// fd: set to the descriptor, -1 on failure.
///
/// OK, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_wakeup_fd(
    ex: *const lambda_executor_t,
    fd: *mut c_int,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `fd` and `err` are NULL or writable, by the header's rules.
    unsafe {
        let fd = Out::optional(fd, -1);
        guard::on_handle(ex, err, |handle| {
            fd.required("fd")?;
            fd.set(handle.waits.events_descriptor());
            Ok(LAMBDA_EXECUTOR_OK)
        })
    }
}

/// Ends every wait in progress (`sync`, `wait`, `drain`, `check_health`) with INTERRUPTED; if there
/// is none, the next one. The only function that may be called in a signal handler. Keeps errno.
///
/// OK, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_wake(ex: *mut lambda_executor_t) -> lambda_executor_status_t {
    // SAFETY: as above.
    unsafe { guard::in_signal_handler(ex, |handle| handle.waits.wake()) }
}
