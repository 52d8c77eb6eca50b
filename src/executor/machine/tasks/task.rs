//! One task.

use crate::executor::machine::slab::Id;
use crate::executor::machine::submission::Invocation;
use crate::executor::ports::RouteId;
use crate::executor::task::{AttemptId, Reason, TaskState};
use std::num::NonZeroU64;
use std::sync::Arc;

/// A task. [`super::Tasks`] owns it and alone changes it.
///
/// A million of them may be queued: what a queued task does not have is in [`Progress`] and [`Special`].
#[derive(Debug)]
pub(in crate::executor::machine) struct Task {
    pub(in crate::executor::machine) key: Arc<str>,
    pub(in crate::executor::machine) tag: u64,
    /// `None` for tasks adopted without one: their messages match by key.
    pub(in crate::executor::machine) attempt: Option<AttemptId>,
    /// Until Lambda has accepted the event, or the task has ended; of one that was sent with others until it has ended.
    pub(in crate::executor::machine) payload: Option<Arc<[u8]>>,
    pub(in crate::executor::machine) queued_at_ms: i64,
    pub(in crate::executor::machine) queued_mono_ms: u64,
    /// Mono time after which it is not submitted any more.
    pub(in crate::executor::machine) expires_at: Option<NonZeroU64>,
    pub(super) special: Option<Box<Special>>,
    pub(super) progress: Option<Box<Progress>>,
    route: u32,
    /// Tries that are reported to the host: the task's own failures, lost answers outside of an outage, and the accepted one.
    pub(in crate::executor::machine) attempts: u32,
    /// Lost answers in an outage. They count against `max_invoke_attempts` all the same.
    pub(super) forgiven: u32,
    /// Tries whose answer was lost: Lambda may have accepted the event.
    pub(in crate::executor::machine) unsure_tries: u32,
    pub(in crate::executor::machine) state: TaskState,
    /// Taken over from an earlier process; when it was first invoked is not known.
    pub(in crate::executor::machine) adopted: bool,
    pub(in crate::executor::machine) running_reported: bool,
    pub(in crate::executor::machine) final_handed_out: bool,
    /// Its final event has been acknowledged.
    pub(in crate::executor::machine) acknowledged: bool,
    /// It may have to be sent again for the sake of its batch: its payload is kept.
    pub(super) keeps_payload: bool,
    pub(super) company: Company,
    /// Reported to `wait`ing threads when it ends.
    pub(super) watched: bool,
}

/// With which others a task may share an invocation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Company {
    /// Any.
    Any,
    /// None: a call with several tasks failed, and whose fault that was could not be seen.
    None,
    /// None: it was sent again because its batch could not run it.
    NoneAgain,
}

/// What few tasks have.
#[derive(Debug, Default)]
pub(super) struct Special {
    pub(super) qualifier: Option<Arc<str>>,
    pub(super) result_timeout_ms: u64,
    /// The task that had the key before, while it is still known.
    pub(super) previous: Option<Id<Task>>,
}

/// What a task has from its first submission on.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Mono time of the first Invoke: what was sent before cannot be its result.
    pub(super) first_invoked_ms: Option<u64>,
    /// Tries that Lambda accepted or may have accepted, and one that is under way.
    pub(super) invocations: Vec<Id<Invocation>>,
    pub(super) submitted_at_ms: i64,
    pub(super) finished_at_ms: i64,
    pub(super) request_id: Arc<str>,
    /// Mono time of the next try while it backs off.
    pub(super) backing_off_until: Option<u64>,
    /// Reading time (`inbox::Reading`) at which silence means LOST.
    pub(super) deadline: Option<u64>,
    /// The deadline has been postponed once, for a message that a failed receive may have hidden.
    pub(super) deadline_postponed: bool,
    /// Mono time from which messages may be missing: when Lambda may have accepted the event, or it was adopted.
    pub(super) awaited_since_ms: u64,
    /// How many of the route's answers had been successes when a try of it failed by a fault of the service.
    pub(super) suspect_at: Option<u64>,
    /// The same for a fault of the function.
    pub(super) refused_at: Option<u64>,
    /// Mono time since when the function has refused it and accepted others.
    pub(super) aside_since: Option<NonZeroU64>,
    pub(super) reason: Option<Reason>,
    pub(super) return_code: Option<i32>,
    /// What the last failed try said, or at the end what happened.
    pub(super) message: Box<str>,
    /// Number of its RUNNING event, once handed out.
    pub(super) running_seq: u64,
}

impl Task {
    pub(in crate::executor::machine) fn new(key: Arc<str>, tag: u64, route: RouteId, state: TaskState) -> Self {
        Self {
            key,
            tag,
            attempt: None,
            payload: None,
            queued_at_ms: 0,
            queued_mono_ms: 0,
            expires_at: None,
            special: None,
            progress: None,
            route: u32::try_from(route).unwrap_or(u32::MAX),
            attempts: 0,
            forgiven: 0,
            unsure_tries: 0,
            state,
            adopted: false,
            running_reported: false,
            final_handed_out: false,
            acknowledged: false,
            keeps_payload: false,
            company: Company::Any,
            watched: false,
        }
    }

    pub(in crate::executor::machine) fn route(&self) -> RouteId {
        self.route as RouteId
    }

    /// True if every message of its key is its own, whatever id it names.
    pub(in crate::executor::machine) fn matches_by_key(&self) -> bool {
        self.attempt.is_none()
    }

    /// True while it waits in line or backs off.
    pub(in crate::executor::machine) fn is_queued(&self) -> bool {
        self.state == TaskState::Queued
    }

    /// Tries that count against `max_invoke_attempts`.
    pub(in crate::executor::machine) fn tries(&self) -> u32 {
        self.attempts + self.forgiven
    }

    /// True if Lambda may have accepted it although nothing says so, or may have run it before it was sent again.
    pub(in crate::executor::machine) fn may_run(&self) -> bool {
        self.unsure_tries > 0 || self.was_resubmitted()
    }

    /// It shares its next invocation with no other.
    pub(in crate::executor::machine) fn goes_alone(&self) -> bool {
        self.company != Company::Any || self.attempt.is_none()
    }

    /// It was sent again because its batch could not run it.
    pub(in crate::executor::machine) fn was_resubmitted(&self) -> bool {
        self.company == Company::NoneAgain
    }

    /// The end of a message that says why the task failed.
    pub(in crate::executor::machine) fn may_have_run_note(&self) -> &'static str {
        match (self.unsure_tries > 0, self.was_resubmitted()) {
            (true, _) => "; the answer to a try was lost, so it may have run",
            (false, true) => "; the batch that it was sent in before came to nothing, so it may have run",
            (false, false) => "",
        }
    }

    pub(in crate::executor::machine) fn qualifier(&self) -> Option<&Arc<str>> {
        self.special.as_ref()?.qualifier.as_ref()
    }

    /// Its own limit, 0 if it has none.
    pub(in crate::executor::machine) fn result_timeout_ms(&self) -> u64 {
        self.special.as_ref().map_or(0, |special| special.result_timeout_ms)
    }

    /// The task that had the key before.
    pub(in crate::executor::machine) fn previous(&self) -> Option<Id<Task>> {
        self.special.as_ref()?.previous
    }

    pub(in crate::executor::machine) fn first_invoked_ms(&self) -> Option<u64> {
        self.progress.as_ref()?.first_invoked_ms
    }

    /// Invocations whose report has not been seen.
    pub(in crate::executor::machine) fn invocations(&self) -> &[Id<Invocation>] {
        self.progress.as_ref().map_or(&[], |progress| &progress.invocations)
    }

    pub(in crate::executor::machine) fn submitted_at_ms(&self) -> i64 {
        self.progress.as_ref().map_or(0, |progress| progress.submitted_at_ms)
    }

    pub(in crate::executor::machine) fn finished_at_ms(&self) -> i64 {
        self.progress.as_ref().map_or(0, |progress| progress.finished_at_ms)
    }

    pub(in crate::executor::machine) fn request_id(&self) -> Arc<str> {
        self.progress.as_ref().map_or_else(|| "".into(), |progress| Arc::clone(&progress.request_id))
    }

    pub(in crate::executor::machine) fn backing_off_until(&self) -> Option<u64> {
        self.progress.as_ref()?.backing_off_until
    }

    pub(in crate::executor::machine) fn deadline(&self) -> Option<u64> {
        self.progress.as_ref()?.deadline
    }

    pub(in crate::executor::machine) fn awaited_since_ms(&self) -> u64 {
        self.progress.as_ref().map_or(0, |progress| progress.awaited_since_ms)
    }

    pub(in crate::executor::machine) fn suspect_at(&self) -> Option<u64> {
        self.progress.as_ref()?.suspect_at
    }

    pub(in crate::executor::machine) fn refused_at(&self) -> Option<u64> {
        self.progress.as_ref()?.refused_at
    }

    pub(in crate::executor::machine) fn reason(&self) -> Option<Reason> {
        self.progress.as_ref()?.reason
    }

    pub(in crate::executor::machine) fn return_code(&self) -> Option<i32> {
        self.progress.as_ref()?.return_code
    }

    pub(in crate::executor::machine) fn message(&self) -> &str {
        self.progress.as_ref().map_or("", |progress| &progress.message)
    }

    pub(in crate::executor::machine) fn running_seq(&self) -> u64 {
        self.progress.as_ref().map_or(0, |progress| progress.running_seq)
    }

    pub(super) fn progress_mut(&mut self) -> &mut Progress {
        self.progress.get_or_insert_with(Box::default)
    }
}
