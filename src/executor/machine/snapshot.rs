//! All figures of the machine at one moment, copied under the lock so that the document is made outside of it.

use super::Machine;
use super::health::Health;
use crate::metrics::histogram::Histogram;
use crate::metrics::prices::Billed;

/// The figures. `docs/statistics.md` describes each.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) health: Health,
    pub(crate) warnings: Vec<String>,
    pub(crate) queued: u64,
    pub(crate) submitting: u64,
    pub(crate) running: u64,
    pub(crate) waiting_events: u64,
    pub(crate) unacknowledged: u64,
    pub(crate) held_messages: u64,
    pub(crate) known: u64,
    pub(crate) total_queued: u64,
    pub(crate) total_adopted: u64,
    pub(crate) total_accepted: u64,
    pub(crate) total_succeeded: u64,
    pub(crate) total_failed: u64,
    pub(crate) total_cancelled: u64,
    pub(crate) total_lost: u64,
    pub(crate) total_dead_letters: u64,
    pub(crate) invoke_calls: u64,
    pub(crate) batches: u64,
    pub(crate) tasks_in_calls: u64,
    pub(crate) resubmitted: u64,
    pub(crate) probes: u64,
    pub(crate) receive_calls: u64,
    pub(crate) empty_receives: u64,
    pub(crate) delete_calls: u64,
    pub(crate) visibility_calls: u64,
    pub(crate) throttled: u64,
    pub(crate) retried: u64,
    pub(crate) unanswered: u64,
    pub(crate) late_answers: u64,
    pub(crate) credential_failures: u64,
    pub(crate) received: u64,
    pub(crate) received_bytes: u64,
    pub(crate) deleted: u64,
    pub(crate) deletes_gone: u64,
    pub(crate) deletes_given_up: u64,
    pub(crate) duplicates: u64,
    pub(crate) came_back: u64,
    pub(crate) unmatched: u64,
    pub(crate) orphans: u64,
    pub(crate) malformed: u64,
    pub(crate) foreign_dead_letters: u64,
    pub(crate) success_records: u64,
    pub(crate) receive_failures: u64,
    pub(crate) billed: Billed,
    pub(crate) queue_wait: Times,
    pub(crate) invoke: Times,
    pub(crate) run_time: Times,
    pub(crate) result: Times,
    pub(crate) routes: Vec<RouteSnapshot>,
}

/// How a kind of time is distributed, in ms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) count: u64,
    pub(crate) p50: u64,
    pub(crate) p90: u64,
    pub(crate) p99: u64,
    pub(crate) max: u64,
}

/// One route.
#[derive(Clone, Debug)]
pub(crate) struct RouteSnapshot {
    pub(crate) name: String,
    pub(crate) health: Health,
    pub(crate) queued: usize,
    pub(crate) in_flight: usize,
    pub(crate) concurrency_limit: usize,
    pub(crate) active: usize,
}

impl From<&Histogram> for Times {
    fn from(values: &Histogram) -> Self {
        Self {
            count: values.count(),
            p50: values.percentile(50),
            p90: values.percentile(90),
            p99: values.percentile(99),
            max: values.max(),
        }
    }
}

impl Machine {
    /// All figures, now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let counts = self.counts();
        let (tasks, invokes) = (&self.counts, &self.submission.counts);
        let (inbox, deliveries) = (&self.inbox.counts, &self.deliveries.counts);
        Snapshot {
            health: self.health(),
            warnings: self.warnings().into_iter().map(str::to_owned).collect(),
            queued: counts.queued,
            submitting: counts.submitting,
            running: counts.running,
            waiting_events: counts.waiting_events,
            unacknowledged: counts.unacknowledged,
            held_messages: self.deliveries.held() as u64,
            known: self.tasks.len() as u64,
            total_queued: tasks.queued,
            total_adopted: tasks.adopted,
            total_accepted: tasks.accepted,
            total_succeeded: tasks.succeeded,
            total_failed: tasks.failed,
            total_cancelled: tasks.cancelled,
            total_lost: tasks.lost,
            total_dead_letters: tasks.dead_letters,
            invoke_calls: invokes.invoke_calls,
            batches: invokes.batches,
            tasks_in_calls: invokes.tasks_in_calls,
            resubmitted: invokes.resubmitted,
            probes: invokes.probes,
            receive_calls: inbox.receive_calls,
            empty_receives: inbox.empty_receives,
            delete_calls: deliveries.delete_calls,
            visibility_calls: deliveries.visibility_calls,
            throttled: invokes.throttled,
            retried: invokes.retried,
            unanswered: invokes.unanswered,
            late_answers: invokes.late_answers,
            credential_failures: invokes.credential_failures,
            received: inbox.received,
            received_bytes: inbox.received_bytes,
            deleted: deliveries.deleted,
            deletes_gone: deliveries.deletes_gone,
            deletes_given_up: deliveries.deletes_given_up,
            duplicates: inbox.duplicates,
            came_back: deliveries.came_back,
            unmatched: inbox.unmatched,
            orphans: inbox.orphans,
            malformed: inbox.malformed,
            foreign_dead_letters: inbox.foreign_dead_letters,
            success_records: inbox.success_records,
            receive_failures: inbox.receive_failures,
            billed: self.billed,
            queue_wait: (&self.latencies.queue_wait).into(),
            invoke: (&self.latencies.invoke).into(),
            run_time: (&self.latencies.run_time).into(),
            result: (&self.latencies.result).into(),
            routes: self.submission.routes().iter().map(|route| self.route_snapshot(route)).collect(),
        }
    }

    fn route_snapshot(&self, route: &super::submission::Route) -> RouteSnapshot {
        RouteSnapshot {
            name: route.settings.name.clone(),
            health: self.route_health(route),
            queued: route.queued,
            in_flight: route.in_flight,
            concurrency_limit: route.concurrency_limit(),
            active: route.active,
        }
    }
}
