//! What the host and an onlooker know: every task that was accepted, what was told of it, what was asked of AWS. Kept
//! apart from the state machine's own books, to be compared with them.

use crate::executor::core::Core;
use crate::executor::event::Event;
use crate::executor::ports::{Accepted, CallError, FailureClass, QueueId, RouteId};
use crate::executor::settings::Settings;
use crate::executor::task::{AttemptId, TaskState};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// After so long without success a missing service is an outage (design, section 3).
const OUTAGE_AFTER_MS: u64 = 10_000;

/// One accepted task; its index is its tag.
#[derive(Debug)]
pub(super) struct ModelTask {
    pub(super) id: u64,
    pub(super) key: String,
    /// `None`: adopted without one.
    pub(super) attempt: Option<AttemptId>,
    pub(super) adopted: bool,
    pub(super) queued_at: u64,
    pub(super) max_wait_ms: u64,
    pub(super) first_invoked_at: Option<u64>,
    /// When its deadline began to run.
    pub(super) running_since: Option<u64>,
    pub(super) attempts: u32,
    /// Lambda took its event, whether or not the executor was told.
    pub(super) accepted: bool,
    /// When the last attempt that counted failed.
    pub(super) failed_at: Option<u64>,
    pub(super) refused_for_good: bool,
    pub(super) cancelled: bool,
    pub(super) running_told: bool,
    /// State in which it was first seen to have ended.
    pub(super) ended: Option<TaskState>,
    pub(super) final_event: Option<Event>,
}

impl ModelTask {
    /// Any message of its key may end it.
    pub(super) fn matches_by_key(&self) -> bool {
        self.attempt.is_none()
    }
}

#[derive(Debug, Default)]
pub(super) struct ModelRoute {
    pub(super) last_good: Option<u64>,
    pub(super) outage: bool,
    pub(super) outages: u64,
    /// Times of the Invokes of the last second.
    pub(super) recent: VecDeque<u64>,
}

/// From when to when a queue has been read without a gap.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) since: Option<u64>,
    pub(super) until: u64,
}

/// An event that the host has and has not acknowledged.
#[derive(Debug)]
pub(super) struct HandedOut {
    pub(super) source: Option<usize>,
}

/// Calls seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) invoke: u64,
    pub(super) receive: u64,
    pub(super) delete: u64,
    pub(super) visibility: u64,
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) tasks: Vec<ModelTask>,
    by_id: HashMap<u64, usize>,
    pub(super) newest: HashMap<String, usize>,
    pub(super) routes: Vec<ModelRoute>,
    pub(super) readings: Vec<Reading>,
    pub(super) unacked: BTreeMap<u64, HandedOut>,
    /// Messages whose event was acknowledged.
    pub(super) acked_sources: Vec<usize>,
    pub(super) next_seq: u64,
    pub(super) seen: Seen,
    pub(super) accepts: bool,
    pub(super) hands_back: bool,
    pub(super) shut_down: bool,
}

impl Model {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            tasks: Vec::new(),
            by_id: HashMap::new(),
            newest: HashMap::new(),
            routes: settings.routes.iter().map(|_| ModelRoute::default()).collect(),
            readings: settings.queues.iter().map(|_| Reading::default()).collect(),
            unacked: BTreeMap::new(),
            acked_sources: Vec::new(),
            next_seq: 1,
            seen: Seen::default(),
            accepts: true,
            hands_back: false,
            shut_down: false,
        }
    }

    pub(super) fn index_of(&self, id: u64) -> usize {
        self.by_id[&id]
    }

    pub(super) fn accepted(&mut self, task: ModelTask) {
        let index = self.tasks.len();
        assert!(self.by_id.insert(task.id, index).is_none(), "a task id was used twice");
        self.newest.insert(task.key.clone(), index);
        self.tasks.push(task);
    }

    /// True while `queue` of this key must be refused as a duplicate.
    pub(super) fn key_is_taken(&self, key: &str) -> bool {
        self.newest.get(key).is_some_and(|index| self.tasks[*index].final_event.is_none())
    }

    /// Notes what an answer to Invoke means, before the state machine hears of it.
    pub(super) fn lambda_answered(
        &mut self,
        core: &Core,
        id: u64,
        route: RouteId,
        now: u64,
        answer: &Result<Accepted, CallError>,
    ) {
        let index = self.index_of(id);
        let awaited = core.table.get(id).is_some_and(|task| task.state == TaskState::Submitting);
        let (task, route) = (&mut self.tasks[index], &mut self.routes[route]);
        match answer {
            Ok(_) => {
                route.good(now);
                if awaited {
                    task.attempts += 1;
                    task.running_since = Some(now);
                }
            }
            Err(error) => match error.class {
                FailureClass::Throttled => route.good(now),
                FailureClass::Credentials => {}
                FailureClass::Transient { no_service } => {
                    let outage =
                        route.outage || route.last_good.is_none_or(|at| now.saturating_sub(at) >= OUTAGE_AFTER_MS);
                    if no_service && outage {
                        route.outages += u64::from(!route.outage);
                        route.outage = true;
                    } else if awaited {
                        task.attempts += 1;
                        task.failed_at = Some(now);
                    }
                }
                FailureClass::Permanent if awaited => {
                    route.good(now);
                    task.attempts += 1;
                    task.refused_for_good = true;
                }
                FailureClass::Permanent => {}
            },
        }
    }

    pub(super) fn receive_answered(&mut self, queue: QueueId, now: u64, well: bool) {
        let reading = &mut self.readings[queue];
        if well {
            reading.since.get_or_insert(now);
            reading.until = now;
        } else {
            reading.since = None;
        }
    }
}

impl ModelRoute {
    fn good(&mut self, now: u64) {
        self.last_good = Some(now);
        self.outage = false;
    }
}

/// The number of the message that an event was made of, as the world wrote it into the message.
pub(super) fn source_of(event: &Event) -> Option<usize> {
    [&event.output_tail, &event.message].into_iter().find_map(|text| {
        let (_, rest) = text.split_once("<m")?;
        rest.split_once('>')?.0.parse().ok()
    })
}
