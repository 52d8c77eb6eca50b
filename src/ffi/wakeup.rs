//! For hosts with an event loop, and for signal handlers.

use super::guard;
use super::handle::lambda_executor_t;
use super::status::*;

/// A descriptor for poll or epoll: readable exactly while events wait that have not been handed out (and once the
/// executor is closed or broken, so that a loop learns of it from its next `sync`). Call `sync` with timeout 0 when it is.
/// Never read, write or close it; it lives as long as the executor.
///
/// The descriptor, or a negative status: ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_wakeup_fd(ex: *mut lambda_executor_t) -> i32 {
    // SAFETY: `ex` is NULL or not yet freed, by the header's rules.
    unsafe { guard::on_handle(ex, std::ptr::null_mut(), |handle| Ok(handle.waits.events_descriptor())) }
}

/// Ends every wait in progress (`sync`, `drain`, `check_health`) with INTERRUPTED, or the next one where there is none.
/// The only function that may be called in a signal handler; keeps errno.
///
/// OK, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_wake(ex: *mut lambda_executor_t) -> lambda_executor_status_t {
    // SAFETY: as above.
    unsafe { guard::in_signal_handler(ex, |handle| handle.waits.wake()) }
}
