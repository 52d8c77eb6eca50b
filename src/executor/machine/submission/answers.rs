//! What the answer to a call means: whose fault a failure is, and what follows for its tasks. Of a call with several
//! tasks that failed it cannot be seen which is at fault: where that matters, each goes alone the next time.

use super::breaker::{Closed, Effect, Probe};
use super::invocations::Members;
use super::{Accepted, InvocationId, Service, Submission, TaskId, Tasks};
use crate::executor::machine::backoff::{Jitter, contract_ms};
use crate::executor::machine::tasks::Task;
use crate::executor::ports::{self, CallError, Fault, Now, RouteId, Sent};
use crate::executor::task::TaskState;
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

/// What follows for all tasks of a call that failed.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// In line again at once. `first`: before all others.
    Return { first: bool },
    /// Lambda may have accepted the event.
    AnswerLost,
    /// Tried again after a while; no event was sent.
    BackOff,
    /// The event or the service is at fault. The route had so many successes when the call began.
    Doubt { successes_before: u64 },
    /// The function refuses this task and accepts others.
    SetAside,
    /// The event is at fault.
    Refused,
}

/// What an answer means.
#[derive(Debug)]
pub(in crate::executor::machine) struct Answered {
    /// What follows for each task of the call.
    pub(in crate::executor::machine) tasks: Vec<(TaskId, Blame)>,
    /// True if the call was certainly not carried out.
    pub(in crate::executor::machine) was_refused: bool,
    /// Tasks that have used up their attempts because they failed while others succeeded.
    pub(in crate::executor::machine) used_up: Vec<TaskId>,
}

/// How long the tasks of one call wait, so that those that failed together are tried again together.
#[derive(Debug, Default)]
struct Waits(Option<(u64, u64)>);

impl Waits {
    fn spread(&mut self, full_ms: u64, jitter: &mut Jitter) -> u64 {
        match self.0 {
            Some((of, wait_ms)) if of == full_ms => wait_ms,
            _ => self.0.insert((full_ms, jitter.spread(full_ms))).1,
        }
    }
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
        let (route, members, epoch) = (invocation.route, invocation.tasks.clone(), invocation.epoch);
        let is_full = self.routes[route].is_full();
        self.in_flight -= 1;
        self.routes[route].in_flight -= 1;
        self.set_runnable(route);
        let waits =
            |task: &TaskId| tasks.get(*task).is_some_and(|t| t.invocations().contains(&id) && !t.state.is_final());
        let waiting: Vec<TaskId> = members.iter().copied().filter(waits).collect();
        let late = members.iter().filter(|task| !waiting.contains(task)).map(|task| (*task, Blame::Late));
        let mut blames: Vec<(TaskId, Blame)> = late.collect();
        let mut used_up = Vec::new();
        let was_refused = match answer {
            Ok(accepted) => {
                self.identity.accepted(Service::Lambda, now.mono_ms, took_ms);
                self.routes[route].level.accepted(epoch, took_ms, is_full, now.mono_ms);
                used_up = self.succeeded(route, now, tasks);
                let request_id: Arc<str> = accepted.request_id.into();
                self.invocations.answered(id, Accepted::Yes, &request_id);
                self.counts.late_answers += blames.len() as u64;
                blames.extend(waiting.into_iter().map(|task| (task, Blame::Accepted(Arc::clone(&request_id)))));
                false
            }
            Err(error) => {
                blames.extend(self.invoke_failed(id, &waiting, now, took_ms, &error, tasks, &mut used_up));
                if error.sent == Sent::Maybe {
                    self.invocations.answered(id, Accepted::Maybe, &"".into());
                } else {
                    self.drop_invocation(id, &members, tasks);
                }
                error.sent != Sent::Maybe
            }
        };
        Some(Answered { tasks: blames, was_refused, used_up })
    }

    /// Certainly not accepted.
    fn drop_invocation(&mut self, id: InvocationId, members: &[TaskId], tasks: &mut Tasks) {
        self.invocations.not_accepted(id);
        for task in members {
            tasks.drop_invocation(*task, id);
        }
    }

    /// A call that was never sent. Returns its tasks, each in line again if it still waits.
    pub(in crate::executor::machine) fn withdrawn(
        &mut self,
        id: InvocationId,
        now_ms: u64,
        tasks: &mut Tasks,
    ) -> Option<Members> {
        let invocation = self.invocations.get(id)?;
        let (route, members, is_probe) = (invocation.route, invocation.tasks.clone(), invocation.is_probe);
        self.in_flight -= 1;
        self.routes[route].in_flight -= 1;
        if is_probe {
            self.routes[route].breaker.probe_inconclusive(now_ms);
        }
        self.set_runnable(route);
        // One that was sent again meanwhile, alone, waits for another call.
        let waits = |task: &&TaskId| tasks.get(**task).is_some_and(|task| task.invocations().contains(&id));
        let waiting: Vec<TaskId> = members.iter().filter(waits).copied().collect();
        self.drop_invocation(id, &members, tasks);
        for task in waiting.iter().rev() {
            let message = tasks.get(*task).map(|task| task.message().to_owned()).unwrap_or_default();
            self.return_to_line(*task, route, &message, true, tasks);
        }
        Some(members)
    }

    /// What follows for the tasks of a failed call that wait for it.
    #[allow(clippy::too_many_arguments)]
    fn invoke_failed(
        &mut self,
        id: InvocationId,
        waiting: &[TaskId],
        now: Now,
        took_ms: u64,
        error: &CallError,
        tasks: &mut Tasks,
        used_up: &mut Vec<TaskId>,
    ) -> Vec<(TaskId, Blame)> {
        let Some(invocation) = self.invocations.get(id) else { return Vec::new() };
        let (route, is_batch) = (invocation.route, invocation.tasks.len() > 1);
        let members = invocation.tasks.clone();
        let text = error.to_string();
        let fate = self.fate(id, &members, now, took_ms, error, &text, tasks, used_up);
        if is_batch && matches!(fate, Fate::Refused | Fate::Doubt { .. } | Fate::SetAside) {
            waiting.iter().for_each(|task| tasks.goes_alone_next(*task));
        }
        // Each is put before those that follow it.
        let mut in_order: Vec<TaskId> = waiting.to_vec();
        if let Fate::Return { first: true } = fate {
            in_order.reverse();
        }
        let mut waits_ms = Waits::default();
        let blames = in_order.into_iter().map(|task| {
            let blame = match fate {
                Fate::Return { first } => self.return_to_line(task, route, &text, first, tasks),
                Fate::AnswerLost => self.answer_lost(task, route, now, &text, &mut waits_ms, tasks),
                Fate::Refused | Fate::Doubt { .. } | Fate::SetAside if is_batch => {
                    self.back_off(task, route, now, DOUBT_PAUSE_MS, &text, &mut waits_ms, tasks)
                }
                Fate::BackOff => self.back_off(task, route, now, DOUBT_PAUSE_MS, &text, &mut waits_ms, tasks),
                Fate::Doubt { successes_before } => self.in_doubt(task, route, now, successes_before, &text, tasks),
                Fate::SetAside => self.set_aside(task, route, now, &text, tasks),
                Fate::Refused => {
                    tasks.charge(task);
                    Blame::Fails(format!("Lambda refused the event: {text}"))
                }
            };
            (task, blame)
        });
        let blames = blames.collect();
        self.forgive_outage(route, tasks);
        blames
    }

    /// Whose fault the failure of a call with these tasks is, and so what follows for them.
    #[allow(clippy::too_many_arguments)]
    fn fate(
        &mut self,
        id: InvocationId,
        members: &[TaskId],
        now: Now,
        took_ms: u64,
        error: &CallError,
        text: &str,
        tasks: &mut Tasks,
        used_up: &mut Vec<TaskId>,
    ) -> Fate {
        let Some(invocation) = self.invocations.get(id) else { return Fate::BackOff };
        let (route, epoch, is_probe) = (invocation.route, invocation.epoch, invocation.is_probe);
        let successes_before = invocation.successes_before;
        match error.fault {
            Fault::Account => {
                self.counts.throttled += 1;
                // An answer: the service is there, and other tasks' failures were their own.
                *used_up = self.succeeded_throttled(route, now, epoch, error, tasks);
                Fate::Return { first: true }
            }
            Fault::Identity => {
                self.counts.credential_failures += 1;
                if is_probe {
                    self.routes[route].breaker.probe_inconclusive(now.mono_ms);
                }
                self.identity.rejected(Service::Lambda, now.mono_ms, took_ms, text, &mut self.jitter);
                Fate::Return { first: true }
            }
            Fault::Event => {
                self.identity.accepted(Service::Lambda, now.mono_ms, took_ms);
                *used_up = self.succeeded(route, now, tasks);
                Fate::Refused
            }
            Fault::Route => {
                self.identity.accepted(Service::Lambda, now.mono_ms, took_ms);
                // Of a batch: only if it holds for each task, since the answer does not say which of them it refuses.
                let is_alone = !is_probe
                    && members.iter().all(|task| {
                        let refused_at = tasks.get(*task).and_then(Task::refused_at);
                        self.is_alone_in_failing(route, successes_before, refused_at)
                    });
                let breaker = &mut self.routes[route].breaker;
                let effect = if is_alone {
                    breaker.service_failed(now, text, error.sent, is_probe, &mut self.jitter)
                } else {
                    breaker.route_failed(now, text, is_probe, &mut self.jitter)
                };
                self.log_open(route, effect, text, now);
                self.counts.unanswered += 1;
                members.iter().for_each(|task| tasks.refused(*task, self.routes[route].successes));
                if effect == Effect::Closed { Fate::SetAside } else { Fate::Return { first: false } }
            }
            Fault::Service => {
                let breaker = &mut self.routes[route].breaker;
                let effect = breaker.service_failed(now, text, error.sent, is_probe, &mut self.jitter);
                self.log_open(route, effect, text, now);
                match error.sent {
                    Sent::Maybe => return Fate::AnswerLost,
                    Sent::No | Sent::Rejected => self.counts.unanswered += 1,
                }
                match (effect, error.sent) {
                    (Effect::OpenedOrProbed(_) | Effect::Open, _) => Fate::Return { first: false },
                    // No event was sent, so none can be at fault.
                    (Effect::Closed, Sent::No) => Fate::BackOff,
                    (Effect::Closed, _) => Fate::Doubt { successes_before },
                }
            }
        }
    }

    /// The answer was lost, so Lambda may have accepted the event: the try counts against the limit, whatever was at fault.
    fn answer_lost(
        &mut self,
        task: TaskId,
        route: RouteId,
        now: Now,
        text: &str,
        waits_ms: &mut Waits,
        tasks: &mut Tasks,
    ) -> Blame {
        let tries = tasks.count_unsure(task);
        self.routes[route].breaker.answer_lost(task);
        if tries >= self.max_invoke_attempts {
            return Blame::AwaitReport;
        }
        let wait_ms = waits_ms.spread(contract_ms(tries), &mut self.jitter);
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
        self.back_off(task, route, now, pause_ms, text, &mut Waits::default(), tasks)
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
        self.back_off(task, route, now, pause_ms, text, &mut Waits::default(), tasks)
    }

    #[allow(clippy::too_many_arguments)]
    fn back_off(
        &mut self,
        task: TaskId,
        route: RouteId,
        now: Now,
        pause_ms: u64,
        text: &str,
        waits_ms: &mut Waits,
        tasks: &mut Tasks,
    ) -> Blame {
        let wait_ms = waits_ms.spread(pause_ms, &mut self.jitter);
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
            tasks.get(task).is_some_and(|task| task.state == TaskState::Submitting && task.deadline().is_none());
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
