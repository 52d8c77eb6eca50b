//! A circuit breaker per route: whether the function can be invoked at all.
//!
//! Closed, everything is sent. It opens when the function itself is at fault (missing, not ready, not permitted), or when
//! [`CALLS_IN_A_ROW`] calls in a row failed by a fault of the service with no success between. Open, one call at a time
//! finds out whether the trouble is over, and no task uses an attempt. The first success closes it.

use super::TaskId;
use crate::executor::machine::backoff::Jitter;
use crate::executor::ports::{Now, Sent};

/// So many calls in a row, of whatever tasks, are the service's fault and not theirs.
const CALLS_IN_A_ROW: u32 = 8;
/// Probes are this far apart at first, and at most, in ms; between that a tenth of the time since it opened, so that
/// work goes on within a tenth of an outage's length.
const FIRST_PAUSE_MS: u64 = 500;
const LONGEST_PAUSE_MS: u64 = 30_000;

/// What finds out whether the route works again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Probe {
    /// The check of the function (GetFunction): at start.
    Check,
    /// An invocation that runs nothing: where every event that waits may have been sent, or answers are being lost.
    DryRun,
    /// An event.
    Event,
}

/// The route does not work.
#[derive(Debug)]
pub(in crate::executor::machine) struct Open {
    pub(in crate::executor::machine) since: Now,
    pub(in crate::executor::machine) reason: String,
    pub(in crate::executor::machine) next_probe_ms: u64,
    pub(in crate::executor::machine) probing: bool,
    /// Probes that failed.
    failures: u32,
    probe: Probe,
    /// A dry run has succeeded: the next probe may be an event that was sent before.
    dry_run_passed: bool,
}

impl Open {
    /// True while the first check at start is under way.
    pub(in crate::executor::machine) fn is_first_check(&self) -> bool {
        self.probe == Probe::Check && self.failures == 0
    }
}

/// The state of one route.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    open: Option<Open>,
    failures_in_a_row: u32,
    /// Tasks that failed by themselves as far as can be seen: if a call of another task succeeds before the breaker
    /// opens, they use an attempt.
    accused: Vec<TaskId>,
    /// Tasks whose answers were lost since the last success: if the breaker opens, that was the outage.
    lost: Vec<TaskId>,
}

/// What a failed call did to the breaker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Effect {
    /// Closed as before; whose fault it is will show.
    Closed,
    /// It is open, and this is worth a log record with the number of failed probes.
    OpenedOrProbed(u32),
    /// It is open, as before.
    Open,
}

/// What a success did.
#[derive(Debug, Default)]
pub(super) struct Closed {
    /// How long the breaker had been open.
    pub(super) was_open_ms: Option<u64>,
    /// These tasks failed while others succeeded.
    pub(super) at_fault: Vec<TaskId>,
}

impl Breaker {
    /// Open until the check at start, which is under way, has passed.
    pub(super) fn checking(now: Now) -> Self {
        let open = Open {
            since: now,
            reason: "the check at start is under way".into(),
            next_probe_ms: now.mono_ms,
            probing: true,
            failures: 0,
            probe: Probe::Check,
            dry_run_passed: false,
        };
        Self { open: Some(open), ..Self::default() }
    }

    pub(super) fn open(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    /// The probe that is due, if one is.
    pub(super) fn due(&self, now_ms: u64) -> Option<Probe> {
        let open = self.open.as_ref()?;
        (!open.probing && open.next_probe_ms <= now_ms).then_some(open.probe)
    }

    /// True while the check at start has not passed.
    pub(super) fn is_check(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.probe == Probe::Check)
    }

    /// True if an event that may have been accepted before may be the probe.
    pub(super) fn dry_run_passed(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.dry_run_passed)
    }

    /// The probe that was due has been started.
    pub(super) fn probe_started(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = true;
        }
    }

    /// The answer to the probe does not show the state of the route: throttled, or credentials rejected.
    pub(super) fn probe_inconclusive(&mut self, now_ms: u64) {
        if let Some(open) = &mut self.open {
            open.probing = false;
            open.next_probe_ms = now_ms;
        }
    }

    /// Try at once, because something has changed.
    pub(super) fn probe_now(&mut self, now_ms: u64) {
        if let Some(open) = &mut self.open {
            open.next_probe_ms = open.next_probe_ms.min(now_ms);
        }
    }

    /// A call failed by a fault of the service. `is_probe`: it was the probe.
    pub(super) fn service_failed(
        &mut self,
        now: Now,
        reason: &str,
        sent: Sent,
        is_probe: bool,
        jitter: &mut Jitter,
    ) -> Effect {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        if self.open.is_none() && self.failures_in_a_row < CALLS_IN_A_ROW {
            return Effect::Closed;
        }
        self.fail(now, reason, sent, is_probe, jitter)
    }

    /// A call failed by a fault of the function, which every other call would meet.
    pub(super) fn route_failed(&mut self, now: Now, reason: &str, is_probe: bool, jitter: &mut Jitter) -> Effect {
        self.fail(now, reason, Sent::No, is_probe, jitter)
    }

    fn fail(&mut self, now: Now, reason: &str, sent: Sent, is_probe: bool, jitter: &mut Jitter) -> Effect {
        self.accused.clear();
        let opened = self.open.is_none();
        let open = self.open.get_or_insert_with(|| Open {
            since: now,
            reason: String::new(),
            next_probe_ms: 0,
            probing: false,
            failures: 0,
            probe: Probe::Event,
            dry_run_passed: false,
        });
        open.reason = reason.into();
        // Answers that are lost would cost each probing event a try.
        if sent == Sent::Maybe && open.probe == Probe::Event {
            open.probe = Probe::DryRun;
        }
        if !opened && !is_probe {
            return Effect::Open;
        }
        open.probing = open.probing && !is_probe;
        open.dry_run_passed = false;
        open.failures += u32::from(is_probe);
        let pause = (now.mono_ms.saturating_sub(open.since.mono_ms) / 10).clamp(FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
        open.next_probe_ms = now.mono_ms + jitter.spread(pause);
        Effect::OpenedOrProbed(open.failures)
    }

    /// A dry run succeeded: the next probe is an event, at once.
    pub(super) fn dry_run_succeeded(&mut self, now_ms: u64) {
        if let Some(open) = &mut self.open {
            open.probing = false;
            open.probe = Probe::Event;
            open.dry_run_passed = true;
            open.next_probe_ms = now_ms;
        }
    }

    /// The service answered, and not with a fault of its own or of the function.
    pub(super) fn answered(&mut self, now_ms: u64) -> Closed {
        self.failures_in_a_row = 0;
        self.lost.clear();
        // The first check that passes ends no trouble.
        let was_open_ms = self
            .open
            .take()
            .filter(|open| !open.is_first_check())
            .map(|open| now_ms.saturating_sub(open.since.mono_ms));
        Closed { was_open_ms, at_fault: std::mem::take(&mut self.accused) }
    }

    /// The answer to a call of this task was lost.
    pub(super) fn answer_lost(&mut self, task: TaskId) {
        self.lost.push(task);
    }

    /// If the breaker is open: the tasks whose answers were lost in the outage, each as often as that was.
    pub(super) fn take_lost_in_outage(&mut self) -> Vec<TaskId> {
        if self.open.is_some() { std::mem::take(&mut self.lost) } else { Vec::new() }
    }

    /// This task's call failed again while others succeeded.
    pub(super) fn accuse(&mut self, task: TaskId) {
        if !self.accused.contains(&task) {
            self.accused.push(task);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono_ms: u64) -> Now {
        Now { mono_ms, unix_ms: 0 }
    }

    #[test]
    fn it_opens_after_eight_failures_in_a_row_and_not_if_one_succeeded_between() {
        let (mut breaker, mut jitter) = (Breaker::default(), Jitter::new(1));
        let mut fail = |breaker: &mut Breaker| breaker.service_failed(at(0), "away", Sent::No, false, &mut jitter);
        for _ in 0..7 {
            assert_eq!(fail(&mut breaker), Effect::Closed);
        }
        breaker.answered(0);
        for _ in 0..7 {
            assert_eq!(fail(&mut breaker), Effect::Closed);
        }
        assert_eq!(fail(&mut breaker), Effect::OpenedOrProbed(0));
        assert_eq!(fail(&mut breaker), Effect::Open);
    }

    #[test]
    fn probes_are_half_a_second_apart_and_later_a_tenth_of_the_outage() {
        let (mut breaker, mut jitter) = (Breaker::default(), Jitter::new(1));
        breaker.route_failed(at(0), "missing", false, &mut jitter);
        for (now, least, most) in [(400, 0, 0), (500, 375, 500), (60_000, 4_500, 6_000), (3_000_000, 22_500, 30_000)] {
            if most == 0 {
                continue;
            }
            assert_eq!(breaker.due(now), Some(Probe::Event));
            breaker.probe_started();
            assert_eq!(breaker.due(now), None, "one at a time");
            breaker.route_failed(at(now), "missing", true, &mut jitter);
            let pause = breaker.open().unwrap().next_probe_ms - now;
            assert!((least..=most).contains(&pause), "{pause} at {now}");
        }
    }

    #[test]
    fn after_a_lost_answer_a_dry_run_comes_before_the_next_event() {
        let (mut breaker, mut jitter) = (Breaker::default(), Jitter::new(1));
        for _ in 0..CALLS_IN_A_ROW {
            breaker.service_failed(at(0), "timed out", Sent::Maybe, false, &mut jitter);
        }
        assert_eq!(breaker.due(1_000), Some(Probe::DryRun));
        breaker.probe_started();
        breaker.dry_run_succeeded(1_000);
        assert_eq!((breaker.due(1_000), breaker.dry_run_passed()), (Some(Probe::Event), true));
        assert!(breaker.answered(1_000).was_open_ms.is_some());
    }
}
