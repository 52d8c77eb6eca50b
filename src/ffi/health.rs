//! Is what the configuration names there and usable?

use super::error::lambda_executor_error_t;
use super::failure::Failure;
use super::handle::lambda_executor_t;
use super::status::*;
use super::{guard, strings, sync};
use crate::executor::ports::CallError;
use crate::runtime::eventfd::EventFd;
use crate::runtime::waits::Wait;
use std::ffi::c_char;
use std::sync::{Arc, Mutex, PoisonError};

/// Asks AWS now whether the functions are there and active and the queues can be used; the error says which is not, and
/// why.
///
/// timeout_ms: 0 only starts the check, -1 waits as long as it takes.
///
/// OK (all is well), TIMED_OUT, INTERRUPTED, ERR_AWS, ERR_CREDENTIALS, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED,
/// ERR_PANIC, ERR_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_check_health(
    ex: *mut lambda_executor_t,
    timeout_ms: i64,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `err` is NULL or writable, by the header's rules.
    unsafe {
        guard::on_handle(ex, err, |handle| {
            let deadline = sync::deadline(timeout_ms)?;
            let check = Arc::new(Check::new().map_err(Failure::io("making a descriptor to wait on"))?);
            let done = Arc::clone(&check);
            handle.executor.check_health(move |answer| done.put(answer));
            match handle.waits.begin().for_other(&check.answered, deadline).map_err(Failure::io("waiting for AWS"))? {
                Wait::Ready => check.take().map(|()| LAMBDA_EXECUTOR_OK).map_err(Failure::from),
                Wait::Interrupted => Ok(LAMBDA_EXECUTOR_INTERRUPTED),
                Wait::TimedOut => Ok(LAMBDA_EXECUTOR_TIMED_OUT),
                Wait::Ended => Err(handle.ended()),
            }
        })
    }
}

/// A check under way; whoever is last, the answer or the caller who gave up, closes the descriptor.
struct Check {
    answered: EventFd,
    answer: Mutex<Option<Result<(), CallError>>>,
}

impl Check {
    fn new() -> std::io::Result<Self> {
        Ok(Self { answered: EventFd::new()?, answer: Mutex::new(None) })
    }

    fn put(&self, answer: Result<(), CallError>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        self.answered.set();
    }

    fn take(&self) -> Result<(), CallError> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or(Ok(()))
    }
}

/// New AWS credentials from a host that keeps them itself. Not in this version: ERR_UNSUPPORTED.
///
/// ERR_UNSUPPORTED, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_set_credentials(
    ex: *mut lambda_executor_t,
    json: *const c_char,
    len: usize,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: as above; `json` is readable.
    unsafe {
        guard::on_handle(ex, err, |_| {
            strings::text(json, len, "json")?;
            Err(Failure::Unsupported(
                "set_credentials: this version takes credentials from the AWS default chain only (environment, shared \
                 files, SSO, web identity, container, instance), which renews them by itself"
                    .into(),
            ))
        })
    }
}
