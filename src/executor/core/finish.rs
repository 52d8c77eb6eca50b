//! Events and final states, and how long a finished task stays known.

use super::message::CommandResult;
use super::table::{HeldId, TaskId};
use super::{Core, Unacknowledged, WaitingEvent};
use crate::executor::event::{Event, HandedOut};
use crate::executor::task::{Reason, TaskState};
use std::sync::Arc;

/// How a task ended.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) state: TaskState,
    pub(super) reason: Reason,
    pub(super) message: String,
    /// Signal that ended the command, else 0.
    pub(super) signal: i32,
    /// What the function reported, if it did.
    pub(super) result: Option<CommandResult>,
    pub(super) request_id: String,
    /// Told by a message: so Lambda had accepted the event, even if its answer is still missing.
    pub(super) accepted: bool,
}

impl Outcome {
    fn untold(state: TaskState, reason: Reason, message: String) -> Self {
        Self { state, reason, message, signal: 0, result: None, request_id: String::new(), accepted: false }
    }

    pub(super) fn cancelled(reason: Reason, message: &str) -> Self {
        Self::untold(TaskState::Cancelled, reason, message.into())
    }

    pub(super) fn failed(reason: Reason, message: String) -> Self {
        Self::untold(TaskState::Failed, reason, message)
    }

    pub(super) fn invoke_failed(message: String) -> Self {
        Self::failed(Reason::InvokeFailed, message)
    }

    pub(super) fn lost(message: String) -> Self {
        Self::untold(TaskState::Lost, Reason::Lost, message)
    }

    pub(super) fn dead_letter(why: &str, request_id: String) -> Self {
        let message = format!("Lambda gave up on the event: {why}");
        Self { request_id, accepted: true, ..Self::failed(Reason::DeadLetter, message) }
    }

    pub(super) fn reported(result: CommandResult, request_id: String) -> Self {
        let code = result.return_code;
        // Airflow's function reports -n for signal n and nothing else; what is no signal's number is none.
        let by_code = if (-64..0).contains(&code) { -code } else { 0 };
        let told = if (1..=64).contains(&result.signal) { result.signal } else { 0 };
        let reason = result.reason.unwrap_or(if told.max(by_code) > 0 { Reason::Signal } else { Reason::Exit });
        let signal = if told == 0 && reason == Reason::Signal { by_code } else { told };
        let message = match reason {
            Reason::Exit if code == 0 => String::new(),
            // Our function tells a start of whatever did start.
            Reason::Exit if matches!(code, 126 | 127) && result.reason.is_some() && result.started_at_ms == 0 => {
                format!("the command could not be started (status {code}; its output tells why)")
            }
            Reason::Exit => format!("the command exited with status {code}"),
            Reason::Signal => format!("the command was ended by signal {signal}"),
            Reason::Timeout => "the command ran over its time limit and was ended".into(),
            Reason::SetupFailed => "the function could not prepare the command (its output tells why)".into(),
            Reason::BadEvent => "the function refused the event (its output tells why)".into(),
            Reason::ReplyToRefused => "the function may not report to the results queue named in the event: \
                 set its variable QUEUE_URL to that, letter for letter, or name it in \
                 LAMBDA_EXECUTOR_REPLY_TO_ALLOW; nothing was run"
                .into(),
            other => format!("the function reported `{}`", other.name()),
        };
        let state = if code == 0 { TaskState::Succeeded } else { TaskState::Failed };
        Self { state, reason, message, signal, result: Some(result), request_id, accepted: true }
    }
}

impl Core {
    /// RUNNING, once a task.
    pub(super) fn tell_running(&mut self, id: TaskId) {
        let Some(task) = self.table.get_mut(id) else { return };
        if std::mem::replace(&mut task.running_told, true) || !self.settings.running_events {
            return;
        }
        let event = Event { state: TaskState::Running, reason: None, ..self.blank_event(id) };
        self.waiting_events.push_back(WaitingEvent { event, task: id, held: None });
    }

    /// Ends a task: every way to a final state comes through here, and none comes twice.
    pub(super) fn finish(&mut self, id: TaskId, outcome: Outcome, held: Option<HeldId>) {
        let Some(task) = self.table.get(id) else { return };
        debug_assert!(!task.state.is_final(), "a task ends once");
        debug_assert!(outcome.accepted || held.is_none(), "only what a message told holds a message");
        if outcome.accepted {
            self.tell_running(id);
        }
        self.leave_unfinished(id);
        let now = self.now;
        let Some(task) = self.table.get_mut(id) else { return };
        if outcome.accepted && !task.adopted {
            // Its message overtook the answer to Invoke, or that answer was lost: this try counts all the same.
            let open_try = u32::from(task.state == TaskState::Submitting);
            task.attempts = (task.attempts + open_try).max(1);
        }
        task.state = outcome.state;
        task.last_error = outcome.message.as_str().into();
        task.reason = Some(outcome.reason);
        task.return_code = outcome.result.as_ref().map(|result| result.return_code);
        if task.request_id.is_empty() && !outcome.request_id.is_empty() {
            task.request_id = outcome.request_id.as_str().into();
        }
        let result = outcome.result.unwrap_or_default();
        task.finished_at_ms = if result.finished_at_ms > 0 { result.finished_at_ms } else { now.unix_ms };
        if result.started_at_ms > 0 && result.finished_at_ms >= result.started_at_ms {
            self.counters.run_time.record((result.finished_at_ms - result.started_at_ms).unsigned_abs());
        }
        tracing::debug!(task_key = %task.key, state = outcome.state.name(), reason = outcome.reason.name(),
            "finished: {}", outcome.message);
        let return_code = task.return_code;
        self.counters.finished(outcome.state, outcome.reason);
        let event = Event {
            state: outcome.state,
            reason: Some(outcome.reason),
            return_code,
            signal: outcome.signal,
            started_at_ms: result.started_at_ms,
            message: outcome.message,
            output_tail: result.output_tail,
            value: result.value,
            log_stream: result.log_stream,
            ..self.blank_event(id)
        };
        self.waiting_final += 1;
        self.waiting_events.push_back(WaitingEvent { event, task: id, held });
    }

    /// Takes the task out of whatever it is waiting in.
    fn leave_unfinished(&mut self, id: TaskId) {
        let Some(task) = self.table.get_mut(id) else { return };
        task.payload = None;
        if let Some(at) = task.expires_at.take() {
            self.expiries.remove(&(at, id));
        }
        if let Some(at) = task.deadline.take() {
            self.deadlines.remove(&(at, id));
        }
        let backing_off = task.backing_off_until.take();
        if let Some(at) = backing_off {
            self.backing_off.remove(&(at, id));
        }
        let (state, route) = (task.state, task.route);
        match state {
            TaskState::Queued => {
                self.queued -= 1;
                self.route(route).queued -= 1;
                if backing_off.is_none() {
                    let table = &self.table;
                    self.routes[route].leave_stale(|other| {
                        other != id && table.get(other).is_some_and(|task| task.state == TaskState::Queued)
                    });
                }
            }
            TaskState::Submitting => {
                self.submitting -= 1;
                self.route(route).active -= 1;
            }
            TaskState::Running => {
                self.running -= 1;
                self.route(route).active -= 1;
            }
            TaskState::Succeeded | TaskState::Failed | TaskState::Cancelled | TaskState::Lost => {}
        }
    }

    /// An event with what the task's record tells.
    fn blank_event(&self, id: TaskId) -> Event {
        let task = self.table.get(id);
        let number = |of: fn(&super::table::Task) -> i64| task.map_or(0, of);
        Event {
            tag: task.map_or(0, |task| task.tag),
            key: task.map_or_else(|| "".into(), |task| Arc::clone(&task.key)),
            state: TaskState::Running,
            reason: None,
            return_code: None,
            signal: 0,
            attempts: task.map_or(0, |task| task.attempts),
            queued_at_ms: number(|task| task.queued_at_ms),
            submitted_at_ms: number(|task| task.submitted_at_ms),
            started_at_ms: 0,
            finished_at_ms: number(|task| task.finished_at_ms),
            message: String::new(),
            output_tail: String::new(),
            output_length: 0,
            output_truncated: false,
            value_dropped: false,
            value: Vec::new(),
            request_id: task.map_or_else(String::new, |task| task.request_id.to_string()),
            log_stream: String::new(),
            attempt_id: task.and_then(|task| task.attempt),
        }
    }

    /// Hands out up to `max` events, 0 for all.
    pub(crate) fn take_events(&mut self, max: usize) -> Vec<HandedOut> {
        let count = if max == 0 { self.waiting_events.len() } else { max.min(self.waiting_events.len()) };
        let mut events = Vec::with_capacity(count);
        for WaitingEvent { event, task, held } in self.waiting_events.drain(..count) {
            let seq = self.next_seq;
            self.next_seq += 1;
            if event.state.is_final() {
                self.waiting_final -= 1;
                if let Some(task) = self.table.get_mut(task) {
                    task.final_handed_out = true;
                }
                // Nothing hangs on RUNNING: a host need not acknowledge it.
                self.unacknowledged.insert(seq, Unacknowledged { task, held });
            }
            events.push(HandedOut { seq, event: Arc::new(event) });
        }
        events
    }

    /// The host has these events: their messages may go.
    pub(crate) fn acknowledge(&mut self, seqs: &[u64]) {
        for seq in seqs {
            let Some(done) = self.unacknowledged.remove(seq) else { continue };
            if let Some(held) = done.held {
                self.delete_held(held);
            }
            self.keep_for_a_while(done.task);
        }
        self.flush_deletes();
        self.poll_queues();
    }

    fn keep_for_a_while(&mut self, id: TaskId) {
        self.kept.push_back(id);
        while self.kept.len() > self.settings.keep_finished {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.table.forget(oldest);
        }
    }
}
