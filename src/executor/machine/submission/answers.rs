//! What the answer to a call means: whose fault a failure is, and what follows for the task.

use super::breaker::{Closed, Effect, Probe};
use super::{Accepted, InvocationId, Service, Submission, TaskId, Tasks};
use crate::executor::machine::backoff::contract_ms;
use crate::executor::machine::tasks::Task;
use crate::executor::ports::{self, CallError, Fault, Now, RouteId, Sent};
use std::sync::Arc;

/// A task that failed by a fault of the service while that is not yet known to be an outage waits this long.
const DOUBT_PAUSE_MS: u64 = 500;
/// A task that alone fails with a fault of the function is tried again after so long at first, and at most, in ms.
const FIRST_ASIDE_MS: u64 = 4_000;
const LONGEST_ASIDE_MS: u64 = 120_000;

/// What follows for the task of an invocation.
#[derive(Debug)]
pub(in crate::executor::machine) enum Blame {
    /// Lambda accepted the event under this id.
    Accepted(Arc<str>),
    /// The task is in line again, or backs off.
    Waits,
    /// The task has used up its tries and may run: it waits for a report.
    AwaitReport,
    /// The task fails for this reason.
    Fails(String),
    /// The task had ended before.
    Late,
}

/// What an answer means.
#[derive(Debug)]
pub(in crate::executor::machine) struct Answered {
    pub(in crate::executor::machine) task: TaskId,
    pub(in crate::executor::machine) blame: Blame,
    /// True if the call was certainly not carried out.
    pub(in crate::executor::machine) was_refused: bool,
    /// Tasks that have used up their attempts because they failed while others succeeded.
    pub(in crate::executor::machine) used_up: Vec<TaskId>,
}

impl Submission {
    /// The answer to an Invoke. `None` if the invocation is not known, which is never right.
    pub(in crate::executor::machine) fn invoked(
        &mut self,
        id: InvocationId,
        now: Now,
        took_ms: u64,
        answer: Result<ports::Accepted, CallError>,
        tasks: &mut Tasks,
    ) -> Option<Answered> {
        let invocation = self.invocations.get(id)?;
        let (route, [task], epoch) = (invocation.route, invocation.tasks, invocation.epoch);
        let is_full = self.routes[route].is_full();
        self.in_flight -= 1;
        self.routes[route].in_flight -= 1;
        self.set_runnable(route);
        let waits = tasks.get(task).is_some_and(|t| t.invocations().contains(&id) && !t.state.is_final());
        let mut used_up = Vec::new();
        let (blame, was_refused) = match answer {
            Ok(accepted) => {
                self.identity.accepted(Service::Lambda, now.mono_ms, took_ms);
                self.routes[route].level.accepted(epoch, took_ms, is_full, now.mono_ms);
                used_up = self.succeeded(route, now, tasks);
                let request_id: Arc<str> = accepted.request_id.into();
                self.invocations.answered(id, Accepted::Yes, &request_id);
                self.counts.late_answers += u64::from(!waits);
                (if waits { Blame::Accepted(request_id) } else { Blame::Late }, false)
            }
            Err(error) => {
                let blame = self.invoke_failed(id, task, now, took_ms, &error, waits, tasks, &mut used_up);
                if error.sent == Sent::Maybe {
                    self.invocations.answered(id, Accepted::Maybe, &"".into());
                } else {
                    self.invocations.not_accepted(id);
                    tasks.drop_invocation(task, id);
                }
                (blame, error.sent != Sent::Maybe)
            }
        };
        Some(Answered { task, blame, was_refused, used_up })
    }

    /// A call that was never sent. Returns its task, which is in line again if it still waits.
    pub(in crate::executor::machine) fn withdrawn(
        &mut self,
        id: InvocationId,
        now_ms: u64,
        tasks: &mut Tasks,
    ) -> Option<TaskId> {
        let invocation = self.invocations.get(id)?;
        let (route, [task], is_probe) = (invocation.route, invocation.tasks, invocation.is_probe);
        self.in_flight -= 1;
        self.routes[route].in_flight -= 1;
        if is_probe {
            self.routes[route].breaker.probe_inconclusive(now_ms);
        }
        self.set_runnable(route);
        self.invocations.not_accepted(id);
        tasks.drop_invocation(task, id);
        let message = tasks.get(task).map(|task| task.message().to_owned()).unwrap_or_default();
        self.return_to_line(task, route, &message, true, tasks);
        Some(task)
    }

    #[allow(clippy::too_many_arguments)]
    fn invoke_failed(
        &mut self,
        id: InvocationId,
        task: TaskId,
        now: Now,
        took_ms: u64,
        error: &CallError,
        waits: bool,
        tasks: &mut Tasks,
        used_up: &mut Vec<TaskId>,
    ) -> Blame {
        let Some(invocation) = self.invocations.get(id) else { return Blame::Late };
        let (route, epoch, is_probe) = (invocation.route, invocation.epoch, invocation.is_probe);
        let successes_before = invocation.successes_before;
        let text = error.to_string();
        match error.fault {
            Fault::Account => {
                self.counts.throttled += 1;
                // An answer: the service is there, and other tasks' failures were their own.
                *used_up = self.succeeded_throttled(route, now, epoch, error, tasks);
                self.return_to_line(task, route, &text, true, tasks)
            }
            Fault::Identity => {
                self.counts.credential_failures += 1;
                if is_probe {
                    self.routes[route].breaker.probe_inconclusive(now.mono_ms);
                }
                self.identity.rejected(Service::Lambda, now.mono_ms, took_ms, &text, &mut self.jitter);
                self.return_to_line(task, route, &text, true, tasks)
            }
            Fault::Event => {
                self.identity.accepted(Service::Lambda, now.mono_ms, took_ms);
                *used_up = self.succeeded(route, now, tasks);
                if waits {
                    tasks.charge(task);
                    Blame::Fails(format!("Lambda refused the event: {text}"))
                } else {
                    Blame::Late
                }
            }
            Fault::Route => {
                self.identity.accepted(Service::Lambda, now.mono_ms, took_ms);
                let refused_at = tasks.get(task).and_then(Task::refused_at);
                let is_alone = !is_probe && self.is_alone_in_failing(route, successes_before, refused_at);
                let breaker = &mut self.routes[route].breaker;
                let effect = if is_alone {
                    breaker.service_failed(now, &text, error.sent, is_probe, &mut self.jitter)
                } else {
                    breaker.route_failed(now, &text, is_probe, &mut self.jitter)
                };
                self.log_open(route, effect, &text, now);
                self.forgive_outage(route, tasks);
                self.counts.unanswered += 1;
                tasks.refused(task, self.routes[route].successes);
                match (waits, effect) {
                    (true, Effect::Closed) => self.set_aside(task, route, now, &text, tasks),
                    _ => self.return_to_line(task, route, &text, false, tasks),
                }
            }
            Fault::Service if error.sent == Sent::Maybe => {
                let breaker = &mut self.routes[route].breaker;
                let effect = breaker.service_failed(now, &text, Sent::Maybe, is_probe, &mut self.jitter);
                self.log_open(route, effect, &text, now);
                let blame = if waits { self.answer_lost(task, route, now, &text, tasks) } else { Blame::Late };
                self.forgive_outage(route, tasks);
                blame
            }
            Fault::Service => {
                let breaker = &mut self.routes[route].breaker;
                let effect = breaker.service_failed(now, &text, error.sent, is_probe, &mut self.jitter);
                self.log_open(route, effect, &text, now);
                self.forgive_outage(route, tasks);
                self.counts.unanswered += 1;
                if effect != Effect::Closed {
                    return self.return_to_line(task, route, &text, false, tasks);
                }
                match (waits, error.sent) {
                    (false, _) => Blame::Late,
                    // No event was sent, so none can be at fault.
                    (true, Sent::No) => self.back_off(task, route, now, DOUBT_PAUSE_MS, &text, tasks),
                    (true, _) => self.in_doubt(task, route, now, successes_before, &text, tasks),
                }
            }
        }
    }

    /// The answer was lost, so Lambda may have accepted the event: the try counts against the limit, whatever was at fault.
    fn answer_lost(&mut self, task: TaskId, route: RouteId, now: Now, text: &str, tasks: &mut Tasks) -> Blame {
        let tries = tasks.count_unsure(task);
        self.routes[route].breaker.answer_lost(task);
        if tries >= self.max_invoke_attempts {
            return Blame::AwaitReport;
        }
        let wait_ms = self.jitter.spread(contract_ms(tries));
        self.counts.retried += 1;
        if let Some(task) = tasks.get(task) {
            tracing::info!(task_key = %task.key, tries, wait_ms, "the answer to Invoke was lost, it is sent again: {text}");
        }
        tasks.requeue(task, text, Some(now.mono_ms + wait_ms));
        self.back_to_queued(route);
        Blame::Waits
    }

    /// Lost answers of an outage are not reported as attempts.
    fn forgive_outage(&mut self, route: RouteId, tasks: &mut Tasks) {
        for task in self.routes[route].breaker.take_lost_in_outage() {
            tasks.forgive(task);
        }
    }

    /// It is not known yet whether the event or the service is at fault. A task that fails again although others
    /// succeeded since is accused; it uses an attempt if another call succeeds before the breaker opens.
    fn in_doubt(
        &mut self,
        task: TaskId,
        route: RouteId,
        now: Now,
        successes_before: u64,
        text: &str,
        tasks: &mut Tasks,
    ) -> Blame {
        let suspect_at = tasks.get(task).and_then(Task::suspect_at);
        let pause_ms = if self.is_alone_in_failing(route, successes_before, suspect_at) {
            self.routes[route].breaker.accuse(task);
            contract_ms(tasks.get(task).map_or(0, Task::tries) + 1)
        } else {
            DOUBT_PAUSE_MS
        };
        tasks.suspect(task, self.routes[route].successes);
        self.back_off(task, route, now, pause_ms, text, tasks)
    }

    /// The event failed in the same way when the route had had `failed_at` successes, other calls have succeeded since, and
    /// now it has failed again.
    fn is_alone_in_failing(&self, route: RouteId, successes_before: u64, failed_at: Option<u64>) -> bool {
        failed_at.is_some_and(|successes| successes_before > successes) && self.routes[route].open().is_none()
    }

    /// A failure that looks like one of the function although the function accepts other events, such as that of a
    /// version which only this task asked for. The task waits alone and uses no attempt, until `max_outage_ms`.
    fn set_aside(&mut self, task: TaskId, route: RouteId, now: Now, text: &str, tasks: &mut Tasks) -> Blame {
        let failing_ms = now.mono_ms.saturating_sub(tasks.set_aside_since(task, now.mono_ms));
        if failing_ms >= self.max_outage_ms {
            if tasks.get(task).is_some_and(Task::may_run) {
                return Blame::AwaitReport;
            }
            let limit = self.max_outage_ms;
            return Blame::Fails(format!(
                "the function refused this event, and accepted others, for longer than max_outage_ms ({limit} ms), \
                 last: {text}"
            ));
        }
        let pause_ms = failing_ms.clamp(FIRST_ASIDE_MS, LONGEST_ASIDE_MS);
        self.back_off(task, route, now, pause_ms, text, tasks)
    }

    fn back_off(
        &mut self,
        task: TaskId,
        route: RouteId,
        now: Now,
        pause_ms: u64,
        text: &str,
        tasks: &mut Tasks,
    ) -> Blame {
        let wait_ms = self.jitter.spread(pause_ms);
        self.counts.retried += 1;
        if let Some(task) = tasks.get(task) {
            tracing::info!(task_key = %task.key, wait_ms, "Invoke failed and is tried again: {text}");
        }
        tasks.requeue(task, text, Some(now.mono_ms + wait_ms));
        self.back_to_queued(route);
        Blame::Waits
    }

    /// Puts a task that uses no attempt back in line.
    fn return_to_line(&mut self, task: TaskId, route: RouteId, text: &str, first: bool, tasks: &mut Tasks) -> Blame {
        let is_submitting =
            tasks.get(task).is_some_and(|task| !task.state.is_final() && !task.is_queued() && task.payload.is_some());
        if !is_submitting {
            return Blame::Late;
        }
        tasks.requeue(task, text, None);
        self.routes[route].push_returned(task, first);
        self.back_to_queued(route);
        Blame::Waits
    }

    fn back_to_queued(&mut self, route: RouteId) {
        let route = &mut self.routes[route];
        route.active -= 1;
        route.queued += 1;
    }

    /// The route works. Returns the accused that have used up their attempts.
    fn succeeded(&mut self, route: RouteId, now: Now, tasks: &mut Tasks) -> Vec<TaskId> {
        let closed = self.routes[route].answered(now.mono_ms);
        self.charge(closed, tasks)
    }

    /// Accused tasks use an attempt. Returns those that have no more.
    fn charge(&self, closed: Closed, tasks: &mut Tasks) -> Vec<TaskId> {
        let most = self.max_invoke_attempts;
        let is_queued = |tasks: &Tasks, id| tasks.get(id).is_some_and(Task::is_queued);
        closed.at_fault.into_iter().filter(|id| is_queued(tasks, *id) && tasks.charge(*id) >= most).collect()
    }

    fn succeeded_throttled(
        &mut self,
        route: RouteId,
        now: Now,
        epoch: u64,
        error: &CallError,
        tasks: &mut Tasks,
    ) -> Vec<TaskId> {
        let throttles = self.routes[route].throttled(now.mono_ms, epoch, error.retry_after_ms, &mut self.jitter);
        let line = &mut self.routes[route];
        tracing::debug!(
            route = line.settings.name,
            pause_ms = throttles,
            limit = line.level.limit(),
            "throttled by Lambda: {error}"
        );
        let closed = line.breaker.answered(now.mono_ms);
        self.charge(closed, tasks)
    }

    /// The answer to a [`super::Next::Probe`]. Returns tasks that have used up their attempts.
    pub(in crate::executor::machine) fn probed(
        &mut self,
        route: RouteId,
        probe: Probe,
        now: Now,
        took_ms: u64,
        failure: Option<&CallError>,
        tasks: &mut Tasks,
    ) -> Vec<TaskId> {
        self.in_flight -= 1;
        self.set_runnable(route);
        let breaker = &mut self.routes[route].breaker;
        // A check of the host's, or a call that was under way, has succeeded meanwhile.
        if probe == Probe::Check && !breaker.is_check() || failure.is_some() && breaker.open().is_none() {
            return Vec::new();
        }
        let Some(error) = failure else {
            self.identity.accepted(Service::Lambda, now.mono_ms, took_ms);
            if probe == Probe::DryRun {
                breaker.dry_run_succeeded(now.mono_ms);
                return Vec::new();
            }
            return self.succeeded(route, now, tasks);
        };
        let text = error.to_string();
        match error.fault {
            Fault::Account => breaker.probe_inconclusive(now.mono_ms + DOUBT_PAUSE_MS),
            Fault::Identity => {
                self.counts.credential_failures += 1;
                breaker.probe_inconclusive(now.mono_ms);
                self.identity.rejected(Service::Lambda, now.mono_ms, took_ms, &text, &mut self.jitter);
            }
            Fault::Event | Fault::Route | Fault::Service => {
                let effect = breaker.route_failed(now, &text, true, &mut self.jitter);
                self.log_open(route, effect, &text, now);
            }
        }
        Vec::new()
    }

    /// The host's own check: what it found of a function.
    pub(in crate::executor::machine) fn checked_for_host(
        &mut self,
        route: RouteId,
        now: Now,
        tasks: &mut Tasks,
    ) -> Vec<TaskId> {
        self.set_runnable(route);
        self.identity.accepted(Service::Lambda, now.mono_ms, 0);
        if self.routes[route].breaker.is_check() {
            return self.succeeded(route, now, tasks);
        }
        self.routes[route].breaker.probe_now(now.mono_ms);
        Vec::new()
    }

    fn log_open(&self, route: RouteId, effect: Effect, text: &str, now: Now) {
        let Effect::OpenedOrProbed(failures) = effect else { return };
        // The end of the executor cuts calls off.
        if self.is_closed {
            return;
        }
        if failures != 0 && !failures.is_power_of_two() {
            return;
        }
        let route = &self.routes[route];
        let Some(open) = route.open() else { return };
        tracing::warn!(
            route = route.settings.name,
            failures,
            queued = route.queued,
            next_try_ms = open.next_probe_ms.saturating_sub(now.mono_ms),
            "the function cannot be invoked, its tasks wait: {text}"
        );
    }
}
