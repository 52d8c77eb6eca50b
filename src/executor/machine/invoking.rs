//! Calls of Invoke and probes, and their answers.

use super::ending::Ending;
use super::submission::{Answered, Blame, Next};
use super::tasks::{Task, TaskId};
use super::{Action, InvocationId, InvokeCall, Machine, Phase, Probe, Record, SLICE};
use crate::executor::ports::{Accepted, CallError, RouteId};
use crate::executor::task::Reason;
use std::sync::Arc;

impl Machine {
    /// The next call of Invoke that may be sent now. Probes that are due become actions.
    pub(crate) fn next_call(&mut self) -> Option<InvokeCall> {
        loop {
            if let Some(call) = self.pending_calls.pop(&self.records) {
                if self.may_send(call.id) {
                    self.submission.sent(call.id);
                    return Some(call);
                }
                self.withdraw(call.id);
                continue;
            }
            match self.submission.next(self.now, &mut self.tasks)? {
                Next::Probe(route, probe) => self.actions.push(Action::Probe { route, probe }),
                Next::Invoke(call) => self.intend(call),
            }
        }
    }

    /// False if a task of it was cancelled, or waited too long, before the record of the call was durable.
    fn may_send(&self, id: InvocationId) -> bool {
        let waits = |id: &TaskId| {
            self.tasks.get(*id).is_some_and(|task| {
                !task.state.is_final() && task.expires_at.is_none_or(|at| at.get() > self.now.mono_ms)
            })
        };
        self.phase != Phase::Closed
            && self.submission.invocation(id).is_some_and(|invocation| invocation.tasks.iter().all(waits))
    }

    /// A call that was to be sent and is not.
    fn withdraw(&mut self, id: InvocationId) {
        let Some(tasks) = self.submission.withdrawn(id, self.now.mono_ms, &mut self.tasks) else { return };
        for task in tasks.iter() {
            if let Some(name) = self.task_name(*task) {
                self.records.add(|| Record::NotAccepted(name));
            }
            let is_over = |task: &Task| task.expires_at.is_some_and(|at| at.get() <= self.now.mono_ms);
            let is_over = self.tasks.get(*task).is_some_and(|task| task.is_queued() && is_over(task));
            if is_over && self.phase != Phase::Closed {
                self.expire(*task);
            }
        }
    }

    /// The executor closes: no call starts any more.
    pub(super) fn withdraw_all(&mut self) {
        while let Some(call) = self.pending_calls.pop_any() {
            self.withdraw(call.id);
        }
    }

    /// The call is sent once its record is durable.
    fn intend(&mut self, call: InvokeCall) {
        let Some(invocation) = self.submission.invocation(call.id) else { return };
        let tasks = invocation.tasks.clone();
        for id in tasks.iter() {
            let Some(task) = self.tasks.get(*id) else { continue };
            if task.invocations().len() == 1 {
                self.latencies.queue_wait.record(self.now.mono_ms.saturating_sub(task.queued_mono_ms));
            }
            if let Some(name) = self.task_name(*id) {
                self.records.add(|| Record::Submitting(name));
            }
        }
        self.pending_calls.push(self.records.last(), call);
        if self.tasks.awaited() == tasks.len() as u64 {
            // The first: its result may come before the answer.
            self.call_queues();
        }
    }

    /// The answer to an [`InvokeCall`].
    pub(crate) fn invoked(&mut self, id: InvocationId, took_ms: u64, answer: Result<Accepted, CallError>) {
        self.latencies.invoke.record(took_ms);
        let accepted = answer.is_ok();
        let answered = self.submission.invoked(id, self.now, took_ms, answer, &mut self.tasks);
        let Some(Answered { tasks, was_refused, used_up }) = answered else { return };
        if accepted {
            let bytes = |(id, _): &(TaskId, Blame)| self.tasks.get(*id)?.payload.as_ref().map(|payload| payload.len());
            self.billed.event(tasks.iter().filter_map(bytes).sum());
        }
        for (task, blame) in tasks {
            self.blame(task, blame, was_refused);
        }
        self.fail_used_up(used_up);
        self.tick();
    }

    fn blame(&mut self, task: TaskId, blame: Blame, was_refused: bool) {
        if was_refused && let Some(name) = self.task_name(task) {
            self.records.add(|| Record::NotAccepted(name));
        }
        match blame {
            Blame::Accepted(request_id) => self.accepted(task, &request_id),
            Blame::AwaitReport => {
                self.tasks.await_report(task, self.now.mono_ms, self.deadline_ms(self.limit_of(task)));
                self.log_awaited(task);
            }
            Blame::Fails(message) => {
                let note = self.tasks.get(task).map_or("", Task::may_have_run_note);
                self.finish(task, Ending::invoke_failed(message + note), None);
            }
            Blame::Waits | Blame::Late => {}
        }
    }

    fn accepted(&mut self, id: TaskId, request_id: &Arc<str>) {
        let deadline = self.deadline_ms(self.limit_of(id));
        self.tasks.running_now(id, self.now, request_id, deadline);
        self.counts.accepted += 1;
        if let (Some(task), Some(name)) = (self.tasks.get(id), self.task_name(id)) {
            let (submitted_at_ms, attempts) = (task.submitted_at_ms(), task.attempts);
            let request_id = Arc::clone(request_id);
            self.records.add(|| Record::Running { task: name, request_id, submitted_at_ms, attempts });
        }
        self.report_running(id);
    }

    /// Silence for so long makes the task LOST.
    pub(super) fn limit_of(&self, id: TaskId) -> u64 {
        self.tasks.get(id).map_or(u64::MAX, |task| self.result_timeout_ms(task.route(), task.result_timeout_ms()))
    }

    fn log_awaited(&self, id: TaskId) {
        let Some(task) = self.tasks.get(id) else { return };
        let limit_ms = self.limit_of(id);
        tracing::warn!(task_key = %task.key, attempts = task.attempts,
            "no answer to Invoke: it may run, is not sent again, and waits for a result for {limit_ms} ms");
    }

    /// A queued task that may run is not sent again, and waits for a report.
    fn await_report_of_queued(&mut self, id: TaskId) {
        let deadline = self.deadline_ms(self.limit_of(id));
        if let Some(left) = self.tasks.await_report_of_queued(id, self.now.mono_ms, deadline) {
            self.submission.awaits_report(left, &self.tasks);
            self.log_awaited(id);
        }
    }

    /// These tasks failed by themselves as often as they may. One of whose tries the answer was lost may run: it waits for
    /// a report.
    fn fail_used_up(&mut self, tasks: Vec<TaskId>) {
        let most = self.settings.max_invoke_attempts;
        for id in tasks {
            let Some(task) = self.tasks.get(id) else { continue };
            if task.may_run() {
                self.await_report_of_queued(id);
                continue;
            }
            let message = format!(
                "Invoke failed {} times while other tasks were accepted (max_invoke_attempts {most}), last: {}",
                task.attempts,
                task.message()
            );
            self.finish(id, Ending::invoke_failed(message), None);
        }
    }

    /// The answer to [`Action::Probe`]. A check also returns warnings.
    pub(crate) fn probed(
        &mut self,
        route: RouteId,
        probe: Probe,
        took_ms: u64,
        answer: Result<Vec<String>, CallError>,
    ) {
        let failure = answer.as_ref().err();
        let used_up = self.submission.probed(route, probe, self.now, took_ms, failure, &mut self.tasks);
        self.fail_used_up(used_up);
        if let (Probe::Check, Ok(warnings)) = (probe, answer) {
            self.note_warnings(route, warnings);
        }
        self.tick();
    }

    /// The host has given new credentials: what waits because of the old ones is tried now.
    pub(crate) fn credentials_changed(&mut self) {
        self.submission.credentials_replaced(self.now.mono_ms);
        self.inbox.try_now(self.now.mono_ms);
        self.tick();
    }

    /// Tasks whose back-off is over are in line again; those whose `max_wait_ms` is over fail.
    pub(super) fn end_waits(&mut self) {
        if self.phase == Phase::Closed {
            return;
        }
        for _ in 0..SLICE {
            let Some(id) = self.tasks.next_expired(self.now.mono_ms) else { break };
            self.expire(id);
        }
        while let Some(id) = self.tasks.next_backed_off(self.now.mono_ms) {
            if let Some(route) = self.tasks.get(id).map(Task::route) {
                self.submission.enqueue_again(id, route);
            }
        }
    }

    fn expire(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get(id) else { return };
        if task.may_run() {
            return self.await_report_of_queued(id);
        }
        let waited = self.now.mono_ms.saturating_sub(task.queued_mono_ms);
        let waits_for = self.waits_for(task).unwrap_or_default();
        let mut message =
            format!("waited {waited} ms to be submitted, longer than its max_wait_ms; waited for {waits_for}");
        if !task.message().is_empty() {
            message = format!("{message}; last error: {}", task.message());
        }
        self.finish(id, Ending::failed(Reason::Expired, message), None);
    }

    /// Fails tasks that have waited `max_outage_ms` for a function that cannot be invoked.
    pub(super) fn give_up_outages(&mut self) {
        if self.phase == Phase::Closed {
            return;
        }
        let limit = self.submission.max_outage_ms();
        for (id, reason) in self.submission.take_given_up(self.now.mono_ms, SLICE, &self.tasks) {
            let note = self.tasks.get(id).map_or("", Task::may_have_run_note);
            let message = format!(
                "the function could not be invoked for longer than max_outage_ms ({limit} ms), last: {reason}{note}"
            );
            self.finish_taken(id, Ending::invoke_failed(message));
        }
    }
}
