//! Health: whether functions and queues work, for each route and for all; and what checks found.

use super::submission::{Probe, Route};
use super::{Action, Machine, Phase};
use crate::executor::ports::{CallError, RouteId};

/// Health of the executor or of one route.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    /// `starting`, `no_credentials`, `degraded`, `healthy`.
    pub(crate) state: &'static str,
    /// Why it is not healthy.
    pub(crate) reason: Option<String>,
    /// Unix time since when, in ms.
    pub(crate) since_ms: Option<i64>,
    /// When it is tried again; `None` while a try is under way.
    pub(crate) next_try_in_ms: Option<u64>,
}

impl Health {
    fn healthy() -> Self {
        Self { state: "healthy", reason: None, since_ms: None, next_try_in_ms: None }
    }
}

impl Machine {
    /// The checks at start begin: of each function, and of the queues.
    pub(super) fn begin_checks(&mut self) {
        self.submission.begin_checks(self.now);
        let routes = 0..self.submission.routes().len();
        self.actions.extend(routes.map(|route| Action::Probe { route, probe: Probe::Check }));
        self.actions.push(Action::CheckQueues);
    }

    pub(super) fn retry_queue_check(&mut self) {
        if self.phase != Phase::Closed && self.submission.queue_check_due(self.now.mono_ms) {
            self.actions.push(Action::CheckQueues);
        }
    }

    /// The answer to [`Action::CheckQueues`].
    pub(crate) fn queues_checked(&mut self, answer: Result<Vec<String>, CallError>) {
        self.submission.queues_checked(self.now.mono_ms, answer.as_ref().err());
        if let Ok(warnings) = answer {
            self.note_queue_warnings(warnings);
        }
        self.tick();
    }

    /// What a check that the host asked for found of a function. Where it works, nothing needs to wait for the check at
    /// start or after a failure any longer.
    pub(crate) fn function_checked_for_host(&mut self, route: RouteId, answer: &Result<Vec<String>, CallError>) {
        let Ok(warnings) = answer else { return };
        self.note_warnings(route, warnings.clone());
        let used_up = self.submission.checked_for_host(route, self.now, &mut self.tasks);
        debug_assert!(used_up.is_empty(), "an open breaker accuses no task");
        self.tick();
    }

    /// What a check that the host asked for found of the queues.
    pub(crate) fn queues_checked_for_host(&mut self, answer: &Result<Vec<String>, CallError>) {
        let Ok(warnings) = answer else { return };
        self.note_queue_warnings(warnings.clone());
        self.submission.queues_are_usable();
        self.inbox.try_now(self.now.mono_ms);
        self.tick();
    }

    fn note_queue_warnings(&mut self, warnings: Vec<String>) {
        self.note_warnings(self.warnings.len() - 1, warnings);
    }

    /// The newest check's warnings replace those before. Each is logged once while it lasts.
    pub(super) fn note_warnings(&mut self, of: usize, warnings: Vec<String>) {
        for warning in &warnings {
            if !self.warnings.iter().flatten().any(|before| before == warning) {
                tracing::warn!("{warning}");
            }
        }
        self.warnings[of] = warnings;
    }

    /// What was found out of a route between two checks.
    pub(super) fn note_warning(&mut self, route: RouteId, warning: String) {
        let mut warnings = self.warnings[route].clone();
        warnings.push(warning);
        self.note_warnings(route, warnings);
    }

    /// What works and still does not fit: a sentence each.
    pub(super) fn warnings(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for warning in self.warnings.iter().flatten() {
            if !all.contains(&warning.as_str()) {
                all.push(warning);
            }
        }
        all
    }

    /// Of the executor: the worst of everything.
    pub(crate) fn health(&self) -> Health {
        let now = self.now.mono_ms;
        let until = |at: u64| at.saturating_sub(now);
        let since = |mono_ms: u64| self.now.unix_ms.saturating_sub_unsigned(now.saturating_sub(mono_ms));
        if let Some(trouble) = self.submission.trouble() {
            return Health {
                state: "no_credentials",
                reason: Some(format!("{}: {}", trouble.rejected_by.name(), trouble.reason)),
                since_ms: Some(since(trouble.since_ms)),
                next_try_in_ms: Some(until(trouble.next_probe_ms)),
            };
        }
        if let Some((reason, next_try, identity)) =
            self.submission.queue_check().filter(|_| self.phase != Phase::Closed)
        {
            let state = match (next_try, identity) {
                (None, _) => "starting",
                (Some(_), true) => "no_credentials",
                (Some(_), false) => "degraded",
            };
            return Health { state, reason: Some(reason.into()), since_ms: None, next_try_in_ms: next_try.map(until) };
        }
        if let Some(worst) = self.worst_route() {
            return worst;
        }
        if let Some((name, error, next_try)) = self.inbox.failing(now) {
            return Health {
                state: "degraded",
                reason: Some(format!("the {name} queue: {error}")),
                since_ms: None,
                next_try_in_ms: next_try.map(until),
            };
        }
        Health::healthy()
    }

    fn worst_route(&self) -> Option<Health> {
        let routes = self.submission.routes();
        let all = routes.iter().map(|route| (route, self.route_health(route)));
        let (route, mut health) = all
            .filter(|(_, health)| health.state != "healthy")
            .min_by_key(|(_, health)| if health.state == "degraded" { 0 } else { 1 })?;
        if routes.len() > 1 {
            health.reason = health.reason.map(|reason| format!("route {}: {reason}", route.settings.name));
        }
        Some(health)
    }

    /// Of one route.
    pub(super) fn route_health(&self, route: &Route) -> Health {
        let Some(open) = route.open().filter(|_| self.phase != Phase::Closed) else { return Health::healthy() };
        let next_try = (!open.probing).then(|| open.next_probe_ms.saturating_sub(self.now.mono_ms));
        Health {
            state: if open.is_first_check() { "starting" } else { "degraded" },
            reason: Some(open.reason.clone()),
            since_ms: Some(open.since.unix_ms),
            next_try_in_ms: next_try,
        }
    }
}
