//! One function's line: what is ready to be sent, and what may be sent now.

use super::TaskId;
use super::breaker::{Breaker, Closed, Probe};
use super::invocations::Members;
use super::level::Level;
use super::rate::Rate;
use crate::executor::machine::backoff::{Jitter, doubling_ms};
use crate::executor::machine::tasks::{Task, Tasks};
use crate::executor::settings::RouteSettings;
use std::collections::VecDeque;

const FIRST_THROTTLE_PAUSE_MS: u64 = 50;
const LONGEST_THROTTLE_PAUSE_MS: u64 = 10_000;
/// A `Retry-After` beyond this is taken for a mistake of the sender.
const LONGEST_RETRY_AFTER_MS: u64 = 300_000;
/// Tasks are searched for some that have waited too long no more often than this while they are.
const GIVE_UP_PAUSE_MS: u64 = 1_000;
/// Ids of tasks that do not wait any more are removed from the line when there are this many of them.
const STALE: usize = 1_024;

/// What the route may do now.
#[derive(Debug)]
pub(super) enum Admission {
    /// Send the events of these tasks in one call. `is_probe`: the breaker is open, and it is one task.
    Events { tasks: Members, is_probe: bool },
    /// Find out by other means whether the breaker may close.
    Probe(Probe),
    /// Nothing before this time, in mono ms.
    At(u64),
    /// Nothing before something else happens.
    Nothing,
}

/// A route's state.
#[derive(Debug)]
pub(in crate::executor::machine) struct Route {
    pub(in crate::executor::machine) settings: RouteSettings,
    /// Never invoked, in the order they were accepted.
    pub(super) fresh: VecDeque<TaskId>,
    /// Came back after a try.
    pub(super) returned: VecDeque<TaskId>,
    /// Ids in either whose task does not wait any more.
    pub(super) stale: usize,
    /// A batch came back because the function does not understand batches: none is sent any more.
    pub(super) refuses_batches: bool,
    /// Calls under way.
    pub(in crate::executor::machine) in_flight: usize,
    /// Tasks that wait, also those that back off.
    pub(in crate::executor::machine) queued: usize,
    /// Tasks submitting or running.
    pub(in crate::executor::machine) active: usize,
    pub(super) level: Level,
    rate: Rate,
    paused_until_ms: u64,
    throttles_in_a_row: u32,
    /// Answers that were not faults, of all time.
    pub(super) successes: u64,
    pub(super) breaker: Breaker,
    /// No task is given up before this time.
    next_give_up_ms: u64,
    /// The function is listed in `Submission::runnable`.
    pub(super) is_runnable: bool,
    /// Its timer in `Submission::timers`.
    pub(super) timer: Option<u64>,
}

impl Route {
    pub(super) fn new(settings: RouteSettings) -> Self {
        Self {
            fresh: VecDeque::new(),
            returned: VecDeque::new(),
            stale: 0,
            refuses_batches: false,
            in_flight: 0,
            queued: 0,
            active: 0,
            level: Level::new(settings.max_concurrent_invokes),
            rate: Rate::new(settings.max_invokes_per_second),
            paused_until_ms: 0,
            throttles_in_a_row: 0,
            successes: 0,
            breaker: Breaker::default(),
            next_give_up_ms: 0,
            is_runnable: false,
            timer: None,
            settings,
        }
    }

    /// How many calls may be under way now.
    pub(in crate::executor::machine) fn concurrency_limit(&self) -> usize {
        self.level.limit()
    }

    /// Why it does not work, if it does not.
    pub(in crate::executor::machine) fn open(&self) -> Option<&super::Open> {
        self.breaker.open()
    }

    /// Until when Lambda asked for a pause.
    pub(in crate::executor::machine) fn paused_until_ms(&self) -> u64 {
        self.paused_until_ms
    }

    /// A task that was just accepted.
    pub(super) fn push_fresh(&mut self, task: TaskId) {
        self.fresh.push_back(task);
    }

    /// A task that came back. `first`: before all others.
    pub(super) fn push_returned(&mut self, task: TaskId, first: bool) {
        if first {
            self.returned.push_front(task);
        } else {
            self.returned.push_back(task);
        }
    }

    /// What may be done now. Tasks that it returns have left the line.
    pub(super) fn admit(&mut self, now_ms: u64, tasks: &Tasks) -> Admission {
        self.drop_stale_fronts(tasks);
        // The check at start goes on without tasks, so that health is right when the first one comes.
        if self.fresh.is_empty() && self.returned.is_empty() && !self.breaker.is_check() {
            return Admission::Nothing;
        }
        if now_ms < self.paused_until_ms {
            return Admission::At(self.paused_until_ms);
        }
        if self.breaker.open().is_some() {
            return self.admit_probe(now_ms, tasks);
        }
        if self.is_saturated() || self.in_flight >= self.level.limit() {
            return Admission::Nothing;
        }
        let count = match self.gather(now_ms, tasks) {
            Ok(count) => count,
            Err(at) => return Admission::At(at),
        };
        if let Err(at) = self.rate.take(now_ms) {
            return Admission::At(at);
        }
        let next = if count == 1 {
            self.returned.pop_front().or_else(|| self.fresh.pop_front()).map(Members::One)
        } else {
            Some(Members::from(self.take_queued(count, tasks)))
        };
        next.map_or(Admission::Nothing, |tasks| Admission::Events { tasks, is_probe: false })
    }

    fn admit_probe(&mut self, now_ms: u64, tasks: &Tasks) -> Admission {
        let Some(probe) = self.breaker.due(now_ms) else {
            let waits = self.breaker.open().filter(|open| !open.probing && open.next_probe_ms > now_ms);
            return waits.map_or(Admission::Nothing, |open| Admission::At(open.next_probe_ms));
        };
        if probe != Probe::Event {
            return Admission::Probe(probe);
        }
        if self.is_saturated() {
            return Admission::Nothing;
        }
        if let Err(at) = self.rate.take(now_ms) {
            return Admission::At(at);
        }
        match self.take_for_probe(tasks) {
            Some(task) => Admission::Events { tasks: Members::One(task), is_probe: true },
            None => Admission::Probe(Probe::DryRun),
        }
    }

    /// An event that was certainly never accepted, or, after a dry run, any.
    fn take_for_probe(&mut self, tasks: &Tasks) -> Option<TaskId> {
        if let Some(task) = self.fresh.pop_front() {
            return Some(task);
        }
        let any = self.breaker.dry_run_passed();
        let harmless = |id: &TaskId| tasks.get(*id).is_some_and(|task| task.is_queued() && (any || !task.may_run()));
        let at = self.returned.iter().position(harmless)?;
        self.returned.remove(at)
    }

    /// True if the level holds up tasks: all of it is in use.
    pub(super) fn is_full(&self) -> bool {
        self.has_line() && self.in_flight >= self.level.limit()
    }

    fn has_line(&self) -> bool {
        !self.fresh.is_empty() || !self.returned.is_empty()
    }

    /// True if one more event may be sent, as far as concurrency goes.
    pub(super) fn has_room(&self) -> bool {
        self.has_line() && self.breaker.open().is_none() && !self.is_saturated() && self.in_flight < self.level.limit()
    }

    fn is_saturated(&self) -> bool {
        self.settings.max_running_tasks > 0 && self.active >= self.settings.max_running_tasks
    }

    /// Ids of tasks that ended must not cost a token of the rate limit.
    fn drop_stale_fronts(&mut self, tasks: &Tasks) {
        for line in [&mut self.fresh, &mut self.returned] {
            while line.front().is_some_and(|id| !tasks.get(*id).is_some_and(Task::is_queued)) {
                line.pop_front();
                self.stale = self.stale.saturating_sub(1);
            }
        }
    }

    /// A task in line does not wait any more; its id is skipped when met.
    pub(super) fn left_line(&mut self, tasks: &Tasks) {
        self.stale += 1;
        if self.stale > STALE && self.stale > (self.fresh.len() + self.returned.len()) / 2 {
            for line in [&mut self.fresh, &mut self.returned] {
                line.retain(|id| tasks.get(*id).is_some_and(Task::is_queued));
            }
            self.stale = 0;
        }
    }

    /// The service is there, whatever it said of the event.
    pub(super) fn answered(&mut self, now_ms: u64) -> Closed {
        self.successes += 1;
        self.throttles_in_a_row = 0;
        let closed = self.breaker.answered(now_ms);
        if let Some(outage_ms) = closed.was_open_ms {
            let name = &self.settings.name;
            tracing::warn!(route = name, outage_ms, queued = self.queued, "the function can be invoked again");
        }
        closed
    }

    /// Slows down. Returns how long the route pauses, in ms.
    pub(super) fn throttled(
        &mut self,
        now_ms: u64,
        epoch: u64,
        retry_after_ms: Option<u64>,
        jitter: &mut Jitter,
    ) -> u64 {
        self.level.throttled(epoch, now_ms);
        self.throttles_in_a_row = self.throttles_in_a_row.saturating_add(1);
        let rounds = self.throttles_in_a_row.div_ceil(u32::try_from(self.level.limit()).unwrap_or(u32::MAX));
        // `Retry-After` in whole seconds may be 0, which must not become a tight loop.
        let own = jitter.spread(doubling_ms(FIRST_THROTTLE_PAUSE_MS, rounds, LONGEST_THROTTLE_PAUSE_MS));
        let pause = own.max(retry_after_ms.unwrap_or(0).min(LONGEST_RETRY_AFTER_MS));
        self.paused_until_ms = self.paused_until_ms.max(now_ms + pause);
        pause
    }

    /// When tasks in line may have waited longer than `most_ms` for an open breaker.
    pub(super) fn next_give_up(&self, tasks: &Tasks, most_ms: u64) -> Option<u64> {
        let open = self.breaker.open()?;
        let mono = |id: &TaskId| tasks.get(*id).filter(|task| task.is_queued()).map(|task| task.queued_mono_ms);
        // The first in `fresh` is its oldest; `returned` is searched only when its turn comes.
        let oldest = self.fresh.iter().find_map(mono).or_else(|| self.returned.iter().find_map(mono))?;
        let first = if self.returned.is_empty() { open.since.mono_ms.max(oldest) } else { open.since.mono_ms };
        Some(first.saturating_add(most_ms).max(self.next_give_up_ms))
    }

    /// Takes up to `count` tasks out of line that have waited longer than `most_ms` for an open breaker.
    pub(super) fn take_given_up(&mut self, now_ms: u64, most_ms: u64, count: usize, tasks: &Tasks) -> Vec<TaskId> {
        let Some(since_ms) = self.breaker.open().map(|open| open.since.mono_ms) else { return Vec::new() };
        let is_over = |id: &TaskId| {
            tasks.get(*id).is_some_and(|task| {
                task.is_queued() && now_ms.saturating_sub(since_ms.max(task.queued_mono_ms)) >= most_ms
            })
        };
        let mut over = Vec::new();
        self.drop_stale_fronts(tasks);
        while over.len() < count
            && let Some(first) = self.fresh.front().copied().filter(is_over)
        {
            self.fresh.pop_front();
            over.push(first);
            self.drop_stale_fronts(tasks);
        }
        self.returned.retain(|id| {
            let taken = over.len() < count && is_over(id);
            if taken {
                over.push(*id);
            }
            !taken
        });
        self.next_give_up_ms = if over.len() < count { now_ms + GIVE_UP_PAUSE_MS } else { now_ms };
        over
    }

    /// Takes up to `count` tasks out of line.
    pub(super) fn take_queued(&mut self, count: usize, tasks: &Tasks) -> Vec<TaskId> {
        let mut taken = Vec::new();
        while taken.len() < count
            && let Some(id) = self.returned.pop_front().or_else(|| self.fresh.pop_front())
        {
            if tasks.get(id).is_some_and(Task::is_queued) {
                taken.push(id);
            } else {
                self.stale = self.stale.saturating_sub(1);
            }
        }
        taken
    }

    /// Ids in line, for the checks of the histories.
    #[cfg(test)]
    pub(in crate::executor::machine) fn line(&self) -> impl Iterator<Item = TaskId> {
        self.fresh.iter().chain(&self.returned).copied()
    }
}
