//! What the host asks: queue, cancel, adopt, drain, shut down.

use super::ending::Ending;
use super::tasks::{Adopted, TaskId};
use super::{AcceptedTask, Lsn, Machine, Phase, Record, SLICE, TaskName};
use crate::executor::DrainMode;
use crate::executor::ports::RouteId;
use crate::executor::task::{AdoptSpec, AttemptId, Reason, Refusal, TaskState};
use crate::executor::wire::Prepared;
use std::sync::Arc;

impl Machine {
    /// Accepts a task. Returns the position of its record.
    pub(crate) fn queue(&mut self, prepared: Prepared) -> Result<Lsn, Refusal> {
        self.check_open()?;
        self.check_unused(&prepared.key, Some(prepared.attempt))?;
        let waiting = usize::try_from(self.tasks.queued()).unwrap_or(usize::MAX).max(self.events.waiting());
        if waiting >= self.settings.max_queued_tasks {
            return Err(Refusal::QueueFull { limit: self.settings.max_queued_tasks });
        }
        let now = self.now;
        let lsn = self.records.add(|| {
            let max_wait_ms = i64::try_from(prepared.max_wait_ms).unwrap_or(i64::MAX);
            Record::Accepted(Box::new(AcceptedTask {
                task: TaskName { key: Arc::clone(&prepared.key), attempt: Some(prepared.attempt) },
                tag: prepared.tag,
                route: prepared.route,
                payload: Arc::clone(&prepared.payload),
                qualifier: prepared.qualifier.clone(),
                queued_at_ms: now.unix_ms,
                expires_at_ms: if max_wait_ms > 0 { now.unix_ms.saturating_add(max_wait_ms) } else { 0 },
                result_timeout_ms: prepared.result_timeout_ms,
            }))
        });
        let route = prepared.route;
        let id = self.tasks.accept(prepared, now);
        self.submission.enqueue(id, route);
        self.counts.queued += 1;
        Ok(lsn)
    }

    fn check_open(&self) -> Result<(), Refusal> {
        if self.phase == Phase::Open { Ok(()) } else { Err(Refusal::Closed) }
    }

    /// The key, and the attempt where there is one, must not belong to a task that has not ended.
    fn check_unused(&self, key: &str, attempt: Option<AttemptId>) -> Result<(), Refusal> {
        if self.tasks.newest(key).is_some_and(|(_, task)| !task.final_handed_out) {
            return Err(Refusal::Duplicate { key: key.into() });
        }
        let other = attempt.and_then(|attempt| self.tasks.get(self.tasks.of_attempt(attempt)?));
        match other.filter(|other| !other.state.is_final()) {
            Some(other) => Err(Refusal::Duplicate { key: other.key.as_ref().into() }),
            None => Ok(()),
        }
    }

    /// Cancels the task of that key; false if there is none that has not ended.
    pub(crate) fn cancel(&mut self, key: &str) -> bool {
        let Some((id, task)) = self.tasks.newest(key) else { return false };
        if task.state.is_final() {
            return false;
        }
        let ending = if task.state == TaskState::Queued && !task.may_run() {
            Ending::cancelled(Reason::NeverInvoked, "cancelled before Lambda had accepted it")
        } else {
            Ending::cancelled(Reason::Abandoned, "cancelled; the command may still run, its result is discarded")
        };
        self.finish(id, ending, None);
        true
    }

    /// Tracks a task of an earlier process as RUNNING.
    pub(crate) fn adopt(&mut self, spec: AdoptSpec) -> Result<Lsn, Refusal> {
        self.check_open()?;
        self.check_unused(&spec.key, spec.attempt)?;
        let route = self.settings.route_named(&spec.key, &spec.queue)?;
        let limit_ms = self.result_timeout_ms(route, spec.result_timeout_ms);
        let deadline = self.deadline_after_predecessor_ms(limit_ms);
        let lsn = self.records.add(|| Record::Adopted {
            task: TaskName { key: Arc::clone(&spec.key), attempt: spec.attempt },
            tag: spec.tag,
            route,
            result_timeout_ms: spec.result_timeout_ms,
        });
        let adopted = Adopted {
            key: spec.key,
            tag: spec.tag,
            route,
            attempt: spec.attempt,
            result_timeout_ms: spec.result_timeout_ms,
            deadline,
        };
        self.tasks.adopt(adopted, self.now);
        self.submission.adopted(route);
        self.counts.adopted += 1;
        self.call_queues();
        Ok(lsn)
    }

    /// The limit that counts for a task: its own, or its route's.
    pub(super) fn result_timeout_ms(&self, route: RouteId, own_ms: u64) -> u64 {
        if own_ms > 0 { own_ms } else { self.settings.routes.get(route).map_or(u64::MAX, |r| r.result_timeout_ms) }
    }

    /// Accepts no more tasks; in mode `CancelQueued` those that are queued are cancelled.
    pub(crate) fn drain(&mut self, mode: DrainMode) {
        if self.phase == Phase::Open {
            self.phase = Phase::Draining;
            tracing::info!(queued = self.tasks.queued(), running = self.tasks.awaited(), "draining");
        }
        self.cancels_queued |= mode == DrainMode::CancelQueued;
        self.tick();
    }

    /// In a drain that waits only for what runs: cancels some of what is queued, also what a failed Invoke puts back later.
    pub(super) fn cancel_queued_slice(&mut self) {
        if !self.cancels_queued || self.phase == Phase::Closed {
            return;
        }
        for id in self.submission.take_queued(SLICE, &self.tasks) {
            self.finish_taken(id, self.cancelled_by_drain(id));
        }
        for _ in 0..SLICE {
            let Some(id) = self.tasks.first_backing_off() else { break };
            self.finish(id, self.cancelled_by_drain(id), None);
        }
    }

    fn cancelled_by_drain(&self, id: TaskId) -> Ending {
        if let Some(task) = self.tasks.get(id).filter(|task| task.may_run()) {
            let why = format!("not submitted again because of a drain{}", task.may_have_run_note());
            Ending::cancelled(Reason::Abandoned, &why)
        } else {
            Ending::cancelled(Reason::NeverInvoked, "cancelled by a drain, never accepted by Lambda")
        }
    }

    /// Drops what is queued, releases every message whose event has not been acknowledged, sends the deletes that wait.
    /// Returns the number of tasks dropped.
    pub(crate) fn shut_down(&mut self) -> u64 {
        if self.phase == Phase::Closed {
            return 0;
        }
        self.phase = Phase::Closed;
        self.submission.close();
        self.withdraw_all();
        let (dropped, running) = (self.tasks.queued(), self.tasks.awaited());
        if dropped > 0 {
            tracing::warn!(dropped, "freed without a drain: tasks that were still queued are dropped");
        }
        if running > 0 {
            tracing::info!(running, "freed while tasks run on Lambda: they go on, and can be adopted by their keys");
        }
        self.deliveries.close();
        self.call_queues();
        dropped
    }
}
