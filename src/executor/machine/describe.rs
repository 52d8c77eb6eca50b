//! Everything about one task, for people.

use super::Machine;
use super::tasks::Task;
use crate::executor::task::{AttemptId, Reason, TaskState};
use std::sync::Arc;

/// All that is known of a task. Times from now on are in ms.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    pub(crate) key: Arc<str>,
    pub(crate) tag: u64,
    pub(crate) state: TaskState,
    pub(crate) route: String,
    pub(crate) attempt_id: Option<AttemptId>,
    pub(crate) adopted: bool,
    pub(crate) function_qualifier: Option<Arc<str>>,
    pub(crate) attempts: u32,
    pub(crate) unanswered_tries: u32,
    pub(crate) reason: Option<Reason>,
    pub(crate) return_code: Option<i32>,
    pub(crate) request_id: Arc<str>,
    pub(crate) last_error: String,
    pub(crate) waits_for: Option<String>,
    pub(crate) queued_at_ms: i64,
    pub(crate) submitted_at_ms: i64,
    pub(crate) finished_at_ms: i64,
    pub(crate) next_try_in_ms: Option<u64>,
    pub(crate) expires_in_ms: Option<u64>,
    pub(crate) deadline_in_ms: Option<u64>,
    pub(crate) final_event_handed_out: bool,
}

impl Machine {
    /// State of the newest task of a key.
    pub(crate) fn state(&self, key: &str) -> Option<TaskState> {
        self.tasks.newest(key).map(|(_, task)| task.state)
    }

    /// As [`Self::state`]; if the task has not ended, its end is reported by [`Self::take_watched_task_ended`].
    pub(crate) fn watch(&mut self, key: &str) -> Option<TaskState> {
        let (id, task) = self.tasks.newest(key)?;
        let state = task.state;
        if !state.is_final() {
            self.tasks.watch(id);
        }
        Some(state)
    }

    /// Everything about the newest task of a key.
    pub(crate) fn describe(&self, key: &str) -> Option<Description> {
        let (_, task) = self.tasks.newest(key)?;
        let now = self.now.mono_ms;
        Some(Description {
            key: Arc::clone(&task.key),
            tag: task.tag,
            state: task.state,
            route: self.submission.routes()[task.route()].settings.name.clone(),
            attempt_id: task.attempt,
            adopted: task.adopted,
            function_qualifier: task.qualifier().cloned(),
            attempts: task.attempts,
            unanswered_tries: task.unsure_tries,
            reason: task.reason(),
            return_code: task.return_code(),
            request_id: task.request_id(),
            last_error: task.message().into(),
            waits_for: self.waits_for(task),
            queued_at_ms: task.queued_at_ms,
            submitted_at_ms: task.submitted_at_ms(),
            finished_at_ms: task.finished_at_ms(),
            next_try_in_ms: task.backing_off_until().map(|at| at.saturating_sub(now)),
            expires_in_ms: task.expires_at.map(|at| at.get().saturating_sub(now)),
            deadline_in_ms: task.deadline().map(|at| at.saturating_sub(self.inbox.reading().now_ms())),
            final_event_handed_out: task.final_handed_out,
        })
    }

    /// What keeps a task from being submitted; `None` if it does not wait for that.
    pub(super) fn waits_for(&self, task: &Task) -> Option<String> {
        if task.state != TaskState::Queued {
            return None;
        }
        let route = &self.submission.routes()[task.route()];
        if let Some((reason, ..)) = self.submission.queue_check() {
            return Some(format!("the check of the queues: {reason}"));
        }
        if let Some(trouble) = self.submission.trouble() {
            return Some(format!("credentials that {} accepts: {}", trouble.rejected_by.name(), trouble.reason));
        }
        if let Some(open) = route.open() {
            return Some(format!("the function: {}", open.reason));
        }
        Some(match task.backing_off_until() {
            Some(_) => "the next try after a failed one".into(),
            None if route.paused_until_ms() > self.now.mono_ms => "Lambda, which throttles".into(),
            None => "its turn".into(),
        })
    }
}
