//! What the state machine tells of itself: what it counts, its health, and everything about one task.

use super::route::Route;
use super::table::Task;
use super::{Core, Phase, Service, StartupCheck};
use crate::executor::task::{Reason, TaskState};
use crate::metrics::histogram::Histogram;
use crate::metrics::prices::Billed;
use serde_json::{Value, json};

/// Everything that is counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) queued: u64,
    pub(super) adopted: u64,
    pub(super) accepted: u64,
    pub(super) succeeded: u64,
    pub(super) failed: u64,
    pub(super) cancelled: u64,
    pub(super) lost: u64,
    pub(super) dead_letters: u64,
    pub(super) invoke_calls: u64,
    pub(super) receive_calls: u64,
    pub(super) empty_receives: u64,
    pub(super) delete_calls: u64,
    pub(super) visibility_calls: u64,
    pub(super) throttled: u64,
    pub(super) retried: u64,
    pub(super) unanswered: u64,
    pub(super) late_answers: u64,
    pub(super) credential_failures: u64,
    pub(super) health_failures: u64,
    pub(super) receive_failures: u64,
    pub(super) received: u64,
    pub(super) received_bytes: u64,
    pub(super) deleted: u64,
    pub(super) deletes_gone: u64,
    pub(super) deletes_given_up: u64,
    pub(super) duplicates: u64,
    pub(super) came_back: u64,
    pub(super) strangers: u64,
    pub(super) orphans: u64,
    pub(super) malformed: u64,
    pub(super) foreign_dead_letters: u64,
    pub(super) billed: Billed,
    pub(super) queue_wait: Histogram,
    pub(super) invoke_latency: Histogram,
    pub(super) run_time: Histogram,
    pub(super) result_latency: Histogram,
}

impl Counters {
    pub(super) fn finished(&mut self, state: TaskState, reason: Reason) {
        match state {
            TaskState::Succeeded => self.succeeded += 1,
            TaskState::Failed => self.failed += 1,
            TaskState::Cancelled => self.cancelled += 1,
            TaskState::Lost => self.lost += 1,
            TaskState::Queued | TaskState::Submitting | TaskState::Running => {}
        }
        if reason == Reason::DeadLetter {
            self.dead_letters += 1;
        }
    }
}

/// How the executor is.
#[derive(Debug)]
pub(super) struct Health {
    pub(super) state: &'static str,
    pub(super) reason: Option<String>,
    pub(super) next_try_in_ms: Option<u64>,
}

impl Core {
    pub(super) fn health(&self) -> Health {
        let until = |at_ms: u64| at_ms.saturating_sub(self.now.mono_ms);
        let not_well = |state, reason: String, next_try_ms: Option<u64>| Health {
            state,
            reason: Some(reason),
            next_try_in_ms: next_try_ms.map(until),
        };
        if let Some((service, trouble)) = &self.credentials {
            let reason = format!("{}: {}", service.name(), trouble.reason);
            return not_well("no_credentials", reason, Some(trouble.next_probe_ms));
        }
        if self.phase == Phase::Open || self.phase == Phase::Draining {
            match &self.startup {
                StartupCheck::UnderWay => return not_well("starting", "the check at start is under way".into(), None),
                StartupCheck::Failed { next_try_ms, reason, credentials } => {
                    let state = if *credentials { "no_credentials" } else { "degraded" };
                    return not_well(state, reason.clone(), Some(*next_try_ms));
                }
                StartupCheck::Passed => {}
            }
        }
        for route in &self.routes {
            if let Some(outage) = &route.outage {
                let reason = format!("{}{}: {}", Service::Lambda.name(), self.of_route(route), outage.reason);
                return not_well("degraded", reason, Some(outage.next_probe_ms));
            }
        }
        for route in &self.routes {
            if let Some(refusal) = &route.refusal {
                let reason = format!("Lambda refused the last event{}: {refusal}", self.of_route(route));
                return not_well("degraded", reason, None);
            }
        }
        for (queue, poller) in self.settings.queues.iter().zip(&self.pollers) {
            if poller.is_failing() {
                let reason = format!("the {} queue: {}", queue.name, poller.last_error);
                return not_well("degraded", reason, poller.next_try(self.now.mono_ms));
            }
        }
        Health { state: "healthy", reason: None, next_try_in_ms: None }
    }

    /// Which route, where there are several.
    fn of_route(&self, route: &Route) -> String {
        if self.routes.len() > 1 { format!(" (queue {})", route.settings.name) } else { String::new() }
    }

    /// State of the newest task of a key.
    pub(crate) fn state(&self, key: &str) -> Option<TaskState> {
        self.table.newest(key).map(|(_, task)| task.state)
    }

    /// What keeps a task from being submitted; `None` if it does not wait for that.
    pub(super) fn waits_for(&self, task: &Task) -> Option<String> {
        if task.state != TaskState::Queued {
            return None;
        }
        let route = &self.routes[task.route];
        Some(match (&self.startup, &self.credentials, &route.outage) {
            (StartupCheck::UnderWay, ..) => "the check at start, which is under way".into(),
            (StartupCheck::Failed { reason, .. }, ..) => format!("the check at start, which failed: {reason}"),
            (_, Some((service, trouble)), _) => {
                format!("credentials that {} accepts: {}", service.name(), trouble.reason)
            }
            (.., Some(outage)) => format!("Lambda to answer: {}", outage.reason),
            _ if task.backing_off_until.is_some() => "the next try after a failed one".into(),
            _ if route.paused_until_ms > self.now.mono_ms => "Lambda, which throttles".into(),
            _ => "its turn".into(),
        })
    }

    /// Everything about the newest task of a key.
    pub(crate) fn describe(&self, key: &str) -> Option<Value> {
        let (_, task) = self.table.newest(key)?;
        let in_ms = |at: Option<u64>| at.map(|at| at.saturating_sub(self.now.mono_ms));
        Some(json!({
            "key": &*task.key,
            "tag": task.tag,
            "state": task.state.name(),
            "queue": self.routes[task.route].settings.name,
            "attempt_id": task.attempt.map(|attempt| attempt.to_string()),
            "adopted": task.adopted,
            "function_qualifier": task.qualifier.as_deref(),
            "attempts": task.attempts,
            "reason": task.reason.map(Reason::name),
            "return_code": task.return_code,
            "request_id": &*task.request_id,
            "last_error": &*task.last_error,
            "waits_for": self.waits_for(task),
            "queued_at_ms": task.queued_at_ms,
            "submitted_at_ms": task.submitted_at_ms,
            "finished_at_ms": task.finished_at_ms,
            "next_try_in_ms": in_ms(task.backing_off_until),
            "expires_in_ms": in_ms(task.expires_at),
            "deadline_in_ms": in_ms(task.deadline),
            "final_event_handed_out": task.final_handed_out,
        }))
    }
}
