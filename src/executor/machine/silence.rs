//! When silence means LOST.
//!
//! A task's deadline is on the clock of [`super::inbox::Reading`], which runs only while all queues are read. It lies
//! `result_timeout_ms` after Lambda accepted the event, and then as long as another reader of the queue may hide a message.

use super::deliveries::{FIRST_VISIBILITY_S, LONGEST_VISIBILITY_S};
use super::ending::Ending;
use super::inbox::WAIT_S;
use super::{Machine, Phase, SLICE};
use crate::executor::task::TaskState;

/// How long an earlier process may have hidden a result of a task that this one takes over: a receive of it that was
/// aborted may take messages until its wait ends, and a message is hidden for as long as the longest extension.
const HIDDEN_BY_PREDECESSOR_MS: u64 = (WAIT_S + LONGEST_VISIBILITY_S) as u64 * 1_000;

impl Machine {
    /// The deadline of a task that Lambda accepted now and whose limit is `limit_ms`.
    pub(super) fn deadline_ms(&self, limit_ms: u64) -> u64 {
        let reading = self.inbox.reading().at_most_ms(self.now.mono_ms);
        reading.saturating_add(limit_ms).saturating_add(self.inbox.hidden_ms())
    }

    /// The same for a task that an earlier process submitted.
    pub(super) fn deadline_after_predecessor_ms(&self, limit_ms: u64) -> u64 {
        self.deadline_ms(limit_ms).saturating_add(HIDDEN_BY_PREDECESSOR_MS)
    }

    pub(super) fn find_lost(&mut self) {
        // Also while receiving is paused: a verdict that is put off would be of an older reading.
        if self.phase == Phase::Closed {
            return;
        }
        for _ in 0..SLICE {
            let Some((deadline, id)) = self.tasks.first_deadline() else { return };
            if deadline > self.inbox.reading().now_ms() {
                return;
            }
            let Some(task) = self.tasks.get(id) else { return };
            // A receive of ours whose answer was lost may have hidden its message. Once: or a queue where one receive in
            // a hundred fails would never find a task LOST.
            if self.inbox.reading().has_lost_answer_since(task.awaited_since_ms())
                && self.tasks.postpone_deadline(id, u64::from(FIRST_VISIBILITY_S) * 1_000)
            {
                continue;
            }
            self.finish(id, self.silent(id), None);
        }
    }

    fn silent(&self, id: super::tasks::TaskId) -> Ending {
        let Some(task) = self.tasks.get(id) else { return Ending::lost(String::new()) };
        let limit = self.limit_of(id);
        if task.state == TaskState::Submitting {
            let most = self.settings.max_invoke_attempts;
            let why = if task.tries() < most {
                "its max_wait_ms was over".into()
            } else {
                format!("max_invoke_attempts {most}")
            };
            let message = format!(
                "Invoke failed {} times ({why}), {} of them because the answer was lost; nothing was heard of the task for \
                 {limit} ms (result_timeout_ms); it may have run",
                task.tries(),
                task.unsure_tries
            );
            return Ending::invoke_failed(message);
        }
        let since = if task.adopted { "it was adopted" } else { "Lambda accepted it" };
        let message =
            format!("neither a result nor a dead letter arrived within {limit} ms after {since} (result_timeout_ms)");
        tracing::warn!(task_key = %task.key, request_id = %task.request_id(), "LOST: {message}");
        Ending::lost(message)
    }
}
