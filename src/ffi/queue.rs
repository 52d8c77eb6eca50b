//! Tasks in.

use super::entries::{self, Entries};
use super::error::lambda_executor_error_t;
use super::failure::{Failure, refused};
use super::guard;
use super::handle::lambda_executor_t;
use super::out::Out;
use super::status::*;
use super::task::{self, Tasks, lambda_executor_task_t};
use crate::executor::AttemptId;
use std::ffi::c_char;

/// Submits one task. It is copied, and accepted or refused at once. Never waits on the network.
///
/// OK, DUPLICATE, QUEUE_FULL, ERR_INVALID_ARGUMENT, ERR_PAYLOAD_TOO_LARGE, ERR_CLOSED (also while
/// draining), ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lambda_executor_queue(
    ex: *mut lambda_executor_t,
    task: *const lambda_executor_task_t,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `task` is NULL or filled in, `err` is NULL or writable, by the header.
    unsafe {
        guard::on_handle(ex, err, |handle| {
            let tasks = Tasks::new(task, 1)?;
            let Some(task) = tasks.iter().next() else { return Ok(LAMBDA_EXECUTOR_OK) };
            let spec = task::to_queue(&task?)?;
            handle.executor.queue(spec).map_or_else(refused, |()| Ok(LAMBDA_EXECUTOR_OK))
        })
    }
}

/// Submits n tasks in one call, which is cheaper than n calls. Each is accepted or refused by
/// itself.
///
/// tasks: an array whose elements are tasks[0].struct_size bytes apart.
/// n: at most LAMBDA_EXECUTOR_MAX_BATCH.
/// results: room for n statuses, one for each task as lambda_executor_queue would return it; all
///   tasks after a QUEUE_FULL are QUEUE_FULL too. May be NULL.
/// accepted: set to the number of tasks that are OK. May be NULL.
/// first_error: with PARTIAL, set to the error of the first task whose status is negative, which
///   you free; otherwise NULL. May be NULL, and may be the same pointer as err.
///
/// OK if every task is OK, PARTIAL if not; ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED and
/// ERR_PANIC if no task was accepted.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lambda_executor_queue_batch(
    ex: *mut lambda_executor_t,
    tasks: *const lambda_executor_task_t,
    n: usize,
    results: *mut lambda_executor_status_t,
    accepted: *mut usize,
    first_error: *mut *mut lambda_executor_error_t,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: as above; `results` is NULL or has room for n statuses, `accepted` and `first_error` are NULL or
    // writable.
    unsafe {
        let accepted = Out::optional(accepted, 0);
        let entries = Entries::new(results, n, first_error);
        entries.fill_on_failure(guard::on_handle(ex, err, |handle| {
            let tasks = Tasks::new(tasks, n)?;
            let specs = tasks.iter().map(|task| task::to_queue(&task?)).collect();
            let answers = entries::pass_on(specs, |specs| handle.executor.queue_batch(specs));
            let (status, ok) = entries.report("tasks", answers);
            accepted.set(ok);
            Ok(status)
        }))
    }
}

/// Size of an attempt_id with its NUL.
pub const LAMBDA_EXECUTOR_ATTEMPT_ID_SIZE: u32 = 37;

/// Creates a random attempt_id, a version 4 UUID. A host with a database stores it with the task
/// before it calls lambda_executor_queue: after a crash it can adopt exactly that submission, or
/// submit it again with the same attempt_id.
///
/// id: set to 36 characters and a NUL; empty on failure.
///
/// OK, ERR_INVALID_ARGUMENT (id is NULL), ERR_IO (the kernel has no random bytes), ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lambda_executor_new_attempt_id(id: *mut c_char) -> lambda_executor_status_t {
    // SAFETY: NULL or writable for 37 bytes, by the header's rules.
    let out = unsafe { Out::optional(id.cast::<[u8; 37]>(), [0; 37]) };
    // SAFETY: no error object is asked for.
    unsafe {
        guard::call(std::ptr::null_mut(), || {
            out.required("id")?;
            let mut random = [0; 16];
            getrandom::fill(&mut random).map_err(|error| Failure::Io {
                what: "asking for random bytes",
                source: std::io::Error::other(error),
            })?;
            let mut text = [0; 37];
            for (to, from) in text.iter_mut().zip(AttemptId::from_random(random).to_string().bytes()) {
                *to = from;
            }
            out.set(text);
            Ok(LAMBDA_EXECUTOR_OK)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    #[test]
    fn attempt_ids_are_terminated_uuids_and_differ() {
        let make = || {
            let mut id = [b'x'; 38];
            // SAFETY: room for 37 bytes.
            assert_eq!(unsafe { lambda_executor_new_attempt_id(id.as_mut_ptr().cast()) }, LAMBDA_EXECUTOR_OK);
            assert_eq!(id[37], b'x');
            CStr::from_bytes_until_nul(&id).unwrap().to_str().unwrap().to_owned()
        };
        let (one, other) = (make(), make());
        assert!(AttemptId::parse(&one).is_some() && one.as_bytes()[14] == b'4', "{one}");
        assert_ne!(one, other);
        // SAFETY: NULL is refused.
        let null = unsafe { lambda_executor_new_attempt_id(std::ptr::null_mut()) };
        assert_eq!(null, LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT);
    }
}
