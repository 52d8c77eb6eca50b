//! Waiting for one task.

use super::error::lambda_executor_error_t;
use super::failure::Failure;
use super::guard::{self, CallResult};
use super::handle::lambda_executor_t;
use super::out::Out;
use super::state::{LAMBDA_EXECUTOR_TASK_UNKNOWN, lambda_executor_task_state_t, state_number};
use super::status::*;
use super::{strings, sync};
use crate::runtime::waits::{Deadline, Wait};
use std::ffi::c_char;

/// Waits until the newest task of a key is final: run one task, wait for it. Its events still wait
/// for lambda_executor_sync, with the return code and the output, and must be acknowledged. Several
/// threads may wait, for the same key or for others.
///
/// timeout_ms: 0 does not wait, -1 waits without limit.
/// state: set to the state of the task at the return of the call; final with OK. UNKNOWN on
///   failure.
///
/// OK, TIMED_OUT, INTERRUPTED, NOT_FOUND (no task of that key is known), ERR_INVALID_ARGUMENT,
/// ERR_CLOSED, ERR_FORKED, ERR_PANIC, ERR_IO.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lambda_executor_wait(
    ex: *mut lambda_executor_t,
    key: *const c_char,
    len: usize,
    timeout_ms: i64,
    state: *mut lambda_executor_task_state_t,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `key` readable, `state` and `err` NULL or writable, by the header's rules.
    unsafe {
        let state = Out::optional(state, LAMBDA_EXECUTOR_TASK_UNKNOWN);
        guard::on_handle(ex, err, |handle| {
            state.required("state")?;
            let key = strings::key(key, len)?;
            wait(handle, key, sync::deadline(timeout_ms)?, &state)
        })
    }
}

fn wait(
    handle: &lambda_executor_t,
    key: &str,
    deadline: Deadline,
    state: &Out<lambda_executor_task_state_t>,
) -> CallResult {
    // Most calls of a host that polls end here, without a descriptor.
    match handle.executor.state(key) {
        None => return Ok(LAMBDA_EXECUTOR_NOT_FOUND),
        Some(found) if found.is_final() => {
            state.set(state_number(found));
            return Ok(LAMBDA_EXECUTOR_OK);
        }
        Some(_) => {}
    }
    let mut waiting = handle.waits.begin();
    let ends = handle.waits.watch().map_err(Failure::io("making a descriptor to wait on"))?;
    loop {
        // An end between the look and the wait sets the descriptor again.
        ends.clear();
        let Some(found) = handle.executor.watch(key) else {
            state.set(LAMBDA_EXECUTOR_TASK_UNKNOWN);
            return Ok(LAMBDA_EXECUTOR_NOT_FOUND);
        };
        state.set(state_number(found));
        if found.is_final() {
            return Ok(LAMBDA_EXECUTOR_OK);
        }
        match waiting.for_other(&ends, deadline).map_err(Failure::io("waiting for a task"))? {
            // Perhaps another watched task ended; then the next turn waits again.
            Wait::Ready => {}
            Wait::Interrupted => return Ok(LAMBDA_EXECUTOR_INTERRUPTED),
            Wait::TimedOut => return Ok(LAMBDA_EXECUTOR_TIMED_OUT),
            Wait::Ended => {
                state.set(LAMBDA_EXECUTOR_TASK_UNKNOWN);
                return Err(handle.ended());
            }
        }
    }
}
