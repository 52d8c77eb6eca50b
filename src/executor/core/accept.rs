//! What the host asks: queue, cancel, adopt, drain, shut down.

use super::finish::Outcome;
use super::overrides::Overrides;
use super::receive::Poller;
use super::table::{Task, TaskId};
use super::{Core, Phase, StartupCheck};
use crate::executor::DrainMode;
use crate::executor::ports::RouteId;
use crate::executor::task::{
    AdoptSpec, AttemptId, Command, CommandField, ConfigField, FunctionEvent, Reason, Refusal, TaskSpec, TaskState,
};
use std::sync::Arc;

impl Core {
    /// Accepts a task. `attempt` is fresh and random.
    pub(crate) fn queue(&mut self, spec: TaskSpec, attempt: AttemptId) -> Result<(), Refusal> {
        self.check_open()?;
        self.check_unused(&spec.key)?;
        let waiting = usize::try_from(self.queued).unwrap_or(usize::MAX).max(self.waiting_final);
        if waiting >= self.settings.max_queued_tasks {
            return Err(Refusal::QueueFull { limit: self.settings.max_queued_tasks });
        }
        let route = self.route_named(&spec.key, &spec.queue)?;
        let Overrides { qualifier, timeout_ms } = self.overrides(&spec)?;
        let payload = self.event_for_function(&spec, timeout_ms.unwrap_or(spec.timeout_ms), attempt)?;
        let expires_at = (spec.max_wait_ms > 0).then(|| self.now.mono_ms.saturating_add(spec.max_wait_ms));
        let id = self.table.insert(Task {
            attempt: Some(attempt),
            payload: Some(payload),
            qualifier,
            expires_at,
            ..self.new_task(spec.key, spec.tag, route, TaskState::Queued)
        });
        if let Some(at) = expires_at {
            self.expiries.insert((at, id));
        }
        self.queued += 1;
        self.counters.queued += 1;
        let line = self.route(route);
        line.queued += 1;
        line.ready.push_back(id);
        self.submit_ready_on(route);
        Ok(())
    }

    fn new_task(&self, key: Arc<str>, tag: u64, route: RouteId, state: TaskState) -> Task {
        Task {
            key,
            tag,
            route,
            state,
            adopted: false,
            attempt: None,
            qualifier: None,
            payload: None,
            attempts: 0,
            may_run: false,
            queued_at_ms: self.now.unix_ms,
            queued_mono_ms: self.now.mono_ms,
            first_invoked_at_ms: 0,
            submitted_at_ms: 0,
            finished_at_ms: 0,
            request_id: "".into(),
            expires_at: None,
            backing_off_until: None,
            deadline: None,
            running_told: false,
            final_handed_out: false,
            reason: None,
            return_code: None,
            last_error: "".into(),
        }
    }

    fn check_open(&self) -> Result<(), Refusal> {
        if self.phase == Phase::Open { Ok(()) } else { Err(Refusal::Closed) }
    }

    fn check_unused(&self, key: &str) -> Result<(), Refusal> {
        match self.table.newest(key) {
            Some((_, task)) if !task.final_handed_out => Err(Refusal::Duplicate { key: key.into() }),
            _ => Ok(()),
        }
    }

    fn route_named(&self, key: &str, queue: &str) -> Result<RouteId, Refusal> {
        if !self.settings.route_by_queue || queue.is_empty() {
            return Ok(0);
        }
        self.routes.iter().position(|route| route.settings.name == queue).ok_or_else(|| Refusal::UnknownQueue {
            key: key.into(),
            queue: queue.into(),
            known: self.routes.iter().map(|route| route.settings.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    fn overrides(&self, spec: &TaskSpec) -> Result<Overrides, Refusal> {
        if !self.settings.allow_task_overrides {
            return Ok(Overrides::default());
        }
        Overrides::read(spec.executor_config.as_deref())
            .map_err(|what| Refusal::BadOverride { key: spec.key.as_ref().into(), what })
    }

    fn event_for_function(&self, spec: &TaskSpec, timeout_ms: u64, attempt: AttemptId) -> Result<Arc<[u8]>, Refusal> {
        let event = FunctionEvent {
            task_key: &spec.key,
            command: match &spec.command {
                Command::Argv(argv) => CommandField::Argv(argv),
                Command::Json(json) => CommandField::Json(json),
            },
            executor_config: spec.executor_config.as_deref().map_or(ConfigField::Empty {}, ConfigField::Given),
            attempt_id: attempt.to_string(),
            reply_to: &self.settings.reply_to,
            timeout_ms: (timeout_ms > 0).then_some(timeout_ms),
        };
        // Strings, numbers and JSON that has been checked cannot fail to serialise; an empty event would be refused
        // by Lambda and so be seen.
        let payload = serde_json::to_vec(&event).unwrap_or_default();
        if payload.len() > self.settings.max_payload_bytes {
            return Err(Refusal::PayloadTooLarge {
                key: spec.key.as_ref().into(),
                size: payload.len(),
                limit: self.settings.max_payload_bytes,
            });
        }
        Ok(payload.into())
    }

    /// Cancels the task of that key; false if there is none that has not finished.
    pub(crate) fn cancel(&mut self, key: &str) -> bool {
        let Some((id, task)) = self.table.newest(key) else { return false };
        if task.state.is_final() {
            return false;
        }
        let outcome = if task.state == TaskState::Queued && !task.may_run {
            Outcome::cancelled(Reason::NeverInvoked, "cancelled before Lambda had accepted it")
        } else {
            Outcome::cancelled(Reason::Abandoned, "cancelled; the command may still run, its result is discarded")
        };
        self.finish(id, outcome, None);
        self.submit_ready();
        true
    }

    /// Tracks a task of an earlier process.
    pub(crate) fn adopt(&mut self, spec: AdoptSpec) -> Result<(), Refusal> {
        self.check_open()?;
        self.check_unused(&spec.key)?;
        if let Some(other) = spec.attempt.and_then(|attempt| self.table.get(self.table.of_attempt(attempt)?))
            && !other.state.is_final()
        {
            return Err(Refusal::Duplicate { key: other.key.as_ref().into() });
        }
        let route = self.route_named(&spec.key, &spec.queue)?;
        let mut task = self.new_task(spec.key, spec.tag, route, TaskState::Running);
        let deadline = self.now.mono_ms.saturating_add(self.settings.routes[0].result_timeout_ms);
        task.adopted = true;
        task.attempt = spec.attempt;
        task.deadline = Some(deadline);
        task.running_told = true;
        let id = self.table.insert(task);
        self.deadlines.insert((deadline, id));
        self.running += 1;
        self.route(route).active += 1;
        self.counters.adopted += 1;
        self.poll_queues();
        Ok(())
    }

    /// Accepts no more; in mode `Running` what waits is cancelled.
    pub(crate) fn drain(&mut self, mode: DrainMode) {
        if self.phase == Phase::Open {
            self.phase = Phase::Draining;
            tracing::info!(queued = self.queued, running = self.submitting + self.running, "draining");
        }
        self.hands_back |= mode == DrainMode::CancelQueued;
        self.tick();
    }

    /// In a drain that waits only for what runs: cancels what waits, also what a failed Invoke puts back later.
    pub(super) fn hand_back_waiting(&mut self) {
        if !self.hands_back || self.queued == 0 || self.phase == Phase::Closed {
            return;
        }
        for id in self.queued_tasks() {
            let outcome = if self.table.get(id).is_some_and(|task| task.may_run) {
                let why = "not submitted again because of a drain; the answer to a try was lost, so it may run";
                Outcome::cancelled(Reason::Abandoned, why)
            } else {
                Outcome::cancelled(Reason::NeverInvoked, "handed back by a drain, never accepted by Lambda")
            };
            self.finish(id, outcome, None);
        }
    }

    /// Waiting tasks, in the order they were accepted.
    fn queued_tasks(&self) -> Vec<TaskId> {
        let mut ids: Vec<TaskId> =
            self.table.iter().filter(|(_, task)| task.state == TaskState::Queued).map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids
    }

    /// Drops what waits, gives back every result the host has not acknowledged, sends what deletes are due.
    pub(crate) fn shut_down(&mut self) {
        if self.phase == Phase::Closed {
            return;
        }
        self.phase = Phase::Closed;
        self.startup = StartupCheck::Passed;
        if self.queued > 0 {
            tracing::warn!(dropped = self.queued, "freed without a drain: tasks that were still queued are dropped");
        }
        let running = self.submitting + self.running;
        if running > 0 {
            tracing::info!(running, "freed while tasks run on Lambda: they go on, and can be adopted by their keys");
        }
        self.release_everything_held();
        self.flush_deletes();
    }

    /// True when nothing asked for is unanswered.
    pub(crate) fn is_quiet(&self) -> bool {
        self.actions.is_empty()
            && self.pollers.iter().all(Poller::is_quiet)
            && self.routes.iter().all(|route| route.in_flight == 0)
    }
}
