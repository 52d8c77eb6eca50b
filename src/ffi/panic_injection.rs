//! An export that panics on purpose, for the tests of the guard. Not in the header, and not in a shipped library.

use super::error::lambda_executor_error_t;
use super::handle::lambda_executor_t;
use super::status::*;
use super::{failure::Failure, guard};
use crate::executor::ports::Readiness;
use std::sync::atomic::{AtomicBool, Ordering};

static ARMED: AtomicBool = AtomicBool::new(false);

/// Panics once after `lambda_executor_test_panic` with `place` 2.
#[expect(clippy::panic, reason = "its purpose")]
pub(super) fn panic_if_armed() {
    if ARMED.swap(false, Ordering::SeqCst) {
        panic!("injected by a test");
    }
}

/// Panics in the call (`place` 0), reports a panic of the driver (1), or in the next call that acknowledges or frees a
/// batch (2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_test_panic(
    ex: *mut lambda_executor_t,
    place: i32,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `err` is NULL or writable.
    unsafe {
        guard::on_handle(ex, err, |handle| match place {
            #[expect(clippy::panic, reason = "its purpose")]
            0 => panic!("injected by a test"),
            1 => {
                handle.waits.broken();
                Ok(LAMBDA_EXECUTOR_OK)
            }
            2 => {
                ARMED.store(true, Ordering::SeqCst);
                Ok(LAMBDA_EXECUTOR_OK)
            }
            _ => Err(Failure::argument("place is 0, 1 or 2")),
        })
    }
}
