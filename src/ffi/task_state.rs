//! Questions about tasks, and what a host can still do to them.

use super::error::lambda_executor_error_t;
use super::failure::Failure;
use super::handle::lambda_executor_t;
use super::out::{Buffer, Out, Results};
use super::status::*;
use super::task::{self, Tasks, struct_size};
use super::types::*;
use super::{guard, names, queue, strings};
use crate::executor::Counts;
use std::ffi::c_char;

/// State of the newest task of a key. Finished tasks stay visible until their final event is acknowledged, and then
/// until option keep_finished more have finished.
///
/// state: set to one of LAMBDA_EXECUTOR_TASK_..., UNKNOWN where there is no such task.
///
/// OK, NOT_FOUND, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_state(
    ex: *mut lambda_executor_t,
    key: *const c_char,
    len: usize,
    state: *mut lambda_executor_task_state_t,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `key` readable, `state` and `err` NULL or writable, by the header's rules.
    unsafe {
        let state = Out::optional(state, LAMBDA_EXECUTOR_TASK_UNKNOWN);
        guard::on_handle(ex, err, |handle| {
            state.required("state")?;
            let Some(found) = handle.executor.state(strings::key(key, len)?) else {
                return Ok(LAMBDA_EXECUTOR_NOT_FOUND);
            };
            state.set(names::state_number(found));
            Ok(LAMBDA_EXECUTOR_OK)
        })
    }
}

/// Everything about the newest task of a key as a JSON object: state, times, attempts, the last error. For people and
/// their tools; fields may be added.
///
/// buf, cap: where to put it, with a NUL. NULL and 0 ask for the size only.
/// needed: set to the size in bytes, its NUL included. May be NULL.
///
/// OK, BUFFER_TOO_SMALL (nothing written), NOT_FOUND, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_describe(
    ex: *mut lambda_executor_t,
    key: *const c_char,
    len: usize,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: as above; `buf` is NULL or writable for `cap` bytes.
    unsafe {
        let needed = Out::optional(needed, 0);
        guard::on_handle(ex, err, |handle| {
            let buffer = Buffer::new(buf, cap)?;
            Ok(match handle.executor.describe(strings::key(key, len)?) {
                Some(text) => buffer.put(&text, &needed),
                None => LAMBDA_EXECUTOR_NOT_FOUND,
            })
        })
    }
}

/// How many tasks and events are where. Cheap enough for every heartbeat.
///
/// counts: set struct_size before the call; zero on failure but for it.
///
/// OK, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_counts(
    ex: *mut lambda_executor_t,
    counts: *mut lambda_executor_counts_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed; `counts` is NULL or has struct_size bytes, by the header's rules.
    unsafe {
        let writable = write_counts(counts, Counts::default());
        guard::on_handle(ex, std::ptr::null_mut(), |handle| {
            writable?;
            write_counts(counts, handle.executor.counts())?;
            Ok(LAMBDA_EXECUTOR_OK)
        })
    }
}

/// Writes as much of the struct as the caller has; a newer caller's further fields become zero.
///
/// # Safety
/// `to` is NULL or starts with its size in bytes, and may be written for so many.
unsafe fn write_counts(to: *mut lambda_executor_counts_t, counts: Counts) -> Result<(), Failure> {
    const FIRST_SIZE: usize = size_of::<lambda_executor_counts_t>();
    if to.is_null() {
        return Err(Failure::argument("counts is NULL"));
    }
    // SAFETY: not NULL, and every version of the struct starts with struct_size.
    let told = unsafe { to.cast::<u32>().read_unaligned() };
    let size = struct_size(told);
    if !(FIRST_SIZE..=task::MOST_SIZE).contains(&size) {
        return Err(Failure::argument(format!(
            "struct_size of counts is {size}: set it to sizeof(lambda_executor_counts_t) (here {FIRST_SIZE})"
        )));
    }
    let Counts { queued, submitting, running, waiting_events, unacknowledged } = counts;
    let ours = lambda_executor_counts_t {
        struct_size: told,
        reserved: 0,
        queued,
        submitting,
        running,
        waiting_events,
        unacknowledged,
    };
    let known = size.min(size_of::<lambda_executor_counts_t>());
    // SAFETY: within the caller's struct and within ours.
    unsafe {
        let to = to.cast::<u8>();
        to.copy_from_nonoverlapping(std::ptr::from_ref(&ours).cast(), known);
        to.add(known).write_bytes(0, size - known);
    }
    Ok(())
}

/// Cancels tasks by key. One that waits never runs; one that was submitted is given up: its slot is free at once, and a
/// late result is thrown away. Each gets a CANCELLED event.
///
/// results: room for n statuses: OK, NOT_FOUND (finished or unknown), ERR_INVALID_ARGUMENT. May be NULL.
/// err: tells of the first key that failed (a negative status), though the call returns OK.
///
/// OK when each key has its status, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_cancel(
    ex: *mut lambda_executor_t,
    keys: *const lambda_executor_str_t,
    n: usize,
    results: *mut lambda_executor_status_t,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `keys` has n strings, `results` is NULL or has room for n statuses, `err`
    // is NULL or writable, by the header's rules.
    unsafe {
        let results = Results::new(results, n);
        results.fill_on_failure(guard::on_handle(ex, err, |handle| {
            if keys.is_null() && n > 0 {
                return Err(Failure::argument(format!("keys is NULL, but n is {n}")));
            }
            let keys = (0..n).map(|at| keys.add(at).read_unaligned()).map(|key| strings::key(key.ptr, key.len));
            let report = |failure: &Failure| guard::report(&Out::optional(err, std::ptr::null_mut()), failure);
            cancel(handle, keys.collect(), &results, report);
            Ok(LAMBDA_EXECUTOR_OK)
        }))
    }
}

fn cancel(
    handle: &lambda_executor_t,
    keys: Vec<Result<&str, Failure>>,
    results: &Results,
    report: impl FnOnce(&Failure),
) {
    let readable: Vec<&str> = keys.iter().filter_map(|key| key.as_ref().ok().copied()).collect();
    let mut cancelled = handle.executor.cancel(&readable).into_iter();
    let mut report = Some(report);
    for (at, key) in keys.iter().enumerate() {
        results.set(
            at,
            match key {
                Ok(_) if cancelled.next().unwrap_or(false) => LAMBDA_EXECUTOR_OK,
                Ok(_) => LAMBDA_EXECUTOR_NOT_FOUND,
                Err(failure) => {
                    if let Some(report) = report.take() {
                        report(failure);
                    }
                    failure.status()
                }
            },
        );
    }
}

/// Takes over tasks that an executor of an earlier process submitted: they are tracked as running, count against limits,
/// and get their final events here. Read of each task: key, tag, queue, attempt_id; timeout_ms is checked
/// and of no effect, since option result_timeout_ms says when a task of which nothing was heard is LOST.
///
/// With an attempt_id (from the task's RUNNING event), only results of that submission end the task, and those that tell
/// none (of Airflow's function). Without, results are matched by the key alone: what any earlier submission of the key
/// left in the queue is taken for this one's, so use a new key for each try, or keep the attempt_id.
///
/// To be able to restart, write each key down before `queue`, and its attempt_id when RUNNING tells it. Then, of a task that
/// had no final event: with a RUNNING event it was submitted, adopt it. Without one it may have been submitted or not:
/// to adopt it runs it once at most, and where it was not submitted it is LOST in the end (option result_timeout_ms); to
/// queue it again runs it once at least, and perhaps twice. With option running_events false this is so of all tasks.
///
/// results: room for n statuses: OK, DUPLICATE (key or attempt_id is already tracked), ERR_INVALID_ARGUMENT, ERR_CLOSED. May be NULL.
/// err: tells of the first task that failed (a negative status), though the call returns OK.
///
/// OK when each task has its status, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_adopt(
    ex: *mut lambda_executor_t,
    tasks: *const lambda_executor_task_t,
    n: usize,
    results: *mut lambda_executor_status_t,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: as above, `tasks` being an array of n tasks.
    unsafe {
        let results = Results::new(results, n);
        results.fill_on_failure(guard::on_handle(ex, err, |handle| {
            let tasks = Tasks::new(tasks, n)?;
            let specs = tasks.iter().map(|task| task::to_adopt(&task?)).collect();
            let report = |failure: &Failure| guard::report(&Out::optional(err, std::ptr::null_mut()), failure);
            queue::each(specs, &results, report, |specs| handle.executor.adopt(specs));
            Ok(LAMBDA_EXECUTOR_OK)
        }))
    }
}
