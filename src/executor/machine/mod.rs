//! A task's life as a pure state machine: inputs in, actions out. No I/O, no clock, no JSON, no async.
//!
//! [`Machine`] routes each input to the owners of the state that it changes, and collects what they want done:
//!
//! | owner | keeps |
//! |---|---|
//! | [`tasks`] | tasks, how to find them, the times at which they change by themselves |
//! | [`submission`] | routes, invocations, circuit breakers, limits, credentials |
//! | [`inbox`] | receives under way, whose a message is, how long the queues have been read |
//! | [`deliveries`] | messages in flight, their deletes and their visibility |
//! | [`events`] | events not handed out or not acknowledged |
//! | [`records`] | what a restart must know |
//!
//! | file | inputs |
//! |---|---|
//! | `host.rs` | queue, cancel, adopt, drain, shut down |
//! | `invoking.rs` | the next call of Invoke, and the answers |
//! | `receiving.rs` | messages, and the answers of SQS |
//! | `finishing.rs` | the end of a task; events out, acknowledgements in |
//! | `silence.rs` | when silence means LOST |
//! | `recovery.rs` | a machine from the records of another |
//! | `health.rs`, `describe.rs`, `snapshot.rs` | what the machine reports |

mod backoff;
mod deliveries;
mod describe;
mod ending;
mod events;
mod finishing;
mod health;
#[cfg(test)]
mod histories;
mod host;
mod inbox;
mod invoking;
mod pending;
mod receiving;
mod records;
mod recovery;
mod sharded;
mod silence;
mod slab;
mod snapshot;
mod submission;
mod tasks;
#[cfg(test)]
mod tests;

pub(crate) use deliveries::{ChangeEntry, DeleteEntry};
pub(crate) use describe::Description;
pub use records::{AcceptedTask, Lsn, Record, TaskName};
pub(crate) use snapshot::{RouteSnapshot, Snapshot, Times};
pub(crate) use submission::{InvocationId, Probe};

use super::event::Counts;
use super::message::Received;
use super::ports::{InvokeRequest, Now, QueueId, ReceiveRequest, RouteId};
use super::settings::Settings;
use super::wire::Batch;
use crate::metrics::histogram::Histogram;
use crate::metrics::prices::Billed;
use deliveries::{BATCH, Call, Deliveries, DeliveryId};
use events::Events;
use inbox::{Demand, Inbox};
use pending::Pending;
use records::Records;
use std::sync::Arc;
use submission::Submission;
use tasks::Tasks;

/// Tasks that are cancelled or failed in one turn; the lock is released between turns.
const SLICE: usize = 250;
/// Results may have 1 MiB, so their number alone does not bound memory.
const MOST_HELD_BYTES: usize = 256 << 20;
/// SQS allows 120,000 messages in flight.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html>
const MOST_IN_FLIGHT_IN_DRAIN: usize = 100_000;

/// What the driver is to do. Each is answered by the method named.
#[derive(Debug)]
pub(crate) enum Action {
    /// [`Machine::received`] or [`Machine::poll_dropped`].
    Receive(ReceiveRequest),
    /// [`Machine::deleted`].
    Delete { queue: QueueId, entries: Vec<DeleteEntry> },
    /// [`Machine::visibility_changed`].
    ChangeVisibility { queue: QueueId, entries: Vec<ChangeEntry> },
    /// [`Machine::probed`].
    Probe { route: RouteId, probe: Probe },
    /// [`Machine::queues_checked`].
    CheckQueues,
}

impl Action {
    /// It concerns messages of a queue.
    pub(crate) fn is_of_a_queue(&self) -> bool {
        match self {
            Self::Receive(_) | Self::Delete { .. } | Self::ChangeVisibility { .. } => true,
            Self::Probe { .. } | Self::CheckQueues => false,
        }
    }
}

/// A call of Invoke, answered with [`Machine::invoked`].
#[derive(Clone, Debug)]
pub(crate) struct InvokeCall {
    pub(crate) id: InvocationId,
    pub(crate) request: InvokeRequest,
    /// The events of several tasks, of which [`Self::into_request`] makes one.
    pub(crate) batch: Option<Box<Batch>>,
}

impl InvokeCall {
    /// What is sent. Not under the lock: the event of a batch is made here.
    pub(crate) fn into_request(self) -> InvokeRequest {
        match self.batch {
            None => self.request,
            Some(batch) => InvokeRequest { payload: batch.event(), ..self.request },
        }
    }
}

/// How far the end has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Open,
    Draining,
    Closed,
}

/// A message that is to be deleted once a record is durable.
#[derive(Debug)]
enum Delete {
    Acknowledged(DeliveryId),
    Discarded(QueueId, Received),
}

/// What is counted of tasks.
#[derive(Debug, Default)]
struct TaskCounts {
    queued: u64,
    adopted: u64,
    accepted: u64,
    succeeded: u64,
    failed: u64,
    cancelled: u64,
    lost: u64,
    dead_letters: u64,
    /// A bug: a task was to end twice.
    ended_twice: u64,
}

/// How long things take, in ms.
#[derive(Debug, Default)]
struct Latencies {
    queue_wait: Histogram,
    invoke: Histogram,
    run_time: Histogram,
    result: Histogram,
}

/// The state machine.
#[derive(Debug)]
pub(crate) struct Machine {
    settings: Arc<Settings>,
    now: Now,
    phase: Phase,
    /// A drain cancels what is queued.
    cancels_queued: bool,
    tasks: Tasks,
    submission: Submission,
    inbox: Inbox,
    deliveries: Deliveries,
    events: Events,
    records: Records,
    /// Calls of Invoke whose intent is not durable yet.
    pending_calls: Pending<InvokeCall>,
    pending_deletes: Pending<Delete>,
    actions: Vec<Action>,
    /// Of the last check of each function, then of the queues.
    warnings: Vec<Vec<String>>,
    counts: TaskCounts,
    latencies: Latencies,
    billed: Billed,
}

impl Machine {
    /// `keeps_records`: a storage makes its records durable.
    pub(crate) fn new(settings: Arc<Settings>, now: Now, keeps_records: bool) -> Self {
        let seed = settings.seed;
        let mut machine = Self {
            now,
            phase: Phase::Open,
            cancels_queued: false,
            tasks: Tasks::default(),
            submission: Submission::new(&settings),
            inbox: Inbox::new(&settings.queues, settings.max_unmatched_delay_s, seed ^ 1, now),
            deliveries: Deliveries::new(&settings.queues, seed ^ 2),
            events: Events::default(),
            records: Records::new(keeps_records),
            pending_calls: Pending::default(),
            pending_deletes: Pending::default(),
            actions: Vec::new(),
            warnings: vec![Vec::new(); settings.routes.len() + 1],
            counts: TaskCounts::default(),
            latencies: Latencies::default(),
            billed: Billed::default(),
            settings,
        };
        if machine.settings.check_health_on_startup {
            machine.begin_checks();
        }
        machine
    }

    /// The time. Every input is preceded by it. Mono time never goes back; the wall clock may jump.
    pub(crate) fn set_now(&mut self, now: Now) {
        self.now = Now { mono_ms: now.mono_ms.max(self.now.mono_ms), unix_ms: now.unix_ms };
    }

    pub(crate) fn now(&self) -> Now {
        self.now
    }

    /// Does what time alone brings about, and asks for what can be done now.
    pub(crate) fn tick(&mut self) {
        self.end_waits();
        self.give_up_outages();
        self.find_lost();
        self.cancel_queued_slice();
        self.retry_queue_check();
        self.delete_what_is_durable();
        self.call_queues();
    }

    /// What the driver is to do now, oldest first.
    pub(crate) fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// True when [`Self::take_actions`] or [`Self::next_call`] may have something.
    pub(crate) fn has_work(&self) -> bool {
        !self.actions.is_empty()
            || self.pending_calls.is_ready(&self.records)
            || self.submission.may_call(self.now.mono_ms)
    }

    /// When [`Self::tick`] or [`Self::next_call`] has something to do by itself, in mono ms.
    pub(crate) fn next_timer(&self) -> Option<u64> {
        let now = self.now.mono_ms;
        let more = (self.cancels_queued && self.tasks.queued() > 0 && self.phase != Phase::Closed).then_some(now);
        let waits = if self.phase == Phase::Closed { None } else { self.tasks.next_timer() };
        [
            more,
            waits,
            self.submission.next_timer(&self.tasks),
            self.inbox.next_timer(now, self.demand()),
            self.deliveries.next_timer(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn call_queues(&mut self) {
        let now = self.now.mono_ms;
        for call in self.deliveries.calls(now) {
            let (queue, action) = match call {
                Call::Delete { queue, entries } => (queue, Action::Delete { queue, entries }),
                Call::ChangeVisibility { queue, entries } => (queue, Action::ChangeVisibility { queue, entries }),
            };
            self.billed.queue_call(self.inbox.is_fifo(queue));
            self.actions.push(action);
        }
        let demand = self.demand();
        for request in self.inbox.receives(now, demand) {
            self.billed.queue_call(self.inbox.is_fifo(request.queue));
            self.actions.push(Action::Receive(request));
        }
    }

    fn demand(&self) -> Demand {
        Demand {
            awaited: self.tasks.awaited(),
            is_paused: self.receiving_paused(),
            room: self.room_for_receives(),
            is_closed: self.phase == Phase::Closed,
        }
    }

    /// True while as many results are in flight as the configuration allows, those that receives under way may bring and
    /// those that wait to be deleted included.
    fn receiving_paused(&self) -> bool {
        let in_flight = self.deliveries.results_in_flight();
        let most = match self.phase {
            // The host need not take events meanwhile.
            Phase::Draining => self.settings.max_unacked_results.max(MOST_IN_FLIGHT_IN_DRAIN),
            Phase::Open | Phase::Closed => self.settings.max_unacked_results,
        };
        in_flight >= most || (in_flight > 0 && self.expected_bytes() >= MOST_HELD_BYTES)
    }

    /// Bodies that are held, and those that receives under way may bring.
    fn expected_bytes(&self) -> usize {
        self.deliveries.held_bytes() + self.inbox.expected().saturating_mul(self.inbox.average_bytes())
    }

    /// So many more receives may start before the bodies that they may bring are too large.
    fn room_for_receives(&self) -> usize {
        let of_one = self.inbox.average_bytes().saturating_mul(BATCH).max(1);
        MOST_HELD_BYTES.saturating_sub(self.expected_bytes()) / of_one
    }

    /// How many tasks and events are where.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            queued: self.tasks.queued(),
            submitting: self.tasks.submitting(),
            running: self.tasks.running(),
            waiting_events: self.events.waiting() as u64,
            unacknowledged: self.events.unacknowledged() as u64,
        }
    }

    /// Tasks without a final event.
    pub(crate) fn remaining(&self) -> u64 {
        self.tasks.queued() + self.tasks.awaited()
    }

    /// True once a drain or shutdown was asked for.
    pub(crate) fn is_draining(&self) -> bool {
        self.phase != Phase::Open
    }

    /// True in a drain that cannot go on before the host takes and acknowledges events.
    pub(crate) fn is_drain_blocked(&self) -> bool {
        self.phase == Phase::Draining
            && self.tasks.awaited() > 0
            && self.deliveries.held() > 0
            && self.receiving_paused()
    }

    /// True once [`Self::shut_down`] was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// True when [`Self::take_events`] has something.
    pub(crate) fn has_waiting_events(&self) -> bool {
        self.events.waiting() > 0
    }

    /// True if a watched task has ended since the last call.
    pub(crate) fn take_watched_task_ended(&mut self) -> bool {
        self.tasks.take_watched_task_ended()
    }

    /// True when nothing asked for is unanswered.
    pub(crate) fn is_quiet(&self) -> bool {
        self.actions.is_empty() && self.inbox.is_quiet() && self.deliveries.is_quiet() && self.submission.is_quiet()
    }

    // Records.

    /// The records made since the last call, for the storage.
    pub(crate) fn take_records(&mut self) -> Vec<Record> {
        self.records.take()
    }

    /// Everything up to this position survives a crash.
    pub(crate) fn set_durable(&mut self, lsn: Lsn) {
        self.records.set_durable(lsn);
        self.tick();
    }

    fn delete_what_is_durable(&mut self) {
        let now = self.now.mono_ms;
        while let Some(delete) = self.pending_deletes.pop(&self.records) {
            match delete {
                Delete::Acknowledged(delivery) => self.deliveries.acknowledged(delivery, now),
                Delete::Discarded(queue, message) => self.deliveries.discard(queue, &message, now),
            }
        }
    }

    fn task_name(&self, id: tasks::TaskId) -> Option<TaskName> {
        self.tasks.get(id).map(|task| TaskName { key: Arc::clone(&task.key), attempt: task.attempt })
    }
}
