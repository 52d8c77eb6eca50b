//! Tasks in.

use super::error::lambda_executor_error_t;
use super::failure::{Failure, refused};
use super::guard::{self, Outcome};
use super::handle::lambda_executor_t;
use super::out::{Out, Results};
use super::status::*;
use super::task::{self, Tasks};
use super::types::lambda_executor_task_t;

/// Hands one task in. It is copied, and accepted or not at once; never waits on the network.
///
/// OK, DUPLICATE, QUEUE_FULL, ERR_INVALID_ARGUMENT, ERR_PAYLOAD_TOO_LARGE, ERR_CLOSED (also while draining), ERR_FORKED,
/// ERR_PANIC.
#[unsafe(no_mangle)]
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

/// Hands n tasks in under one lock: cheaper than n calls, and each is accepted or refused by itself.
///
/// tasks: an array whose elements are tasks[0].struct_size bytes apart.
/// results: room for n statuses, one for each task as lambda_executor_queue would return it; after a QUEUE_FULL all later
///   ones are QUEUE_FULL too. May be NULL.
/// accepted: set to the number of OKs. May be NULL.
/// err: tells of the first task that failed (a negative status), though the call returns OK.
///
/// OK when each task has its status, otherwise what lambda_executor_queue returns, and no task was accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_queue_batch(
    ex: *mut lambda_executor_t,
    tasks: *const lambda_executor_task_t,
    n: usize,
    results: *mut lambda_executor_status_t,
    accepted: *mut usize,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: as above; `results` is NULL or has room for n statuses, `accepted` is NULL or writable.
    unsafe {
        let accepted = Out::optional(accepted, 0);
        let results = Results::new(results, n);
        results.fill_on_failure(guard::on_handle(ex, err, |handle| {
            let tasks = Tasks::new(tasks, n)?;
            let specs = tasks.iter().map(|task| task::to_queue(&task?)).collect();
            let report = |failure: &Failure| guard::report(&Out::optional(err, std::ptr::null_mut()), failure);
            let count = each(specs, &results, report, |specs| handle.executor.queue_batch(specs));
            accepted.set(count);
            Ok(LAMBDA_EXECUTOR_OK)
        }))
    }
}

/// Passes on the specs that could be read, and tells each one's outcome in its place. Returns how many were accepted.
pub(super) fn each<S>(
    specs: Vec<Result<S, Failure>>,
    results: &Results,
    report: impl FnOnce(&Failure),
    pass_on: impl FnOnce(Vec<S>) -> Vec<Result<(), crate::executor::Refusal>>,
) -> usize {
    let mut readable = Vec::with_capacity(specs.len());
    let unreadable: Vec<Option<Failure>> =
        specs.into_iter().map(|spec| spec.map(|spec| readable.push(spec)).err()).collect();
    let mut answers = pass_on(readable).into_iter();

    let (mut accepted, mut full, mut report) = (0, false, Some(report));
    for (at, unreadable) in unreadable.into_iter().enumerate() {
        let outcome: Outcome = match unreadable {
            Some(failure) => Err(failure),
            None => answers.next().unwrap_or(Ok(())).map_or_else(refused, |()| Ok(LAMBDA_EXECUTOR_OK)),
        };
        let status = match outcome {
            // What comes after a full queue was not looked at, as far as the host is concerned.
            _ if full => LAMBDA_EXECUTOR_QUEUE_FULL,
            Ok(status) => status,
            Err(failure) => {
                if let Some(report) = report.take() {
                    report(&failure);
                }
                failure.status()
            }
        };
        full = status == LAMBDA_EXECUTOR_QUEUE_FULL;
        accepted += usize::from(status == LAMBDA_EXECUTOR_OK);
        results.set(at, status);
    }
    accepted
}
