//! What the host and an onlooker know of each task: what was asked, what was sent, what was reported. Kept apart from the
//! machine's own books, so that promises can be checked against it.

use super::lambda::Verdict;
use crate::executor::event::Event;
use crate::executor::machine::InvocationId;
use crate::executor::ports::{Fault, RouteId, Sent};
use crate::executor::task::{AttemptId, Reason, TaskState};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One call of Invoke.
#[derive(Clone, Copy, Debug)]
pub(super) struct Try {
    /// `None` once its process has died.
    pub(super) call: Option<InvocationId>,
    pub(super) began: u64,
    pub(super) answered: Option<u64>,
    /// `None` while it is under way, or if its process died first.
    pub(super) verdict: Option<Verdict>,
    /// A message of its key was taken while it was under way.
    pub(super) was_taken: bool,
    /// Other tasks shared the call.
    pub(super) with_others: bool,
}

impl Try {
    /// False if it is certain that Lambda does not have the event.
    pub(super) fn may_run(self) -> bool {
        !matches!(self.verdict, Some(Verdict::Failed(_, Sent::No | Sent::Rejected)))
    }
}

/// How a task ended, as its final event says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ended {
    pub(super) state: TaskState,
    pub(super) reason: Option<Reason>,
    /// The message that says so.
    pub(super) source: Option<usize>,
}

/// One accepted task; its index is its tag.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) site: usize,
    pub(super) key: Arc<str>,
    /// `None`: adopted without one, so that every message of its key is its own.
    pub(super) attempt: Option<AttemptId>,
    pub(super) adopted: bool,
    /// Messages may name its attempt before it is submitted: an earlier process may have submitted it.
    pub(super) known_before: bool,
    pub(super) route: RouteId,
    /// Its event makes the service fail.
    pub(super) poisonous: bool,
    pub(super) queued_at: u64,
    pub(super) max_wait_ms: u64,
    pub(super) result_timeout_ms: u64,
    pub(super) tries: Vec<Try>,
    /// Since when messages about it may be missing.
    pub(super) awaited_since: Option<u64>,
    pub(super) cancelled: bool,
    /// When its executor first learnt that the batch in which it was sent did not run it, and that it may be sent again.
    pub(super) released_at: Option<u64>,
    /// It has lived through a crash.
    pub(super) recovered: bool,
    pub(super) running_seq: Option<u64>,
    pub(super) ended: Option<Ended>,
    pub(super) final_handed_out: bool,
    pub(super) acknowledged: bool,
    /// Positions of its records, 0 before they are made.
    pub(super) accepted_lsn: usize,
    pub(super) running_lsn: usize,
    pub(super) resubmitted_lsn: usize,
    pub(super) ended_lsn: usize,
    pub(super) acknowledged_lsn: usize,
    /// Positions of its records that an Invoke is about to be sent.
    pub(super) intents: Vec<usize>,
    /// A crash took it before it was durable, or it was left to another process.
    pub(super) gone: bool,
}

impl Task {
    /// How often it may be sent for the sake of its batch, beyond what its own tries allow.
    pub(super) fn sent_again(&self) -> u32 {
        u32::from(self.released_at.is_some())
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Calls that Lambda may have accepted, at most.
    pub(super) fn tries_seen(&self) -> u32 {
        self.tries.iter().filter(|one| one.may_run()).count() as u32
    }

    /// Attempts that may be charged at most: tries that may have run, and failures that came again although other calls
    /// had succeeded since the failure before.
    pub(super) fn chargeable(&self, successes: &[u64]) -> u32 {
        let mut before = None;
        let mut again = 0;
        for one in &self.tries {
            // A call that was never sent is never charged.
            let Some(Verdict::Failed(fault, Sent::Rejected)) = one.verdict else { continue };
            // Nor is one whose fault may be another task's.
            if one.with_others {
                continue;
            }
            again += u32::from(fault == Fault::Event);
            if fault == Fault::Service {
                let between = |at: &u64| before.is_some_and(|before| before <= *at && *at <= one.began);
                again += u32::from(successes.iter().any(between));
                before = one.answered;
            }
        }
        self.tries_seen() + again
    }
}

/// What a host has of its executor's events.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// Events handed out so far.
    pub(super) handed_out: u64,
    /// Not acknowledged, by seq.
    pub(super) unacknowledged: BTreeMap<u64, Arc<Event>>,
    /// Of these, those whose batch was freed.
    pub(super) freed: Vec<u64>,
    pub(super) refuses: bool,
    pub(super) cancels_queued: bool,
    pub(super) is_closed: bool,
}

/// The number of the message that an event was made of, as the world wrote it into the message.
pub(super) fn source_of(event: &Event) -> Option<usize> {
    [&event.output_tail, &event.message].into_iter().find_map(|text| {
        let (_, rest) = text.split_once("<m")?;
        rest.split_once('>')?.0.parse().ok()
    })
}
