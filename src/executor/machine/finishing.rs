//! The end of a task, the events that report it, and what happens when the host has acknowledged them.

use super::ending::Ending;
use super::events::{Unacknowledged, Waiting};
use super::tasks::{Ended, Left, TaskId};
use super::{Delete, DeliveryId, Machine, Record};
use crate::executor::event::{Event, HandedOut};
use crate::executor::task::{Reason, TaskState};
use std::sync::Arc;

impl Machine {
    /// RUNNING, once a task.
    pub(super) fn report_running(&mut self, id: TaskId) {
        if self.tasks.report_running(id) && self.settings.running_events {
            self.events.push(Waiting::Running(id));
        }
    }

    /// Ends a task: every way to a final state comes through here. `delivery`: the message that says so.
    pub(super) fn finish(&mut self, id: TaskId, ending: Ending, delivery: Option<DeliveryId>) {
        if let Some(left) = self.end(id, ending, delivery) {
            self.submission.left(left, &self.tasks);
        }
    }

    /// As [`Self::finish`], for a task that has been taken out of its line.
    pub(super) fn finish_taken(&mut self, id: TaskId, ending: Ending) {
        if let Some(left) = self.end(id, ending, None) {
            self.submission.left_taken(left);
        }
    }

    fn end(&mut self, id: TaskId, ending: Ending, delivery: Option<DeliveryId>) -> Option<Left> {
        if ending.accepted {
            self.report_running(id);
        }
        let Ending { state, reason, message, signal, result, request_id, accepted } = ending;
        let return_code = result.as_ref().map(|result| result.return_code);
        let result = result.unwrap_or_default();
        let finished_at_ms = if result.finished_at_ms > 0 { result.finished_at_ms } else { self.now.unix_ms };
        let left = self.tasks.end(
            id,
            Ended {
                state,
                reason,
                return_code,
                message: message.as_str().into(),
                request_id: request_id.into(),
                finished_at_ms,
                accepted,
            },
        );
        let Some(left) = left else {
            self.counts.ended_twice += 1;
            tracing::error!(
                state = state.name(),
                reason = reason.name(),
                "a task was to end a second time; this is a bug"
            );
            return None;
        };
        if result.started_at_ms > 0 && result.finished_at_ms >= result.started_at_ms {
            self.latencies.run_time.record((result.finished_at_ms - result.started_at_ms).unsigned_abs());
        }
        self.count_ended(state, reason);
        let event = Arc::new(Event {
            state,
            reason: Some(reason),
            return_code,
            signal,
            started_at_ms: result.started_at_ms,
            message,
            output_tail: result.output_tail,
            output_length: result.output_length,
            output_truncated: result.output_truncated,
            value: result.value,
            value_dropped: result.value_dropped,
            log_stream: result.log_stream,
            ..self.event_of(id)
        });
        tracing::debug!(task_key = %event.key, state = state.name(), reason = reason.name(), "ended: {}", event.message);
        if let Some(task) = self.task_name(id) {
            self.records.add(|| Record::Ended { task, event: Arc::clone(&event) });
        }
        self.events.push(Waiting::Final { task: id, event, delivery });
        Some(left)
    }

    fn count_ended(&mut self, state: TaskState, reason: Reason) {
        match state {
            TaskState::Succeeded => self.counts.succeeded += 1,
            TaskState::Failed => self.counts.failed += 1,
            TaskState::Cancelled => self.counts.cancelled += 1,
            TaskState::Lost => self.counts.lost += 1,
            TaskState::Queued | TaskState::Submitting | TaskState::Running => {}
        }
        self.counts.dead_letters += u64::from(reason == Reason::DeadLetter);
    }

    /// An event with what the task's record has: RUNNING.
    fn event_of(&self, id: TaskId) -> Event {
        let task = self.tasks.get(id);
        let number = |of: fn(&super::tasks::Task) -> i64| task.map_or(0, of);
        Event {
            tag: task.map_or(0, |task| task.tag),
            key: task.map_or_else(|| "".into(), |task| Arc::clone(&task.key)),
            state: TaskState::Running,
            reason: None,
            return_code: None,
            signal: 0,
            attempts: task.map_or(0, |task| task.attempts),
            queued_at_ms: number(|task| task.queued_at_ms),
            submitted_at_ms: number(super::tasks::Task::submitted_at_ms),
            started_at_ms: 0,
            finished_at_ms: number(super::tasks::Task::finished_at_ms),
            message: String::new(),
            output_tail: String::new(),
            output_length: 0,
            output_truncated: false,
            value: Vec::new(),
            value_dropped: false,
            request_id: task.map_or_else(String::new, |task| task.request_id().as_ref().into()),
            log_stream: String::new(),
            attempt_id: task.and_then(|task| task.attempt),
        }
    }

    /// Hands out up to `max` events: first those that come again, then the oldest.
    pub(crate) fn take_events(&mut self, max: usize) -> Vec<HandedOut> {
        let mut events = Vec::with_capacity(max.min(self.events.waiting()));
        while events.len() < max
            && let Some(event) = self.events.pop_again()
        {
            events.push(event);
        }
        while events.len() < max
            && let Some(waiting) = self.events.pop()
        {
            events.push(self.hand_out(waiting));
        }
        events
    }

    fn hand_out(&mut self, waiting: Waiting) -> HandedOut {
        match waiting {
            Waiting::Running(task) => {
                let event = Arc::new(Event { finished_at_ms: 0, ..self.event_of(task) });
                let seq = self.events.number(Unacknowledged { task, delivery: None, is_final: false });
                self.tasks.running_handed_out(task, seq);
                HandedOut { seq, event }
            }
            Waiting::Final { task, event, delivery } => {
                self.tasks.final_handed_out(task);
                HandedOut { seq: self.events.number(Unacknowledged { task, delivery, is_final: true }), event }
            }
        }
    }

    /// A batch was freed: those of its events that are not acknowledged are handed out again.
    pub(crate) fn hand_out_again(&mut self, events: Vec<HandedOut>) {
        self.events.hand_out_again(events);
    }

    /// The host is done with these events: their messages may be deleted. Unknown and repeated numbers are fine. The
    /// acknowledgement of a final event includes its RUNNING event.
    pub(crate) fn acknowledge(&mut self, seqs: &[u64]) {
        for seq in seqs {
            let Some(done) = self.events.acknowledge(*seq).filter(|done| done.is_final) else { continue };
            let running = self.tasks.get(done.task).map_or(0, super::tasks::Task::running_seq);
            self.events.acknowledge(running);
            let lsn = match self.task_name(done.task) {
                Some(task) => self.records.add(|| Record::Acknowledged(task)),
                None => self.records.last(),
            };
            if let Some(delivery) = done.delivery {
                self.pending_deletes.push(lsn, Delete::Acknowledged(delivery));
            }
            for invocation in self.tasks.retain(done.task, self.settings.keep_finished) {
                self.submission.reported(invocation);
            }
        }
        self.delete_what_is_durable();
        self.call_queues();
    }
}
