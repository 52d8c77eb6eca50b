//! What is invoked when, and what a failed Invoke means for the task and its route.

use super::{FailureClass, class};
use super::backoff::{contract_ms, doubling_ms};
use super::finish::Outcome;
use super::table::TaskId;
use super::{Action, Core, Phase, Service, StartupCheck};
use crate::executor::ports::{Accepted, CallError, InvokeRequest, RouteId};
use crate::executor::task::{Reason, TaskState};

impl Core {
    pub(super) fn submit_ready(&mut self) {
        for route in 0..self.routes.len() {
            self.submit_ready_on(route);
        }
    }

    /// From when on tasks may be submitted; `None` while only an answer can change it.
    pub(super) fn may_submit_at(&self) -> Option<u64> {
        if self.phase == Phase::Closed || !matches!(self.startup, StartupCheck::Passed) {
            return None;
        }
        match &self.credentials {
            None => Some(0),
            Some(_) if self.submitting > 0 => None,
            Some((_, trouble)) => Some(trouble.next_probe_ms),
        }
    }

    pub(super) fn submit_ready_on(&mut self, route_id: RouteId) {
        let now = self.now;
        loop {
            if self.routes[route_id].ready.is_empty() || self.may_submit_at().is_none_or(|at| at > now.mono_ms) {
                return;
            }
            // Ids of cancelled tasks must not cost a token of the rate limit.
            while let Some(id) = self.routes[route_id].ready.front()
                && !self.is_ready(*id)
            {
                let route = self.route(route_id);
                route.ready.pop_front();
                route.stale = route.stale.saturating_sub(1);
            }
            if self.routes[route_id].ready.is_empty() || !self.route(route_id).admits(now.mono_ms) {
                return;
            }
            let Some(id) = self.route(route_id).ready.pop_front() else { return };
            let Some(task) = self.table.get_mut(id) else { continue };
            let Some(payload) = task.payload.clone() else { continue };
            let qualifier = task.qualifier.clone();
            task.state = TaskState::Submitting;
            if task.first_invoked_at_ms == 0 {
                task.first_invoked_at_ms = now.unix_ms;
                self.counters.queue_wait.record(now.mono_ms.saturating_sub(task.queued_mono_ms));
            }
            self.queued -= 1;
            self.submitting += 1;
            self.counters.invoke_calls += 1;
            let route = self.route(route_id);
            route.in_flight += 1;
            route.queued -= 1;
            route.active += 1;
            let epoch = route.concurrency.epoch();
            let request = InvokeRequest { route: route_id, qualifier, payload };
            self.actions.push(Action::Invoke { task: id, epoch, request });
        }
    }

    fn is_ready(&self, id: TaskId) -> bool {
        self.table.get(id).is_some_and(|task| task.state == TaskState::Queued && task.backing_off_until.is_none())
    }

    /// The answer to an [`Action::Invoke`]. `took_ms` is for the statistics.
    pub(crate) fn invoked(
        &mut self,
        id: TaskId,
        route_id: RouteId,
        epoch: u64,
        took_ms: u64,
        answer: Result<Accepted, CallError>,
    ) {
        self.route(route_id).in_flight -= 1;
        self.counters.invoke_latency.record(took_ms);
        let waits_for_it = self.table.get(id).is_some_and(|task| task.state == TaskState::Submitting);
        match answer {
            Ok(accepted) => {
                let now_ms = self.now.mono_ms;
                // Of a task that has ended meanwhile the event is gone, and most are small.
                let event = self.table.get(id).and_then(|task| task.payload.as_ref());
                self.counters.billed.event(event.map_or(0, |event| event.len()));
                self.route(route_id).succeeded(now_ms);
                self.credentials_work(Service::Lambda, took_ms);
                if waits_for_it {
                    self.accepted(id, accepted);
                } else {
                    self.counters.late_answers += 1;
                }
            }
            Err(error) => {
                if let (FailureClass::Transient { .. }, Some(task)) = (class(&error), self.table.get_mut(id)) {
                    // Only the answer may have been lost.
                    task.may_run = true;
                }
                if class(&error) == FailureClass::Permanent {
                    // Lambda knew who we are, and refused what we asked.
                    self.credentials_work(Service::Lambda, took_ms);
                }
                if class(&error) == FailureClass::Credentials {
                    self.credentials_failed(Service::Lambda, took_ms, &error.to_string());
                }
                self.invoke_failed(id, route_id, epoch, error, waits_for_it);
            }
        }
        self.tick();
    }

    fn accepted(&mut self, id: TaskId, accepted: Accepted) {
        let deadline = self.now.mono_ms.saturating_add(self.settings.routes[0].result_timeout_ms);
        self.table.set_request(id, &accepted.request_id);
        if let Some(task) = self.table.get_mut(id) {
            task.attempts += 1;
            task.state = TaskState::Running;
            task.submitted_at_ms = self.now.unix_ms;
            task.deadline = Some(deadline);
            task.payload = None;
            if let Some(at) = task.expires_at.take() {
                self.expiries.remove(&(at, id));
            }
        }
        self.deadlines.insert((deadline, id));
        self.submitting -= 1;
        self.running += 1;
        self.counters.accepted += 1;
        self.tell_running(id);
    }

    fn invoke_failed(&mut self, id: TaskId, route_id: RouteId, epoch: u64, error: CallError, waits_for_it: bool) {
        let now_ms = self.now.mono_ms;
        let text = error.to_string();
        match class(&error) {
            FailureClass::Throttled => {
                self.counters.throttled += 1;
                let route = &mut self.routes[route_id];
                let pause = route.throttled(now_ms, epoch, error.retry_after_ms, &mut self.jitter);
                let limit = route.concurrency.limit();
                tracing::debug!(route = route.settings.name, pause_ms = pause, limit, "throttled by Lambda: {text}");
                self.back_to_queue(id, &text, true);
            }
            FailureClass::Credentials => self.back_to_queue(id, &text, true),
            FailureClass::Transient { no_service: true }
                if self.routes[route_id].unanswered(now_ms, text.clone(), &mut self.jitter) =>
            {
                self.counters.unanswered += 1;
                // To the end of the line: an event that the service cannot stand must not hold up all others.
                self.back_to_queue(id, &text, false);
            }
            FailureClass::Transient { .. } if waits_for_it => self.use_attempt(id, &text),
            FailureClass::Permanent if waits_for_it => {
                let route = &mut self.routes[route_id];
                match self.table.get_mut(id) {
                    // A version that only this task asked for tells nothing of the route's.
                    Some(task) if task.qualifier.is_some() => {
                        task.attempts += 1;
                        route.answered(now_ms);
                    }
                    Some(task) => {
                        task.attempts += 1;
                        route.refused(now_ms, &text);
                    }
                    None => {}
                }
                self.finish(id, Outcome::invoke_failed(format!("Invoke was refused for good: {text}")), None);
            }
            FailureClass::Transient { .. } | FailureClass::Permanent => {}
        }
    }

    /// Counts a failed attempt: backs off, or fails the task when it was the last.
    fn use_attempt(&mut self, id: TaskId, text: &str) {
        let most = self.settings.max_invoke_attempts;
        let Some(task) = self.table.get_mut(id) else { return };
        task.attempts += 1;
        let attempts = task.attempts;
        if attempts >= most {
            let message = format!("Invoke failed {attempts} times (max_invoke_attempts {most}), last: {text}");
            self.finish(id, Outcome::invoke_failed(message), None);
            return;
        }
        let wait_ms = self.jitter.spread(contract_ms(attempts));
        let until = self.now.mono_ms + wait_ms;
        tracing::info!(task_key = %task.key, attempts, wait_ms, "Invoke failed and is tried again: {text}");
        self.counters.retried += 1;
        task.backing_off_until = Some(until);
        self.backing_off.insert((until, id));
        self.leave_submitting(id, text);
    }

    /// Puts a task that was to be submitted back, without using an attempt.
    fn back_to_queue(&mut self, id: TaskId, text: &str, front: bool) {
        if self.table.get(id).is_none_or(|task| task.state != TaskState::Submitting) {
            return;
        }
        let Some(route_id) = self.leave_submitting(id, text) else { return };
        let ready = &mut self.route(route_id).ready;
        if front {
            ready.push_front(id);
        } else {
            ready.push_back(id);
        }
    }

    fn leave_submitting(&mut self, id: TaskId, text: &str) -> Option<RouteId> {
        let task = self.table.get_mut(id)?;
        task.state = TaskState::Queued;
        task.last_error = text.into();
        let (route_id, expires_at) = (task.route, task.expires_at);
        self.submitting -= 1;
        self.queued += 1;
        let route = self.route(route_id);
        route.queued += 1;
        route.active -= 1;
        // Its time may have run out while the call was under way.
        if let Some(at) = expires_at {
            self.expiries.insert((at, id));
        }
        Some(route_id)
    }

    pub(super) fn end_back_offs(&mut self) {
        while let Some(&(at, id)) = self.backing_off.first()
            && at <= self.now.mono_ms
        {
            self.backing_off.pop_first();
            if let Some(task) = self.table.get_mut(id) {
                task.backing_off_until = None;
                let route = task.route;
                self.route(route).ready.push_back(id);
            }
        }
    }

    /// Fails tasks whose `max_wait_ms` is over.
    pub(super) fn end_waits_that_are_over(&mut self) {
        while let Some(&(at, id)) = self.expiries.first()
            && at <= self.now.mono_ms
        {
            self.expiries.pop_first();
            let Some(task) = self.table.get(id) else { continue };
            if let Some(waits_for) = self.waits_for(task) {
                let waited = self.now.mono_ms.saturating_sub(task.queued_mono_ms);
                let mut message =
                    format!("waited {waited} ms to be submitted, longer than its max_wait_ms; waited for {waits_for}");
                if !task.last_error.is_empty() {
                    message = format!("{message}; last error: {}", task.last_error);
                }
                self.finish(id, Outcome::failed(Reason::Expired, message), None);
            }
        }
    }

    /// When the first in line has waited `max_outage_ms` for a route that does not answer.
    pub(super) fn next_give_up(&self, route_id: RouteId) -> Option<u64> {
        let route = &self.routes[route_id];
        let outage = route.outage.as_ref()?;
        let first = route.ready.iter().find_map(|id| self.table.get(*id).filter(|t| t.state == TaskState::Queued))?;
        Some(outage.since_ms.max(first.queued_mono_ms).saturating_add(self.settings.max_outage_ms))
    }

    /// Fails what has waited `max_outage_ms` for a route that does not answer.
    pub(super) fn end_long_outages(&mut self) {
        for route_id in 0..self.routes.len() {
            if self.next_give_up(route_id).is_some_and(|at| at <= self.now.mono_ms) {
                self.fail_after_long_outage(route_id);
            }
        }
    }

    fn fail_after_long_outage(&mut self, route_id: RouteId) {
        let Some(outage) = &self.routes[route_id].outage else { return };
        let (since, limit, now) = (outage.since_ms, self.settings.max_outage_ms, self.now.mono_ms);
        let reason = outage.reason.clone();
        let mut given_up: Vec<TaskId> = self.routes[route_id]
            .ready
            .iter()
            .copied()
            .filter(|id| {
                self.table.get(*id).is_some_and(|task| {
                    task.state == TaskState::Queued && now.saturating_sub(since.max(task.queued_mono_ms)) >= limit
                })
            })
            .collect();
        given_up.sort_unstable();
        given_up.dedup();
        for id in given_up {
            let message = format!("Lambda did not answer for longer than max_outage_ms ({limit} ms), last: {reason}");
            self.finish(id, Outcome::invoke_failed(message), None);
        }
    }

    pub(super) fn start_health_check(&mut self) {
        self.startup = StartupCheck::UnderWay;
        self.check_began_ms = self.now.mono_ms;
        self.actions.push(Action::CheckHealth);
    }

    pub(super) fn retry_health_check(&mut self) {
        if let StartupCheck::Failed { next_try_ms, .. } = &self.startup
            && *next_try_ms <= self.now.mono_ms
            && self.phase != Phase::Closed
        {
            self.start_health_check();
        }
    }

    /// The answer to [`Action::CheckHealth`].
    pub(crate) fn health_checked(&mut self, answer: Result<Vec<String>, CallError>) {
        if !matches!(self.startup, StartupCheck::UnderWay) {
            return;
        }
        match answer {
            Ok(warnings) => {
                self.note_warnings(warnings);
                self.credentials_work(Service::Lambda, 0);
                self.startup = StartupCheck::Passed;
            }
            Err(error) => {
                self.counters.health_failures += 1;
                let failures = u32::try_from(self.counters.health_failures).unwrap_or(u32::MAX);
                let credentials = class(&error) == FailureClass::Credentials;
                self.counters.credential_failures += u64::from(credentials);
                let wait_ms = if credentials { contract_ms(failures) } else { doubling_ms(1_000, failures, 60_000) };
                // New credentials came while it asked with the old ones.
                let stale = credentials && self.check_began_ms < self.credentials_since_ms;
                let wait_ms = if stale { 0 } else { self.jitter.spread(wait_ms) };
                if failures.is_power_of_two() {
                    tracing::error!(
                        failures,
                        next_try_ms = wait_ms,
                        "the check at start failed, tasks stay queued: {error}"
                    );
                }
                let next_try_ms = self.now.mono_ms + wait_ms;
                self.startup = StartupCheck::Failed { next_try_ms, reason: error.to_string(), credentials };
            }
        }
        self.tick();
    }
}
