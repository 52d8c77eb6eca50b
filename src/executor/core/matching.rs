//! Whose a message is, and what follows from it.

use super::finish::Outcome;
use super::message::{Attempt, Content, Parsed, parse};
use super::table::TaskId;
use super::{Core, Phase};
use crate::executor::ports::{Message, QueueId};
use crate::executor::settings::QueueKind;

/// Whose a message is.
enum Verdict {
    /// It ends this task.
    Ends(TaskId),
    /// It is about a task of ours that has ended already, or it was consumed before.
    Surplus,
    /// It is not for us.
    Stranger,
}

impl Core {
    pub(super) fn sort_messages(&mut self, queue: QueueId, messages: Vec<Message>) {
        for message in messages {
            self.counters.received += 1;
            self.learn_clock(queue, &message);
            if self.phase == Phase::Closed {
                self.pollers[queue].changes.push(Self::release(message.receipt, 0), 0);
                continue;
            }
            if self.renew_held(queue, &message) {
                self.counters.came_back += 1;
                continue;
            }
            match parse(&message) {
                Ok(parsed) => self.sort_parsed(queue, message, parsed),
                Err(why) => self.sort_malformed(queue, message, &why),
            }
        }
        self.flush_changes();
    }

    /// The first receive of a message shows how far the queue's clock is ahead of ours (less the answer's way).
    fn learn_clock(&mut self, queue: QueueId, message: &Message) {
        if message.receive_count == 1 && message.first_received_at_ms > 0 {
            self.pollers[queue].clock_ahead_ms = message.first_received_at_ms - self.now.unix_ms;
        }
    }

    fn sort_malformed(&mut self, queue: QueueId, message: Message, why: &str) {
        let id = &message.message_id;
        match self.settings.queues[queue].kind {
            QueueKind::Results => {
                self.counters.malformed += 1;
                tracing::warn!(message_id = id, "a message in the results queue is no result and is deleted: {why}");
                self.delete(queue, message.receipt);
            }
            QueueKind::DeadLetters => {
                self.counters.foreign_dead_letters += 1;
                tracing::debug!(message_id = id, "a message in the dead letter queue is not for us: {why}");
                self.pass_on(queue, message);
            }
        }
    }

    fn sort_parsed(&mut self, queue: QueueId, message: Message, parsed: Parsed) {
        match self.verdict(queue, &message, &parsed) {
            Verdict::Ends(id) => {
                self.record_latency(queue, &message);
                let held = self.hold(queue, &message);
                let outcome = match parsed.content {
                    Content::Result(result) => Outcome::reported(result, parsed.request_id),
                    Content::DeadLetter(why) => Outcome::dead_letter(&why, parsed.request_id),
                };
                self.finish(id, outcome, Some(held));
            }
            Verdict::Surplus => {
                self.counters.duplicates += 1;
                // Should it come back before it is gone, it must not end a task that is adopted meanwhile.
                self.consumed.insert(message.message_id.into());
                self.delete(queue, message.receipt);
            }
            Verdict::Stranger => {
                self.counters.strangers += 1;
                self.report_old_stranger(queue, &message, &parsed.key);
                self.pass_on(queue, message);
            }
        }
    }

    fn verdict(&self, queue: QueueId, message: &Message, parsed: &Parsed) -> Verdict {
        if self.consumed.contains(&message.message_id) {
            return Verdict::Surplus;
        }
        let newest = self.table.newest(&parsed.key);
        // Tasks adopted without an id match by key, whatever the message's: also that of a task of ours that was given
        // up before.
        if let Some((id, task)) = newest
            && task.matches_by_key()
            && !task.state.is_final()
        {
            return Verdict::Ends(id);
        }
        let by_id = match parsed.attempt {
            Attempt::Id(attempt) if self.table.is_forgotten(attempt) => return Verdict::Surplus,
            Attempt::Id(attempt) => self.table.of_attempt(attempt),
            Attempt::Absent | Attempt::Foreign => None,
        };
        let by_request = || match parsed.content {
            Content::DeadLetter(_) => self.table.of_request(&parsed.request_id),
            Content::Result(_) => None,
        };
        if let Some(id) = by_id.or_else(by_request) {
            return self.ended_or_not(id);
        }
        let Some((id, task)) = newest else { return Verdict::Stranger };
        if task.matches_by_key() {
            return self.ended_or_not(id);
        }
        if parsed.attempt != Attempt::Absent {
            return Verdict::Stranger;
        }
        // When an earlier process submitted it is not known.
        if task.adopted {
            return self.ended_or_not(id);
        }
        if task.first_invoked_at_ms == 0 {
            return Verdict::Stranger;
        }
        // By key alone: what was sent before the first Invoke belongs to an earlier use of the key.
        let sent_at_ms = message.sent_at_ms - self.pollers[queue].clock_ahead_ms;
        if message.sent_at_ms > 0 && sent_at_ms < task.first_invoked_at_ms {
            return Verdict::Stranger;
        }
        self.ended_or_not(id)
    }

    fn ended_or_not(&self, id: TaskId) -> Verdict {
        match self.table.get(id) {
            Some(task) if !task.state.is_final() => Verdict::Ends(id),
            Some(_) | None => Verdict::Surplus,
        }
    }

    /// A result that nobody takes for longer than any task may run will never be taken.
    fn report_old_stranger(&mut self, queue: QueueId, message: &Message, key: &str) {
        let age_ms = self.now.unix_ms - (message.sent_at_ms - self.pollers[queue].clock_ahead_ms);
        if message.sent_at_ms == 0 || age_ms < i64::try_from(self.settings.routes[0].result_timeout_ms).unwrap_or(i64::MAX) {
            return;
        }
        self.counters.orphans += 1;
        if self.counters.orphans.is_power_of_two() {
            tracing::warn!(
                task_key = key,
                age_ms,
                orphans = self.counters.orphans,
                "messages of tasks that nobody waits for are in the {} queue; purge it or let them expire",
                self.settings.queues[queue].name
            );
        }
    }

    fn record_latency(&mut self, queue: QueueId, message: &Message) {
        if message.sent_at_ms > 0 {
            let sent_at_ms = message.sent_at_ms - self.pollers[queue].clock_ahead_ms.min(0);
            let latency_ms = (self.now.unix_ms - sent_at_ms).max(0);
            self.counters.result_latency.record(latency_ms.unsigned_abs());
        }
    }
}
