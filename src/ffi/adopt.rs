//! Tasks of an earlier process.

use super::entries::{self, Entries};
use super::error::lambda_executor_error_t;
use super::guard;
use super::handle::lambda_executor_t;
use super::status::*;
use super::task::{self, Tasks, lambda_executor_task_t};

/// Tracks tasks that an executor of an earlier process submitted: they count as running, count
/// against limits, and get their final events here. Read of each task: key, tag, queue, attempt_id
/// and result_timeout_ms, which counts from this call; timeout_ms is checked and has no effect.
///
/// With an attempt_id, only results of that submission end the task, and results without an id (of
/// Airflow's function). Without one, results match by the key alone: whatever an earlier submission
/// of the key left in the queue ends it. So use a new key for each try, or store the attempt_id.
///
/// To be able to restart, store key and attempt_id (lambda_executor_new_attempt_id) before
/// lambda_executor_queue. After a crash, a stored task without a final event may have been
/// submitted or not: adopting it runs it at most once, and if it was not submitted it is LOST in
/// the end; queueing it again runs it at least once.
///
/// n: at most LAMBDA_EXECUTOR_MAX_BATCH.
/// results: room for n statuses: OK, DUPLICATE (key or attempt_id is already tracked),
///   ERR_INVALID_ARGUMENT, ERR_CLOSED. May be NULL.
/// first_error: as for lambda_executor_queue_batch.
///
/// OK if every task is OK, PARTIAL if not; ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED and
/// ERR_PANIC if no task was adopted.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lambda_executor_adopt(
    ex: *mut lambda_executor_t,
    tasks: *const lambda_executor_task_t,
    n: usize,
    results: *mut lambda_executor_status_t,
    first_error: *mut *mut lambda_executor_error_t,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `tasks` has n tasks, `results` is NULL or has room for n statuses,
    // `first_error` and `err` are NULL or writable, by the header's rules.
    unsafe {
        let entries = Entries::new(results, n, first_error);
        entries.fill_on_failure(guard::on_handle(ex, err, |handle| {
            let tasks = Tasks::new(tasks, n)?;
            let specs = tasks.iter().map(|task| task::to_adopt(&task?)).collect();
            let answers = entries::pass_on(specs, |specs| handle.executor.adopt(specs));
            Ok(entries.report("tasks", answers).0)
        }))
    }
}
