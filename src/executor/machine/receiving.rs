//! Messages, and the answers of SQS.

use super::ending::Ending;
use super::inbox::Verdict;
use super::{ChangeEntry, Delete, DeleteEntry, Machine, Phase};
use crate::executor::message::{Content, Outcome, Received, Report};
use crate::executor::ports::{CallError, EntryOutcome, Fault, QueueId, ReceiveRequest};
use crate::executor::settings::QueueKind;

impl Machine {
    /// The answer to [`super::Action::Receive`]. `took_ms` is how long it took.
    pub(crate) fn received(&mut self, request: ReceiveRequest, took_ms: u64, answer: Result<Vec<Received>, CallError>) {
        let (queue, now) = (request.queue, self.now.mono_ms);
        match answer {
            Ok(messages) => {
                let bytes = messages.iter().map(|message| message.bytes).sum();
                self.billed.received(self.inbox.is_fifo(queue), bytes);
                self.submission.sqs_accepted_us(now, took_ms);
                self.inbox.receive_succeeded(queue, now, took_ms, &messages);
                let count = messages.len();
                let unmatched = messages.into_iter().filter_map(|message| self.sort(queue, message)).count();
                self.inbox.sorted(queue, now, count, unmatched);
            }
            Err(error) => {
                self.inbox.receive_failed(queue, now, &error);
                if error.fault == Fault::Identity
                    && let Some(at) = self.submission.sqs_rejected_us(now, took_ms, &error.to_string())
                {
                    // All attempts to connect have one back-off, also where nothing waits to be submitted.
                    self.inbox.wait_until(queue, at);
                }
            }
        }
        self.tick();
    }

    /// A long poll was ended without its answer.
    pub(crate) fn poll_dropped(&mut self, queue: QueueId) {
        self.inbox.poll_dropped(queue);
    }

    /// Finds out whose a message is, and does what follows. `Some` if it is not ours.
    fn sort(&mut self, queue: QueueId, message: Received) -> Option<()> {
        let now = self.now.mono_ms;
        if self.phase == Phase::Closed {
            self.deliveries.release(queue, message.receipt, 0, now);
            return None;
        }
        if self.deliveries.received_again(queue, &message, now) {
            return None;
        }
        if self.deliveries.is_consumed(&message.message_id) {
            self.inbox.counts.duplicates += 1;
            self.discard(queue, message);
            return None;
        }
        match &message.content {
            Content::Outcome(_) => self.sort_outcome(queue, message),
            Content::SuccessRecord => {
                self.inbox.counts.success_records += 1;
                self.discard(queue, message);
                None
            }
            Content::Malformed(why) => {
                let why = why.clone();
                self.sort_malformed(queue, message, &why)
            }
        }
    }

    fn sort_malformed(&mut self, queue: QueueId, message: Received, why: &str) -> Option<()> {
        let id = &message.message_id;
        match self.inbox.kind(queue) {
            QueueKind::Results => {
                self.inbox.counts.malformed += 1;
                tracing::warn!(message_id = %id, "a message in the results queue is not a result and is deleted: {why}");
                self.discard(queue, message);
                None
            }
            QueueKind::DeadLetters => {
                self.inbox.counts.foreign_dead_letters += 1;
                tracing::debug!(message_id = %id, "a message in the dead letter queue is not for us: {why}");
                self.release_unmatched(queue, message);
                Some(())
            }
        }
    }

    fn sort_outcome(&mut self, queue: QueueId, mut message: Received) -> Option<()> {
        let content = std::mem::replace(&mut message.content, Content::SuccessRecord);
        let Content::Outcome(outcome) = content else { return None };
        let verdict = self.inbox.verdict(queue, &message, &outcome, &self.tasks, &self.submission);
        match verdict {
            Verdict::Ends(task, invocation) => {
                self.record_latency(queue, &message);
                let delivery = self.deliveries.hold(queue, &message, self.now.mono_ms);
                self.report_seen(task, invocation);
                let Outcome { report, request_id, .. } = outcome;
                let ending = match report {
                    Report::Result(result) => Ending::reported(*result, request_id.into()),
                    Report::Unreadable(why) => Ending::unreadable(&why, request_id.into()),
                    Report::DeadLetter(why) => Ending::dead_letter(&why, request_id.into()),
                };
                self.finish(task, ending, Some(delivery));
                None
            }
            Verdict::Surplus(task, invocation) => {
                self.report_seen(task, invocation);
                self.inbox.counts.duplicates += 1;
                self.discard(queue, message);
                None
            }
            Verdict::Forgotten => {
                self.inbox.counts.duplicates += 1;
                self.discard(queue, message);
                None
            }
            Verdict::Unmatched => {
                self.inbox.counts.unmatched += 1;
                self.report_old(queue, &message, &outcome.key);
                self.release_unmatched(queue, message);
                Some(())
            }
        }
    }

    fn report_seen(&mut self, task: super::tasks::TaskId, invocation: Option<super::InvocationId>) {
        if let Some(invocation) = invocation {
            self.tasks.drop_invocation(task, invocation);
            self.submission.reported(invocation);
        }
    }

    /// Deletes a message that no event needs, once the end of its task is durable.
    fn discard(&mut self, queue: QueueId, message: Received) {
        self.pending_deletes.push(self.records.last(), Delete::Discarded(queue, message));
        self.delete_what_is_durable();
    }

    fn release_unmatched(&mut self, queue: QueueId, message: Received) {
        let seconds = self.inbox.unmatched_delay_s(queue, &message, self.now.mono_ms);
        self.deliveries.release(queue, message.receipt, seconds, self.now.mono_ms);
    }

    /// A result that is older than any task may run will never be taken.
    fn report_old(&mut self, queue: QueueId, message: &Received, key: &str) {
        let Some(queue_now) = self.inbox.queue_time(queue, self.now.mono_ms) else { return };
        let age_ms = queue_now.saturating_sub(message.sent_at_ms);
        let limit = self.settings.routes.iter().map(|route| route.result_timeout_ms).max().unwrap_or(u64::MAX);
        if message.sent_at_ms == 0 || age_ms < i64::try_from(limit).unwrap_or(i64::MAX) {
            return;
        }
        self.inbox.counts.orphans += 1;
        let orphans = self.inbox.counts.orphans;
        if orphans.is_power_of_two() {
            let name = self.inbox.name(queue);
            tracing::warn!(
                task_key = key,
                age_ms,
                orphans,
                "messages of tasks that no executor waits for are in the {name} queue; purge it or let them expire"
            );
        }
    }

    fn record_latency(&mut self, queue: QueueId, message: &Received) {
        if message.sent_at_ms > 0
            && let Some(queue_now) = self.inbox.queue_time(queue, self.now.mono_ms)
        {
            self.latencies.result.record(queue_now.saturating_sub(message.sent_at_ms).max(0).unsigned_abs());
        }
    }

    /// The answer to [`super::Action::Delete`].
    pub(crate) fn deleted(
        &mut self,
        queue: QueueId,
        entries: Vec<DeleteEntry>,
        answer: Result<Vec<EntryOutcome>, CallError>,
    ) {
        self.deliveries.deleted(queue, entries, answer, self.now.mono_ms);
        self.tick();
    }

    /// The answer to [`super::Action::ChangeVisibility`].
    pub(crate) fn visibility_changed(
        &mut self,
        queue: QueueId,
        entries: Vec<ChangeEntry>,
        answer: Result<Vec<EntryOutcome>, CallError>,
    ) {
        self.deliveries.visibility_changed(queue, entries, answer, self.now.mono_ms);
        self.tick();
    }
}
