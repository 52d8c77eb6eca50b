//! What is invoked next, and what an answer means for the task, its route, and our credentials.
//!
//! | file | what it decides |
//! |---|---|
//! | `route.rs` | the line of one function, what may be sent now |
//! | `gathering.rs` | which tasks share an invocation |
//! | `breaker.rs` | whether a function can be invoked at all |
//! | `level.rs` | how many calls at once |
//! | `rate.rs` | how many calls in a second |
//! | `invocations.rs` | calls until their report has been seen |
//! | `identity.rs` | whether AWS accepts our credentials |
//! | `answers.rs` | what the answer to a call means |

mod answers;
mod breaker;
mod gathering;
mod identity;
mod invocations;
mod level;
mod rate;
mod route;

pub(super) use answers::{Answered, Blame};
pub(super) use breaker::Open;
pub(crate) use breaker::Probe;
pub(super) use identity::Trouble;
pub(super) use invocations::Accepted;
pub(crate) use invocations::{Invocation, InvocationId};
pub(super) use route::Route;

use super::InvokeCall;
use super::backoff::{Jitter, contract_ms};
use super::tasks::{Left, TaskId, Tasks};
use crate::executor::ports::{CallError, Fault, InvokeRequest, Now, RouteId};
use crate::executor::settings::Settings;
use crate::executor::task::TaskState;
use crate::executor::wire::Batch;
use breaker::Breaker;
use identity::Identity;
use invocations::{Invocations, Members};
use route::Admission;
use std::collections::{BTreeSet, VecDeque};

/// The service that answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Service {
    Lambda,
    Sqs,
}

impl Service {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Lambda => "Lambda",
            Self::Sqs => "SQS",
        }
    }
}

/// What is to be called next.
#[derive(Debug)]
pub(super) enum Next {
    Invoke(InvokeCall),
    /// Answered with [`Submission::probed`].
    Probe(RouteId, Probe),
}

/// Whether the queues have been found usable.
#[derive(Debug)]
enum QueueCheck {
    Passed,
    UnderWay { began_ms: u64 },
    Failed { next_try_ms: u64, reason: String, identity: bool },
}

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) invoke_calls: u64,
    /// Of these: with more than one task.
    pub(super) batches: u64,
    /// Tasks in all of them.
    pub(super) tasks_in_calls: u64,
    /// Tasks that are sent again for the sake of their batch.
    pub(super) resubmitted: u64,
    pub(super) probes: u64,
    pub(super) throttled: u64,
    pub(super) retried: u64,
    pub(super) unanswered: u64,
    pub(super) late_answers: u64,
    pub(super) credential_failures: u64,
    pub(super) failed_checks: u32,
}

/// Routes, invocations, and the state of our credentials.
#[derive(Debug)]
pub(super) struct Submission {
    routes: Vec<Route>,
    invocations: Invocations,
    identity: Identity,
    queues: QueueCheck,
    /// Calls of Invoke, and probes, under way.
    in_flight: usize,
    /// Routes that may have something to send, each once.
    runnable: VecDeque<RouteId>,
    timers: BTreeSet<(u64, RouteId)>,
    max_in_flight: usize,
    max_invoke_attempts: u32,
    max_outage_ms: u64,
    is_closed: bool,
    jitter: Jitter,
    pub(super) counts: Counts,
}

impl Submission {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            routes: settings.routes.iter().cloned().map(Route::new).collect(),
            invocations: Invocations::default(),
            identity: Identity::default(),
            queues: QueueCheck::Passed,
            in_flight: 0,
            runnable: VecDeque::new(),
            timers: BTreeSet::new(),
            max_in_flight: settings.max_invokes_in_flight,
            max_invoke_attempts: settings.max_invoke_attempts,
            max_outage_ms: settings.max_outage_ms,
            is_closed: false,
            jitter: Jitter::new(settings.seed),
            counts: Counts::default(),
        }
    }

    /// Nothing is submitted on a route before its function has been checked, and nothing at all before the queues have.
    pub(super) fn begin_checks(&mut self, now: Now) {
        self.queues = QueueCheck::UnderWay { began_ms: now.mono_ms };
        for route in &mut self.routes {
            route.breaker = Breaker::checking(now);
        }
        self.in_flight += self.routes.len();
    }

    pub(super) fn routes(&self) -> &[Route] {
        &self.routes
    }

    pub(super) fn trouble(&self) -> Option<&Trouble> {
        self.identity.trouble()
    }

    pub(super) fn invocation(&self, id: InvocationId) -> Option<&Invocation> {
        self.invocations.get(id)
    }

    /// The invocation that Lambda accepted under this id.
    pub(super) fn of_request(&self, request_id: &str) -> Option<InvocationId> {
        self.invocations.of_request(request_id)
    }

    pub(super) fn max_outage_ms(&self) -> u64 {
        self.max_outage_ms
    }

    /// True when no call is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.in_flight == 0
    }

    /// No call starts from now on.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    // The line.

    /// A task that was just accepted.
    pub(super) fn enqueue(&mut self, id: TaskId, route: RouteId) {
        self.routes[route].push_fresh(id);
        self.routes[route].queued += 1;
        self.set_runnable(route);
    }

    /// A task whose back-off has ended.
    pub(super) fn enqueue_again(&mut self, id: TaskId, route: RouteId) {
        self.routes[route].push_returned(id, false);
        self.set_runnable(route);
    }

    /// A task that the process before may have sent.
    pub(super) fn enqueue_restored(&mut self, id: TaskId, route: RouteId) {
        self.routes[route].queued += 1;
        self.enqueue_again(id, route);
    }

    /// A task of an earlier process counts against the limits.
    pub(super) fn adopted(&mut self, route: RouteId) {
        self.routes[route].active += 1;
    }

    /// A task has ended.
    pub(super) fn left(&mut self, left: Left, tasks: &Tasks) {
        let route = &mut self.routes[left.route];
        match left.state {
            TaskState::Queued => {
                route.queued -= 1;
                if left.in_line {
                    route.left_line(tasks);
                }
            }
            TaskState::Submitting | TaskState::Running => {
                route.active -= 1;
                self.set_runnable(left.route);
            }
            TaskState::Succeeded | TaskState::Failed | TaskState::Cancelled | TaskState::Lost => {}
        }
    }

    /// A task that was submitted is queued again, before those that were not.
    pub(super) fn resubmit(&mut self, id: TaskId, route: RouteId) {
        self.routes[route].active -= 1;
        self.routes[route].queued += 1;
        self.routes[route].push_returned(id, false);
        self.counts.resubmitted += 1;
        self.set_runnable(route);
    }

    /// The function does not understand batches. True if that was not known before.
    pub(super) fn refuses_batches(&mut self, route: RouteId) -> bool {
        self.set_runnable(route);
        !std::mem::replace(&mut self.routes[route].refuses_batches, true)
    }

    /// A queued task is not sent again and waits for a report: it counts against the limits, as a running one.
    pub(super) fn awaits_report(&mut self, left: Left, tasks: &Tasks) {
        self.left(left, tasks);
        self.routes[left.route].active += 1;
    }

    /// Up to `count` queued tasks, taken out of line: the caller ends them. Not those that back off.
    pub(super) fn take_queued(&mut self, count: usize, tasks: &Tasks) -> Vec<TaskId> {
        let mut taken = Vec::new();
        for route in &mut self.routes {
            taken.extend(route.take_queued(count - taken.len(), tasks));
        }
        taken
    }

    /// A task that was taken out of line by [`Self::take_queued`] or [`Self::take_given_up`] has ended.
    pub(super) fn left_taken(&mut self, left: Left) {
        self.routes[left.route].queued -= 1;
    }

    // Calls.

    /// True if [`Self::next`] may have something.
    pub(super) fn may_call(&self, now_ms: u64) -> bool {
        !self.runnable.is_empty() && self.gate(now_ms)
    }

    /// The next call. `None` until something changes or [`Self::next_timer`].
    pub(super) fn next(&mut self, now: Now, tasks: &mut Tasks) -> Option<Next> {
        while let Some(&at) = self.timers.first()
            && at.0 <= now.mono_ms
        {
            self.timers.pop_first();
            self.routes[at.1].timer = None;
            self.set_runnable(at.1);
        }
        while self.gate(now.mono_ms)
            && let Some(id) = self.runnable.pop_front()
        {
            let route = &mut self.routes[id];
            route.is_runnable = false;
            match route.admit(now.mono_ms, tasks) {
                Admission::Events { tasks: members, is_probe } => {
                    let next = self.begin(id, members, is_probe, now, tasks);
                    // An answer lists the route again: without room for more, nothing needs to look at it before.
                    if self.routes[id].has_room() || next.is_none() {
                        self.set_runnable(id);
                    }
                    if next.is_some() {
                        return next;
                    }
                }
                Admission::Probe(probe) => {
                    route.breaker.probe_started();
                    self.in_flight += 1;
                    self.counts.probes += 1;
                    return Some(Next::Probe(id, probe));
                }
                Admission::At(at) => self.set_timer(id, at),
                Admission::Nothing => {}
            }
        }
        None
    }

    fn begin(&mut self, id: RouteId, members: Members, is_probe: bool, now: Now, tasks: &mut Tasks) -> Option<Next> {
        let waits = |id: &TaskId| tasks.get(*id).is_some_and(|task| task.is_queued() && task.payload.is_some());
        if !members.iter().all(waits) {
            return None;
        }
        let route = &mut self.routes[id];
        let (epoch, successes, count) = (route.level.epoch(), route.successes, members.len());
        let qualifier = members.first().and_then(|task| tasks.get(*task)?.qualifier().cloned());
        let invocation = self.invocations.begin(id, members.clone(), epoch, successes, is_probe);
        let mut submit = |task: &TaskId| tasks.submit(*task, invocation, count > 1, now.mono_ms);
        let (payload, batch) = match members {
            Members::One(task) => (submit(&task)?.1, None),
            Members::Several(members) => {
                let events = members.iter().filter_map(|task| match submit(task)? {
                    (Some(attempt), event) => Some((attempt, event)),
                    (None, _) => None,
                });
                let batch = Batch { parallel: route.settings.batch_parallel, events: events.collect() };
                ([].into(), Some(Box::new(batch)))
            }
        };
        if is_probe {
            route.breaker.probe_started();
        }
        route.in_flight += 1;
        route.queued -= count;
        route.active += count;
        self.in_flight += 1;
        self.counts.invoke_calls += 1;
        self.counts.batches += u64::from(count > 1);
        self.counts.tasks_in_calls += count as u64;
        let request = InvokeRequest { route: id, qualifier, payload };
        Some(Next::Invoke(InvokeCall { id: invocation, request, batch }))
    }

    /// True if anything may be called at all.
    fn gate(&self, now_ms: u64) -> bool {
        let queues_usable = matches!(self.queues, QueueCheck::Passed);
        let identity = self.identity.trouble().is_none_or(|t| t.next_probe_ms <= now_ms && self.in_flight == 0);
        !self.is_closed && queues_usable && identity && self.in_flight < self.max_in_flight
    }

    fn set_runnable(&mut self, id: RouteId) {
        let route = &mut self.routes[id];
        if !std::mem::replace(&mut route.is_runnable, true) {
            self.runnable.push_back(id);
        }
    }

    fn set_timer(&mut self, id: RouteId, at_ms: u64) {
        if let Some(before) = self.routes[id].timer.replace(at_ms) {
            self.timers.remove(&(before, id));
        }
        self.timers.insert((at_ms, id));
    }

    /// When [`Self::next`] or [`Self::take_given_up`] may have something by itself.
    pub(super) fn next_timer(&self, tasks: &Tasks) -> Option<u64> {
        if self.is_closed {
            return None;
        }
        let mut first = None;
        let mut earlier = |at: Option<u64>| first = [first, at].into_iter().flatten().min();
        earlier(self.timers.first().map(|(at, _)| *at));
        // Routes that were stopped by our credentials are still listed.
        let waits = !self.runnable.is_empty() && self.in_flight == 0 && matches!(self.queues, QueueCheck::Passed);
        earlier(self.identity.trouble().filter(|_| waits).map(|trouble| trouble.next_probe_ms));
        if let QueueCheck::Failed { next_try_ms, .. } = &self.queues {
            earlier(Some(*next_try_ms));
        }
        for route in &self.routes {
            earlier(route.next_give_up(tasks, self.max_outage_ms));
        }
        first
    }

    /// Up to `count` tasks that have waited too long for their route: the caller fails them. With each the reason.
    pub(super) fn take_given_up(&mut self, now_ms: u64, count: usize, tasks: &Tasks) -> Vec<(TaskId, String)> {
        let mut over = Vec::new();
        for route in &mut self.routes {
            if route.next_give_up(tasks, self.max_outage_ms).is_some_and(|at| at <= now_ms) {
                let reason = route.open().map(|open| open.reason.clone()).unwrap_or_default();
                let taken = route.take_given_up(now_ms, self.max_outage_ms, count - over.len(), tasks);
                over.extend(taken.into_iter().map(|id| (id, reason.clone())));
            }
        }
        over
    }

    /// The call is sent now.
    pub(super) fn sent(&mut self, id: InvocationId) {
        self.invocations.sent(id);
    }

    // Reports and credentials.

    /// The report of a task has been seen, or is not waited for any more.
    pub(super) fn reported(&mut self, id: InvocationId) {
        self.invocations.reported(id);
    }

    /// SQS answered a call.
    pub(super) fn sqs_accepted_us(&mut self, now_ms: u64, took_ms: u64) {
        self.identity.accepted(Service::Sqs, now_ms, took_ms);
    }

    /// SQS rejected us. Returns when a call is tried again.
    pub(super) fn sqs_rejected_us(&mut self, now_ms: u64, took_ms: u64, text: &str) -> Option<u64> {
        self.counts.credential_failures += 1;
        self.identity.rejected(Service::Sqs, now_ms, took_ms, text, &mut self.jitter);
        self.identity.trouble().map(|trouble| trouble.next_probe_ms)
    }

    /// The host has replaced the credentials: what waits because of the old ones is tried at once.
    pub(super) fn credentials_replaced(&mut self, now_ms: u64) {
        self.identity.replaced(now_ms);
        if let QueueCheck::Failed { next_try_ms, identity: true, .. } = &mut self.queues {
            *next_try_ms = now_ms;
        }
        for id in 0..self.routes.len() {
            self.set_runnable(id);
        }
    }

    // The check of the queues.

    /// True if the check is due; it is under way from now on, and answered with [`Self::queues_checked`].
    pub(super) fn queue_check_due(&mut self, now_ms: u64) -> bool {
        let due = matches!(&self.queues, QueueCheck::Failed { next_try_ms, .. } if *next_try_ms <= now_ms);
        if due && !self.is_closed {
            self.queues = QueueCheck::UnderWay { began_ms: now_ms };
            return true;
        }
        false
    }

    /// The answer to the check of the queues.
    pub(super) fn queues_checked(&mut self, now_ms: u64, failure: Option<&CallError>) {
        let QueueCheck::UnderWay { began_ms } = self.queues else { return };
        if self.is_closed {
            return; // The end of the executor cut the check off.
        }
        let Some(failure) = failure else {
            self.queues = QueueCheck::Passed;
            return;
        };
        self.counts.failed_checks = self.counts.failed_checks.saturating_add(1);
        let failures = self.counts.failed_checks;
        let identity = failure.fault == Fault::Identity;
        self.counts.credential_failures += u64::from(identity);
        let wait_ms = if identity { contract_ms(failures) } else { (1_000 << failures.min(6)).min(60_000) };
        // New credentials came while it asked with the old ones.
        let wait_ms = if identity && self.identity.is_outdated(began_ms) { 0 } else { self.jitter.spread(wait_ms) };
        if failures.is_power_of_two() {
            tracing::error!(failures, next_try_ms = wait_ms, "the check of the queues failed, tasks wait: {failure}");
        }
        self.queues = QueueCheck::Failed { next_try_ms: now_ms + wait_ms, reason: failure.to_string(), identity };
    }

    /// The host's own check found all queues usable, which supersedes one that is under way.
    pub(super) fn queues_are_usable(&mut self) {
        self.queues = QueueCheck::Passed;
    }

    /// Why nothing is submitted because of the queues: the reason, when the check is tried again, and whether our
    /// credentials were rejected.
    pub(super) fn queue_check(&self) -> Option<(&str, Option<u64>, bool)> {
        match &self.queues {
            QueueCheck::Passed => None,
            QueueCheck::UnderWay { .. } => Some(("the check at start is under way", None, false)),
            QueueCheck::Failed { next_try_ms, reason, identity } => Some((reason, Some(*next_try_ms), *identity)),
        }
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> [(&'static str, usize); 2] {
        self.invocations.sizes()
    }
}
