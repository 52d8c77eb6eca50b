//! What a restart must know: each change as a value with a position. A storage makes them durable; an action that must
//! not happen before its record is durable waits for the position (see `pending.rs`).

use crate::executor::event::Event;
use crate::executor::ports::RouteId;
use crate::executor::task::AttemptId;
use std::sync::Arc;

/// Position of a record: 1 for the first. 0 is before all of them.
pub type Lsn = u64;

/// Which task a record is about.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct TaskName {
    /// Its key.
    pub key: Arc<str>,
    /// Its submission; `None` for a task adopted without one.
    pub attempt: Option<AttemptId>,
}

/// A change that a restart must know.
#[derive(Clone, Debug)]
pub enum Record {
    /// `queue` accepted a task.
    Accepted(Box<AcceptedTask>),
    /// `adopt` accepted a task.
    Adopted {
        /// Which.
        task: TaskName,
        /// The host's number.
        tag: u64,
        /// Its function.
        route: RouteId,
        /// LOST after this many ms without a result; 0 is the route's.
        result_timeout_ms: u64,
    },
    /// An Invoke is about to be sent. Written before it is.
    Submitting(TaskName),
    /// That Invoke was certainly not carried out.
    NotAccepted(TaskName),
    /// The batch in which a task was sent could not run it: it is queued again, under the same id.
    Resubmitted(TaskName),
    /// Lambda accepted the event.
    Running {
        /// Which.
        task: TaskName,
        /// Lambda's id.
        request_id: Arc<str>,
        /// When, Unix ms.
        submitted_at_ms: i64,
        /// Tries so far that count.
        attempts: u32,
    },
    /// A task ended; its final event, complete.
    Ended {
        /// Which.
        task: TaskName,
        /// What is reported to the host.
        event: Arc<Event>,
    },
    /// The host has acknowledged the final event. Written before the message is deleted.
    Acknowledged(TaskName),
}

/// All of a task that was accepted.
#[derive(Clone, Debug)]
pub struct AcceptedTask {
    /// Which.
    pub task: TaskName,
    /// The host's number.
    pub tag: u64,
    /// Its function.
    pub route: RouteId,
    /// The event.
    pub payload: Arc<[u8]>,
    /// Version or alias for this task alone.
    pub qualifier: Option<Arc<str>>,
    /// When, Unix ms.
    pub queued_at_ms: i64,
    /// When it is not submitted any more, Unix ms; 0 for never.
    pub expires_at_ms: i64,
    /// LOST after this many ms without a result; 0 is the route's.
    pub result_timeout_ms: u64,
}

/// The records not yet handed to the storage.
#[derive(Debug)]
pub(super) struct Records {
    /// False without a storage: nothing is kept, and everything counts as durable.
    keeps: bool,
    pending: Vec<Record>,
    last: Lsn,
    durable: Lsn,
}

impl Records {
    pub(super) fn new(keeps: bool) -> Self {
        Self { keeps, pending: Vec::new(), last: 0, durable: if keeps { 0 } else { Lsn::MAX } }
    }

    /// After a recovery: what was read is durable, and new records follow it.
    pub(super) fn continue_after(&mut self, last: Lsn) {
        (self.last, self.durable) = (last, last);
    }

    /// Adds a record; returns its position. It is made only if a storage keeps it.
    pub(super) fn add(&mut self, record: impl FnOnce() -> Record) -> Lsn {
        if self.keeps {
            self.pending.push(record());
            self.last += 1;
        }
        self.last
    }

    /// Position of the last record.
    pub(super) fn last(&self) -> Lsn {
        self.last
    }

    pub(super) fn take(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.pending)
    }

    /// Everything up to this position survives a crash.
    pub(super) fn set_durable(&mut self, lsn: Lsn) {
        self.durable = self.durable.max(lsn);
    }

    pub(super) fn is_durable(&self, lsn: Lsn) -> bool {
        lsn <= self.durable
    }
}
