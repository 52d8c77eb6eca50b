//! Messages, and the answers of SQS.

use super::ending::Ending;
use super::inbox::Verdict;
use super::tasks::{Task, TaskId};
use super::{ChangeEntry, Delete, DeleteEntry, InvocationId, Machine, Phase, Record};
use crate::executor::message::{Content, Outcome, Received, Report};
use crate::executor::ports::{CallError, EntryOutcome, Fault, QueueId, ReceiveRequest};
use crate::executor::settings::QueueKind;
use crate::executor::task::TaskState;

/// What a message does to a task that has not ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Does {
    End,
    /// It is sent again: its batch could not run it.
    Again,
    /// It goes on: this was about an earlier try.
    Nothing,
}

/// One outcome of a message, and what follows.
#[derive(Debug)]
struct Judged {
    outcome: Outcome,
    verdict: Verdict,
    does: Does,
}

impl Judged {
    fn ends(&self, task: TaskId) -> bool {
        self.does == Does::End && matches!(self.verdict, Verdict::Ends(of, _) if of == task)
    }
}

fn ending_of(outcome: Outcome) -> Ending {
    let request_id = outcome.request_id.into();
    match outcome.report {
        Report::Result(result) | Report::NotStarted(result) | Report::BatchRefused(result) => {
            Ending::reported(*result, request_id)
        }
        Report::Unreadable(why) => Ending::unreadable(&why, request_id),
        Report::DeadLetter(why) => Ending::dead_letter(&why, request_id),
        Report::DeadBatch(why) => Ending::dead_batch(&why, request_id),
    }
}

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
            Content::Outcome(_) | Content::Outcomes(_) => self.sort_outcomes(queue, message),
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

    fn sort_outcomes(&mut self, queue: QueueId, mut message: Received) -> Option<()> {
        let outcomes = match std::mem::replace(&mut message.content, Content::SuccessRecord) {
            Content::Outcome(outcome) => vec![outcome],
            Content::Outcomes(outcomes) => outcomes,
            Content::SuccessRecord | Content::Malformed(_) => return None,
        };
        let is_alone = outcomes.len() == 1;
        let mut judged: Vec<Judged> = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            let verdict = self.inbox.verdict(queue, &message, &outcome, &self.tasks, &self.submission);
            let does = match verdict {
                Verdict::Ends(task, _) if judged.iter().any(|other| other.ends(task)) => Does::Nothing,
                Verdict::Ends(task, invocation) => self.effect_of(task, invocation, &outcome),
                Verdict::Surplus(..) | Verdict::Forgotten | Verdict::Unmatched => Does::Nothing,
            };
            judged.push(Judged { outcome, verdict, does });
        }
        // A message of several tasks is ours as a whole only if none of them may need it without us, or after a crash.
        let is_ours = |one: &Judged| match one.verdict {
            Verdict::Ends(..) | Verdict::Forgotten => true,
            Verdict::Surplus(task, _) => is_alone || self.tasks.get(task).is_none_or(|task| task.acknowledged),
            Verdict::Unmatched => false,
        };
        let is_whole = judged.iter().all(is_ours);
        let ends = judged.iter().filter(|one| one.does == Does::End).count();
        if ends > 0 {
            self.record_latency(queue, &message);
        }
        let delivery = (is_whole && ends > 0).then(|| self.deliveries.hold(queue, &message, ends, self.now.mono_ms));
        let mut is_unmatched = true;
        for one in judged {
            is_unmatched &= one.verdict == Verdict::Unmatched;
            self.carry_out(queue, &message, one, delivery);
        }
        match (delivery, is_whole) {
            (Some(_), _) => {}
            (None, true) => self.discard(queue, message),
            (None, false) => self.release_unmatched(queue, message),
        }
        is_unmatched.then_some(())
    }

    fn carry_out(&mut self, queue: QueueId, message: &Received, one: Judged, delivery: Option<super::DeliveryId>) {
        let Judged { outcome, verdict, does } = one;
        match verdict {
            Verdict::Ends(task, invocation) => {
                if does != Does::Nothing || self.names(&outcome, invocation) {
                    self.report_seen(task, invocation);
                }
                match does {
                    Does::End => self.finish(task, ending_of(outcome), delivery),
                    Does::Again => self.send_again(task, &outcome.report),
                    Does::Nothing => self.inbox.counts.duplicates += 1,
                }
            }
            Verdict::Surplus(task, invocation) => {
                self.report_seen(task, invocation);
                self.inbox.counts.duplicates += 1;
            }
            Verdict::Forgotten => self.inbox.counts.duplicates += 1,
            Verdict::Unmatched => {
                self.inbox.counts.unmatched += 1;
                self.report_old(queue, message, &outcome.key);
            }
        }
    }

    /// What a message that is about this task of ours does to it. `invocation`: the one that it reports.
    fn effect_of(&self, task: TaskId, invocation: Option<InvocationId>, outcome: &Outcome) -> Does {
        let Some(task) = self.tasks.get(task) else { return Does::Nothing };
        match outcome.report {
            Report::Result(_) | Report::Unreadable(_) | Report::DeadLetter(_) => return Does::End,
            Report::DeadBatch(_) if !self.settings.routes[task.route()].batch_resubmit => return Does::End,
            Report::DeadBatch(_) | Report::NotStarted(_) | Report::BatchRefused(_) => {}
        }
        let is_other = |other: &InvocationId| Some(*other) != invocation;
        let is_of_another_try = task.is_queued() || task.invocations().iter().any(is_other);
        // Sent again before for the same reason: this is the old message, unless it names the new call.
        if is_of_another_try || task.was_resubmitted() && !self.names(outcome, invocation) {
            return Does::Nothing;
        }
        let is_submitted = match task.state {
            TaskState::Running => true,
            TaskState::Submitting => task.deadline().is_none(),
            _ => false,
        };
        if is_submitted && task.payload.is_some() && !task.was_resubmitted() { Does::Again } else { Does::End }
    }

    /// True if the message names the invocation by Lambda's request id.
    fn names(&self, outcome: &Outcome, invocation: Option<InvocationId>) -> bool {
        invocation.is_some_and(|id| self.submission.of_request(&outcome.request_id) == Some(id))
    }

    /// The batch of a task could not run it: it is queued again, to be sent alone.
    fn send_again(&mut self, id: TaskId, report: &Report) {
        let Some(route) = self.tasks.get(id).map(Task::route) else { return };
        if !self.tasks.resubmit(id) {
            return;
        }
        self.submission.resubmit(id, route);
        if let Some(name) = self.task_name(id) {
            tracing::info!(task_key = %name.key, "its batch could not run it, it is sent again, alone");
            self.records.add(|| Record::Resubmitted(name));
        }
        if let Report::BatchRefused(result) = report
            && self.submission.refuses_batches(route)
        {
            let name = &self.submission.routes()[route].settings.name;
            let warning = format!(
                "route {name}: its function does not understand several tasks in one invocation (option batch_size); it \
                 reported return code {} and ran nothing; each task is sent alone from now on",
                result.return_code
            );
            self.note_warning(route, warning);
        }
    }

    fn report_seen(&mut self, task: TaskId, invocation: Option<InvocationId>) {
        if let Some(invocation) = invocation
            && self.tasks.drop_invocation(task, invocation)
        {
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
