//! When silence means LOST.

use super::Core;
use super::finish::Outcome;

impl Core {
    /// A running task is lost when its deadline has passed *and* every queue has been read without a gap since, for
    /// longer than a stranger may have hidden its message from us, or a receive whose answer was lost.
    pub(super) fn find_lost(&mut self) {
        let now = self.now.mono_ms;
        if self.deadlines.first().is_none_or(|(deadline, _)| *deadline >= now) || self.receiving_paused() {
            return;
        }
        let Some((gapless_since, read_until)) = self.reading_span() else { return };
        if self.pollers.iter().any(|poller| poller.hidden_until_ms >= read_until) {
            return;
        }
        let hidden_ms = u64::from(self.settings.max_unmatched_delay_s) * 1000;
        while let Some(&(deadline, id)) = self.deadlines.first() {
            if deadline.max(gapless_since) + hidden_ms >= read_until {
                return;
            }
            let limit = self.settings.routes[0].result_timeout_ms;
            let message =
                format!("neither a result nor a dead letter within {limit} ms of submission (result_timeout_ms)");
            if let Some(task) = self.table.get(id) {
                tracing::warn!(task_key = %task.key, request_id = %task.request_id, "LOST: {message}");
            }
            self.finish(id, Outcome::lost(message), None);
        }
    }

    /// From when to when all queues have been read without failure or pause.
    fn reading_span(&self) -> Option<(u64, u64)> {
        let mut since = 0;
        let mut until = u64::MAX;
        for poller in &self.pollers {
            since = since.max(poller.good_since_ms?);
            until = until.min(poller.last_success_ms);
        }
        Some((since, until))
    }
}
