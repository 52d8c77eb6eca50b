//! A task's life as a pure state machine: inputs in, actions out. No I/O, no clock, no async.
//!
//! | file | what it decides |
//! |---|---|
//! | `table.rs` | which tasks are known, and how to find them |
//! | `accept.rs`, `overrides.rs` | queue, cancel, adopt, drain: what the host asks |
//! | `submit.rs`, `route.rs`, `limiter.rs`, `backoff.rs` | what is invoked when, and what a failed Invoke means |
//! | `credentials.rs` | whether AWS accepts who we are, and what waits until it does |
//! | `receive.rs` | how many long polls are under way, and when none is |
//! | `message.rs`, `fields.rs`, `matching.rs` | what a message says, and whose it is |
//! | `finish.rs` | events, final states, what is kept of a finished task |
//! | `strangers.rs` | what becomes of messages of others, and how queues are shared |
//! | `held.rs` | messages whose event the host has not acknowledged |
//! | `deletes.rs`, `visibility.rs`, `batches.rs` | what SQS is asked to do with messages, in batches, and again where that failed |
//! | `deadline.rs` | when silence means LOST |
//! | `warnings.rs` | what a health check found that does not fit |
//! | `report.rs` | counters, health, describe |
//! | `statistics.rs` | the statistics document, one table |

mod accept;
mod backoff;
mod batches;
mod credentials;
mod deadline;
mod deletes;
mod fields;
mod finish;
mod held;
mod limiter;
mod matching;
mod message;
mod overrides;
mod receive;
mod report;
mod route;
mod statistics;
mod strangers;
mod submit;
mod table;
mod visibility;
mod warnings;

pub(crate) use deletes::DeleteEntry;
pub(crate) use table::TaskId;
pub(crate) use visibility::ReleaseEntry;

use super::event::{Counts, Event};
use super::ports::{InvokeRequest, Now, QueueId, ReceiveRequest, RouteId};
use super::settings::Settings;
use backoff::Jitter;
use deletes::Consumed;
use held::Held;
use receive::Poller;
use report::Counters;
use route::{Outage, Route};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use strangers::Strangers;
use table::{HeldId, TaskTable};

/// What the driver is to do. Each is answered by one call of the method named.
#[derive(Debug)]
pub(crate) enum Action {
    /// Answer with [`Core::invoked`].
    Invoke { task: TaskId, epoch: u64, request: InvokeRequest },
    /// Answer with [`Core::received`].
    Receive(ReceiveRequest),
    /// Answer with [`Core::deleted`].
    Delete { queue: QueueId, entries: Vec<DeleteEntry> },
    /// Answer with [`Core::visibility_changed`].
    ChangeVisibility { queue: QueueId, entries: Vec<ReleaseEntry> },
    /// Answer with [`Core::health_checked`].
    CheckHealth,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FailureClass { Throttled, Transient { no_service: bool }, Permanent, Credentials }

pub(crate) fn class(error: &super::ports::CallError) -> FailureClass {
    use super::ports::Fault;
    match error.fault {
        Fault::Event | Fault::Route => FailureClass::Permanent,
        Fault::Service => FailureClass::Transient { no_service: true },
        Fault::Account => FailureClass::Throttled,
        Fault::Identity => FailureClass::Credentials,
    }
}

/// How far the end has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    Open,
    Draining,
    Closed,
}

/// Whether anything may be submitted at all.
#[derive(Debug)]
pub(super) enum StartupCheck {
    Passed,
    UnderWay,
    /// `credentials`: they were the trouble.
    Failed {
        next_try_ms: u64,
        reason: String,
        credentials: bool,
    },
}

/// Who answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Service {
    Lambda,
    Sqs,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Lambda => "Lambda",
            Self::Sqs => "SQS",
        }
    }
}

/// An event that has not been handed out.
#[derive(Debug)]
pub(super) struct WaitingEvent {
    event: Event,
    task: TaskId,
    held: Option<HeldId>,
}

/// A final event that the host has and has not acknowledged.
#[derive(Debug)]
pub(super) struct Unacknowledged {
    task: TaskId,
    held: Option<HeldId>,
}

/// The state machine.
#[derive(Debug)]
pub(crate) struct Core {
    settings: Settings,
    now: Now,
    phase: Phase,
    /// A drain wants no more submitted.
    hands_back: bool,
    table: TaskTable,
    routes: Vec<Route>,
    pollers: Vec<Poller>,
    /// Back-off ends, by time.
    backing_off: BTreeSet<(u64, TaskId)>,
    /// Ends of `max_wait_ms`, by time.
    expiries: BTreeSet<(u64, TaskId)>,
    /// Ends of `result_timeout_ms` of running tasks, by time.
    deadlines: BTreeSet<(u64, TaskId)>,
    waiting_events: VecDeque<WaitingEvent>,
    waiting_final: usize,
    unacknowledged: BTreeMap<u64, Unacknowledged>,
    next_seq: u64,
    held: BTreeMap<HeldId, Held>,
    held_bytes: usize,
    /// Those in `held` by the id of their message, which stays when SQS moves one to the dead letter queue.
    held_by_message: HashMap<Box<str>, HeldId>,
    next_held: HeldId,
    extensions: BTreeSet<(u64, HeldId)>,
    consumed: Consumed,
    strangers: Strangers,
    kept: VecDeque<TaskId>,
    queued: u64,
    submitting: u64,
    running: u64,
    startup: StartupCheck,
    credentials: Option<(Service, Outage)>,
    /// When the host last gave new ones.
    credentials_since_ms: u64,
    /// When the newest check at start began.
    check_began_ms: u64,
    jitter: Jitter,
    counters: Counters,
    /// Of the last health check that passed.
    warnings: Vec<String>,
    actions: Vec<Action>,
}

impl Core {
    pub(crate) fn new(settings: Settings, now: Now) -> Self {
        let mut core = Self {
            now,
            phase: Phase::Open,
            hands_back: false,
            table: TaskTable::default(),
            routes: settings.routes.iter().cloned().map(Route::new).collect(),
            pollers: settings.queues.iter().map(|_| Poller::new()).collect(),
            backing_off: BTreeSet::new(),
            expiries: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            waiting_events: VecDeque::new(),
            waiting_final: 0,
            unacknowledged: BTreeMap::new(),
            next_seq: 1,
            held: BTreeMap::new(),
            held_bytes: 0,
            held_by_message: HashMap::new(),
            next_held: 0,
            extensions: BTreeSet::new(),
            consumed: Consumed::default(),
            strangers: Strangers::default(),
            kept: VecDeque::new(),
            queued: 0,
            submitting: 0,
            running: 0,
            startup: StartupCheck::Passed,
            credentials: None,
            credentials_since_ms: 0,
            check_began_ms: 0,
            jitter: Jitter::new(settings.seed),
            counters: Counters::default(),
            warnings: Vec::new(),
            actions: Vec::new(),
            settings,
        };
        if core.settings.check_health_on_startup {
            core.start_health_check();
        }
        core
    }

    /// Tells the time. Every input is preceded by it; it never goes back.
    pub(crate) fn set_now(&mut self, now: Now) {
        self.now = Now { mono_ms: now.mono_ms.max(self.now.mono_ms), unix_ms: now.unix_ms };
    }

    /// Does what time alone brings about, and asks for what can be done now.
    pub(crate) fn tick(&mut self) {
        self.end_waits_that_are_over();
        self.end_back_offs();
        self.end_long_outages();
        // A lost task frees a slot, and may be the last one that anything is received for.
        self.find_lost();
        self.hand_back_waiting();
        self.retry_health_check();
        self.submit_ready();
        self.extend_visibility();
        self.give_back_in_time();
        self.flush_changes();
        self.flush_deletes();
        self.poll_queues();
    }

    /// What the driver is to do now, oldest first.
    pub(crate) fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// True when [`Self::take_actions`] has something.
    pub(crate) fn has_actions(&self) -> bool {
        !self.actions.is_empty()
    }

    /// When [`Self::tick`] has something to do by itself, in mono ms.
    pub(crate) fn next_timer(&self) -> Option<u64> {
        let first = |set: &BTreeSet<(u64, u64)>| set.first().map(|(at, _)| *at);
        let now = self.now.mono_ms;
        let mut next = [first(&self.backing_off), first(&self.expiries), first(&self.extensions)]
            .into_iter()
            .chain(self.pollers.iter().map(|poller| poller.next_flush()))
            .flatten()
            .min();
        let mut earlier = |at: Option<u64>| next = [next, at].into_iter().flatten().min();
        if let StartupCheck::Failed { next_try_ms, .. } = &self.startup {
            earlier(Some(*next_try_ms));
        }
        if self.may_submit_at().is_some_and(|at| at > now) && self.queued > 0 {
            earlier(self.may_submit_at());
        } else if self.may_submit_at().is_some() {
            for route in &self.routes {
                earlier(route.next_admission(now));
            }
        }
        for route in 0..self.routes.len() {
            earlier(self.next_give_up(route));
        }
        if self.submitting + self.running > 0 && !self.receiving_paused() {
            for poller in &self.pollers {
                earlier(poller.next_poll(now));
            }
        }
        next
    }

    /// How many tasks and events are where.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            queued: self.queued,
            submitting: self.submitting,
            running: self.running,
            waiting_events: self.waiting_events.len() as u64,
            unacknowledged: self.unacknowledged.len() as u64,
        }
    }

    /// Tasks without a final event.
    pub(crate) fn remaining(&self) -> u64 {
        self.queued + self.submitting + self.running
    }

    /// True once a drain or shutdown was asked for.
    pub(crate) fn is_draining(&self) -> bool {
        self.phase != Phase::Open
    }

    /// True once [`Self::shut_down`] was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// True when [`Self::take_events`] has something.
    pub(crate) fn has_waiting_events(&self) -> bool {
        !self.waiting_events.is_empty()
    }

    /// The time told last.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now.mono_ms
    }

    fn route(&mut self, id: RouteId) -> &mut Route {
        &mut self.routes[id]
    }
}
