//! The faults in force, and their effect on one request.

use super::{FaultRates, Faults, OutageKind};
use crate::function_state::FunctionState;
use crate::random::Random;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Effect of the faults on one request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    Serve,
    Throttle,
    Error,
    /// 503: the service is down.
    Unavailable,
    DropBefore,
    DropAfter,
    HangBefore,
    HangAfter,
}

/// The faults in force, and the time when they were set.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) faults: Faults,
    since: Instant,
    dice: Random,
    /// Functions that were invoked while inactive: index in `lambda_states`, and name.
    woken: Mutex<BTreeSet<(usize, String)>>,
}

impl Active {
    fn new(faults: Faults) -> Self {
        let dice = match faults.seed {
            Some(seed) => Random::seeded(seed),
            None => Random::from_kernel().unwrap_or_else(|_| Random::seeded(0)),
        };
        Self { faults, since: Instant::now(), dice, woken: Mutex::default() }
    }

    /// Draws the effect on one request.
    pub(crate) fn fate(&self, rates: &FaultRates) -> Fate {
        // Check this first: most servers have no outages, and then the clock is not read.
        if !self.faults.outages.is_empty() && self.outage(Instant::now()).is_some() {
            return Fate::Unavailable;
        }
        if self.dice.chance(rates.drop) {
            return if self.dice.chance(0.5) { Fate::DropBefore } else { Fate::DropAfter };
        }
        if self.dice.chance(rates.hang) {
            return if self.dice.chance(0.5) { Fate::HangBefore } else { Fate::HangAfter };
        }
        if self.dice.chance(rates.throttle) {
            return Fate::Throttle;
        }
        if self.dice.chance(rates.error) { Fate::Error } else { Fate::Serve }
    }

    /// The outage at this time, if there is one.
    pub(crate) fn outage(&self, now: Instant) -> Option<OutageKind> {
        let at = now.duration_since(self.since);
        self.faults.outages.iter().find(|outage| outage.span().contains(&at)).map(|outage| outage.kind)
    }

    /// When the next outage starts or ends.
    pub(crate) fn next_change(&self, now: Instant) -> Option<Instant> {
        let at = now.duration_since(self.since);
        let edges = self.faults.outages.iter().flat_map(|outage| [outage.span().start, outage.span().end]);
        edges.filter(|edge| *edge > at).min().map(|edge| self.since + edge)
    }

    pub(crate) fn credentials_expired(&self) -> bool {
        let after = self.faults.expire_credentials_after_ms;
        after.is_some_and(|after| self.since.elapsed() >= Duration::from_millis(after))
    }

    /// The state of a function now, if the faults set one.
    pub(crate) fn function_state(&self, function: &str) -> Option<FunctionState> {
        let (index, state) = self.state_span(function)?;
        if state == FunctionState::Inactive && self.woken().contains(&(index, function.to_owned())) {
            return Some(FunctionState::Pending);
        }
        Some(state)
    }

    /// Records an Invoke: an inactive function becomes pending for the rest of the period.
    pub(crate) fn wake(&self, function: &str) {
        if let Some((index, FunctionState::Inactive)) = self.state_span(function) {
            self.woken().insert((index, function.to_owned()));
        }
    }

    fn state_span(&self, function: &str) -> Option<(usize, FunctionState)> {
        if self.faults.lambda_states.is_empty() {
            return None;
        }
        let at = self.since.elapsed();
        let mut spans = self.faults.lambda_states.iter().enumerate();
        let (index, span) = spans.find(|(_, span)| span.is_of(function) && span.span().contains(&at))?;
        Some((index, span.state))
    }

    fn woken(&self) -> std::sync::MutexGuard<'_, BTreeSet<(usize, String)>> {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The faults in force, shared by requests and the admin path.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    active: RwLock<Arc<Active>>,
    changes: watch::Sender<()>,
}

impl FaultPlan {
    pub(crate) fn new(faults: Faults) -> Self {
        Self { active: RwLock::new(Arc::new(Active::new(faults))), changes: watch::channel(()).0 }
    }

    pub(crate) fn active(&self) -> Arc<Active> {
        self.active.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the faults. The times of the new ones start now.
    pub(crate) fn replace(&self, faults: Faults) {
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Active::new(faults));
        self.changes.send_replace(());
    }

    /// Signals each `replace`.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Returns once connections are refused.
    pub(crate) async fn refusing(&self) {
        let mut changes = self.changes();
        loop {
            let active = self.active();
            let now = Instant::now();
            if active.outage(now) == Some(OutageKind::Refuse) {
                return;
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = wait_until(active.next_change(now)) => {}
            }
        }
    }
}

async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn active(json: &str) -> Active {
        Active::new(Faults::from_json(json.as_bytes()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn outages_start_and_end_by_the_clock() {
        let active = active(r#"{"outages": [{"after_ms": 100, "for_ms": 50, "kind": "error"}]}"#);
        assert_eq!(active.fate(&active.faults.lambda), Fate::Serve);
        let start = active.next_change(Instant::now()).unwrap();
        sleep_until(start).await;
        assert_eq!(active.outage(Instant::now()), Some(OutageKind::Error));
        assert_eq!(active.fate(&active.faults.lambda), Fate::Unavailable);
        sleep_until(active.next_change(Instant::now()).unwrap()).await;
        assert_eq!(active.outage(Instant::now()), None);
        assert_eq!(active.next_change(Instant::now()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn credentials_expire_by_the_clock() {
        let active = active(r#"{"expire_credentials_after_ms": 10}"#);
        assert!(!active.credentials_expired());
        advance(Duration::from_millis(10)).await;
        assert!(active.credentials_expired());
    }

    #[tokio::test(start_paused = true)]
    async fn states_of_functions_start_and_end_by_the_clock() {
        let active = active(
            r#"{"lambda_states": [
                {"after_ms": 10, "for_ms": 10, "state": "Failed", "function": "f"},
                {"after_ms": 5, "for_ms": 10, "state": "Pending"}]}"#,
        );
        let states = || (active.function_state("f"), active.function_state("g"));
        assert_eq!(states(), (None, None));
        advance(Duration::from_millis(5)).await;
        assert_eq!(states(), (Some(FunctionState::Pending), Some(FunctionState::Pending)));
        advance(Duration::from_millis(5)).await;
        assert_eq!(states(), (Some(FunctionState::Failed), Some(FunctionState::Pending)));
        advance(Duration::from_millis(5)).await;
        assert_eq!(states(), (Some(FunctionState::Failed), None));
        advance(Duration::from_millis(5)).await;
        assert_eq!(states(), (None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn an_invoke_makes_an_inactive_function_pending() {
        let active = active(r#"{"lambda_states": [{"for_ms": 10, "state": "Inactive"}]}"#);
        assert_eq!(active.function_state("f"), Some(FunctionState::Inactive));
        active.wake("f");
        assert_eq!(active.function_state("f"), Some(FunctionState::Pending));
        assert_eq!(active.function_state("g"), Some(FunctionState::Inactive));
        advance(Duration::from_millis(10)).await;
        assert_eq!(active.function_state("f"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusing_outage_takes_effect_when_it_starts() {
        let plan = FaultPlan::new(Faults::default());
        let start = Instant::now();
        tokio::join!(plan.refusing(), async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            plan.replace(Faults::from_json(br#"{"outages": [{"after_ms": 20, "for_ms": 9}]}"#).unwrap());
        });
        assert_eq!(start.elapsed(), Duration::from_millis(25));
    }

    #[tokio::test]
    async fn the_same_seed_draws_the_same_fates() {
        let draw = || {
            let active = active(r#"{"seed": 3, "drop": 0.3, "hang": 0.3, "throttle": 0.3, "error": 0.3}"#);
            (0..200).map(|_| active.fate(&active.faults.sqs)).collect::<Vec<_>>()
        };
        let fates = draw();
        assert_eq!(fates, draw());
        for fate in [
            Fate::Serve,
            Fate::Throttle,
            Fate::Error,
            Fate::DropBefore,
            Fate::DropAfter,
            Fate::HangBefore,
            Fate::HangAfter,
        ] {
            assert!(fates.contains(&fate), "{fate:?}");
        }
    }
}
