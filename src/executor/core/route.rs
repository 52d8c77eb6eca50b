//! One function's waiting line: what is ready, what may be sent now, and whether the function can be reached at all.

use super::backoff::{Jitter, doubling_ms};
use super::limiter::{Concurrency, Rate};
use super::table::TaskId;
use crate::executor::settings::RouteSettings;
use std::collections::VecDeque;

/// Without any success for so long, a missing service is an outage and not bad luck of one task.
pub(super) const OUTAGE_AFTER_MS: u64 = 10_000;
const FIRST_PROBE_MS: u64 = 500;
const MOST_BETWEEN_PROBES_MS: u64 = 30_000;
const FIRST_THROTTLE_PAUSE_MS: u64 = 50;
const MOST_THROTTLE_PAUSE_MS: u64 = 10_000;
/// `Retry-After` beyond this is taken for a mistake of the sender.
const MOST_RETRY_AFTER_MS: u64 = 300_000;

/// A time of trouble during which one call at a time finds out whether it is over.
#[derive(Debug)]
pub(super) struct Outage {
    pub(super) since_ms: u64,
    pub(super) failures: u32,
    pub(super) next_probe_ms: u64,
    pub(super) reason: String,
}

/// A route's state.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) settings: RouteSettings,
    pub(super) ready: VecDeque<TaskId>,
    /// Ids in `ready` whose task does not wait any more.
    pub(super) stale: usize,
    pub(super) in_flight: usize,
    /// Tasks waiting, also those that back off.
    pub(super) queued: usize,
    /// Tasks submitting or running.
    pub(super) active: usize,
    pub(super) concurrency: Concurrency,
    pub(super) rate: Rate,
    pub(super) paused_until_ms: u64,
    pub(super) rate_free_at_ms: u64,
    throttles_in_a_row: u32,
    last_success_ms: Option<u64>,
    pub(super) outage: Option<Outage>,
    /// What Lambda said when it refused the last event for good.
    pub(super) refusal: Option<String>,
    refusals_in_a_row: u32,
}

impl Route {
    pub(super) fn new(settings: RouteSettings) -> Self {
        Self {
            ready: VecDeque::new(),
            stale: 0,
            in_flight: 0,
            queued: 0,
            active: 0,
            concurrency: Concurrency::new(settings.max_concurrent_invokes),
            rate: Rate::new(settings.max_invokes_per_second),
            paused_until_ms: 0,
            rate_free_at_ms: 0,
            throttles_in_a_row: 0,
            last_success_ms: None,
            outage: None,
            refusal: None,
            refusals_in_a_row: 0,
            settings,
        }
    }

    /// True when one more Invoke may start now. Takes a token of the rate limit when it says so.
    pub(super) fn admits(&mut self, now_ms: u64) -> bool {
        let settings = &self.settings;
        if now_ms < self.paused_until_ms
            || (settings.max_running_tasks > 0 && self.active >= settings.max_running_tasks)
        {
            return false;
        }
        match &self.outage {
            Some(outage) if self.in_flight > 0 || now_ms < outage.next_probe_ms => return false,
            Some(_) => {}
            None if self.in_flight >= self.concurrency.limit() => return false,
            None => {}
        }
        match self.rate.take(now_ms) {
            Ok(()) => true,
            Err(free_at_ms) => {
                self.rate_free_at_ms = free_at_ms;
                false
            }
        }
    }

    /// When `admits` may change its mind by itself, if something is ready.
    pub(super) fn next_admission(&self, now_ms: u64) -> Option<u64> {
        if self.ready.len() <= self.stale {
            return None;
        }
        let probe = match &self.outage {
            Some(_) if self.in_flight > 0 => None,
            Some(outage) => Some(outage.next_probe_ms),
            None => None,
        };
        [Some(self.paused_until_ms), Some(self.rate_free_at_ms), probe]
            .into_iter()
            .flatten()
            .filter(|at| *at > now_ms)
            .max()
    }

    /// Lambda took an event: whatever trouble there was is over.
    pub(super) fn succeeded(&mut self, now_ms: u64) {
        self.answered(now_ms);
        self.refusals_in_a_row = 0;
        if self.refusal.take().is_some() {
            tracing::warn!(route = self.settings.name, "Lambda takes events again");
        }
    }

    /// Lambda refused an event for good: the service is there, but perhaps it will take none.
    pub(super) fn refused(&mut self, now_ms: u64, why: &str) {
        self.answered(now_ms);
        self.refusal = Some(why.into());
        self.refusals_in_a_row = self.refusals_in_a_row.saturating_add(1);
        if self.refusals_in_a_row.is_power_of_two() {
            let refused = self.refusals_in_a_row;
            tracing::error!(
                route = self.settings.name,
                refused,
                "Lambda refuses events for good, their tasks fail: {why}"
            );
        }
    }

    /// Lambda answered, whatever it said of the event.
    pub(super) fn answered(&mut self, now_ms: u64) {
        self.last_success_ms = Some(now_ms);
        self.throttles_in_a_row = 0;
        self.concurrency.succeeded();
        if let Some(outage) = self.outage.take() {
            tracing::warn!(
                route = self.settings.name,
                outage_ms = now_ms.saturating_sub(outage.since_ms),
                "Lambda answers again: waiting tasks are submitted"
            );
        }
    }

    /// Slows down; returns how long the route pauses.
    pub(super) fn throttled(
        &mut self,
        now_ms: u64,
        epoch: u64,
        retry_after_ms: Option<u64>,
        jitter: &mut Jitter,
    ) -> u64 {
        self.concurrency.throttled(epoch);
        self.throttles_in_a_row = self.throttles_in_a_row.saturating_add(1);
        // Throttling is an answer: the service is there.
        self.last_success_ms = Some(now_ms);
        self.outage = None;
        let rounds = self.throttles_in_a_row.div_ceil(u32::try_from(self.concurrency.limit()).unwrap_or(u32::MAX));
        // `Retry-After` in whole seconds may say 0: that is not to ask again in a tight loop.
        let own = jitter.spread(doubling_ms(FIRST_THROTTLE_PAUSE_MS, rounds, MOST_THROTTLE_PAUSE_MS));
        let pause = own.max(retry_after_ms.unwrap_or(0).min(MOST_RETRY_AFTER_MS));
        self.paused_until_ms = self.paused_until_ms.max(now_ms + pause);
        pause
    }

    /// The service did not answer. True: it is an outage (now), and no task is to blame.
    pub(super) fn unanswered(&mut self, now_ms: u64, reason: String, jitter: &mut Jitter) -> bool {
        if self.outage.is_none() && self.last_success_ms.is_some_and(|at| now_ms.saturating_sub(at) < OUTAGE_AFTER_MS) {
            return false;
        }
        let (since_ms, failures, next_probe_ms) = match &self.outage {
            Some(o) => (o.since_ms, o.failures, o.next_probe_ms),
            None => (now_ms, 0, 0),
        };
        // Calls that were under way when the outage began tell nothing new: only the probe widens the interval.
        let probe_answered = next_probe_ms <= now_ms;
        let failures = if probe_answered { failures + 1 } else { failures };
        let next_probe_ms = if probe_answered {
            now_ms + jitter.spread(doubling_ms(FIRST_PROBE_MS, failures, MOST_BETWEEN_PROBES_MS))
        } else {
            next_probe_ms
        };
        if failures.is_power_of_two() && probe_answered {
            tracing::warn!(
                route = self.settings.name,
                failures,
                next_try_ms = next_probe_ms - now_ms,
                "Lambda does not answer ({reason}): tasks wait, one call at a time tries again"
            );
        }
        self.outage = Some(Outage { since_ms, failures, next_probe_ms, reason });
        true
    }

    /// One task in `ready` does not wait any more; its id is skipped when met.
    pub(super) fn leave_stale(&mut self, still_waiting: impl Fn(TaskId) -> bool) {
        self.stale += 1;
        if self.stale > 1024 && self.stale > self.ready.len() / 2 {
            self.ready.retain(|id| still_waiting(*id));
            self.stale = 0;
        }
    }
}
