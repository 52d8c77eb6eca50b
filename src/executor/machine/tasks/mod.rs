//! All tasks that are known, the ways to find them, and the times at which they change by themselves.
//!
//! This owner alone changes a task; the others get `&Task`. Each change of state is one method.

mod forgotten;
mod task;

pub(super) use task::Task;

use super::sharded::Sharded;
use super::slab::{Id, Slab};
use super::submission::Invocation;
use crate::executor::ports::{Now, RouteId};
use crate::executor::task::{AttemptId, Reason, TaskState};
use crate::executor::wire::Prepared;
use forgotten::Forgotten;
use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroU64;
use std::sync::Arc;
use task::{Company, Special};

/// Number of a task.
pub(crate) type TaskId = Id<Task>;

/// How a task ended, as far as its record keeps it.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) state: TaskState,
    pub(super) reason: Reason,
    pub(super) return_code: Option<i32>,
    pub(super) message: Box<str>,
    pub(super) request_id: Arc<str>,
    pub(super) finished_at_ms: i64,
    /// A message says so: Lambda had accepted the event, even if its answer is still missing.
    pub(super) accepted: bool,
}

/// Whence a task left, for the books of its route.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Left {
    pub(super) route: RouteId,
    pub(super) state: TaskState,
    /// It stood in line, ready to be submitted.
    pub(super) in_line: bool,
}

/// A task of an earlier process.
#[derive(Debug)]
pub(super) struct Adopted {
    pub(super) key: Arc<str>,
    pub(super) tag: u64,
    pub(super) route: RouteId,
    pub(super) attempt: Option<AttemptId>,
    pub(super) result_timeout_ms: u64,
    pub(super) deadline: u64,
}

/// The tasks.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    tasks: Slab<Task>,
    newest_of_key: Sharded<Arc<str>, TaskId>,
    /// From the first submission on, or from `queue` on if the host chose the id.
    by_attempt: Sharded<AttemptId, TaskId>,
    forgotten: Forgotten,
    /// Ends of back-offs by mono time.
    backing_off: BTreeSet<(u64, TaskId)>,
    /// Ends of `max_wait_ms` by mono time.
    expiries: BTreeSet<(u64, TaskId)>,
    /// Ends of `result_timeout_ms` by reading time.
    deadlines: BTreeSet<(u64, TaskId)>,
    /// Finished and acknowledged, oldest first.
    retained: VecDeque<TaskId>,
    queued: u64,
    submitting: u64,
    running: u64,
    watched_task_ended: bool,
}

impl Tasks {
    // Finding.

    pub(super) fn get(&self, id: TaskId) -> Option<&Task> {
        self.tasks.get(id)
    }

    /// The newest task of that key.
    pub(super) fn newest(&self, key: &str) -> Option<(TaskId, &Task)> {
        let id = *self.newest_of_key.get(key)?;
        self.tasks.get(id).map(|task| (id, task))
    }

    pub(super) fn of_attempt(&self, attempt: AttemptId) -> Option<TaskId> {
        self.by_attempt.get(&attempt).copied()
    }

    /// True for the attempt of a task that has been forgotten.
    pub(super) fn is_forgotten(&self, attempt: AttemptId) -> bool {
        self.forgotten.contains(attempt)
    }

    /// All tasks, in no order: for the checks of the histories.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (TaskId, &Task)> {
        self.tasks.iter()
    }

    /// Number of tasks known, finished ones included.
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    pub(super) fn queued(&self) -> u64 {
        self.queued
    }

    pub(super) fn submitting(&self) -> u64 {
        self.submitting
    }

    pub(super) fn running(&self) -> u64 {
        self.running
    }

    /// Tasks that a message may be about.
    pub(super) fn awaited(&self) -> u64 {
        self.submitting + self.running
    }

    // Changes of state.

    /// A new task, QUEUED.
    pub(super) fn accept(&mut self, prepared: Prepared, now: Now) -> TaskId {
        let mut task = Task::new(prepared.key, prepared.tag, prepared.route, TaskState::Queued);
        task.attempt = Some(prepared.attempt);
        task.payload = Some(prepared.payload);
        (task.queued_at_ms, task.queued_mono_ms) = (now.unix_ms, now.mono_ms);
        if prepared.max_wait_ms > 0 {
            task.expires_at = NonZeroU64::new(now.mono_ms.saturating_add(prepared.max_wait_ms));
        }
        let special = Special {
            qualifier: prepared.qualifier,
            result_timeout_ms: prepared.result_timeout_ms,
            previous: self.newest_of_key.get(&task.key).copied(),
        };
        if special.qualifier.is_some() || special.result_timeout_ms > 0 || special.previous.is_some() {
            task.special = Some(Box::new(special));
        }
        self.queued += 1;
        let expires_at = task.expires_at;
        let id = self.insert(task, prepared.attempt_is_hosts);
        self.expiries.extend(expires_at.map(|at| (at.get(), id)));
        id
    }

    /// A task of an earlier process, assumed to be RUNNING.
    pub(super) fn adopt(&mut self, adopted: Adopted, now: Now) -> TaskId {
        let previous = self.newest_of_key.get(&adopted.key).copied();
        let mut task = Task::new(adopted.key, adopted.tag, adopted.route, TaskState::Running);
        (task.queued_at_ms, task.queued_mono_ms) = (now.unix_ms, now.mono_ms);
        task.attempt = adopted.attempt;
        task.adopted = true;
        task.running_reported = true;
        if adopted.result_timeout_ms > 0 || previous.is_some() {
            let result_timeout_ms = adopted.result_timeout_ms;
            task.special = Some(Box::new(Special { qualifier: None, result_timeout_ms, previous }));
        }
        let progress = task.progress_mut();
        progress.deadline = Some(adopted.deadline);
        progress.awaited_since_ms = now.mono_ms;
        self.running += 1;
        let id = self.insert(task, true);
        self.deadlines.insert((adopted.deadline, id));
        id
    }

    fn insert(&mut self, task: Task, index_attempt: bool) -> TaskId {
        let (key, attempt) = (Arc::clone(&task.key), task.attempt);
        let id = self.tasks.insert(task);
        self.newest_of_key.insert(key, id);
        if let Some(attempt) = attempt.filter(|_| index_attempt) {
            self.by_attempt.insert(attempt, id);
            self.forgotten.remove(attempt);
        }
        id
    }

    /// An Invoke of a queued task begins, `with_others` or of it alone. Returns the event, with the task's attempt.
    pub(super) fn submit(
        &mut self,
        id: TaskId,
        invocation: Id<Invocation>,
        with_others: bool,
        now_ms: u64,
    ) -> Option<(Option<AttemptId>, Arc<[u8]>)> {
        let task = self.tasks.get_mut(id).filter(|task| task.is_queued())?;
        let payload = task.payload.clone()?;
        task.state = TaskState::Submitting;
        task.keeps_payload |= with_others;
        let progress = task.progress_mut();
        progress.first_invoked_ms.get_or_insert(now_ms);
        progress.invocations.push(invocation);
        let attempt = task.attempt;
        self.queued -= 1;
        self.submitting += 1;
        if let Some(attempt) = attempt {
            self.by_attempt.insert(attempt, id);
        }
        Some((attempt, payload))
    }

    /// A task that was submitted is queued again, to be sent alone: its batch could not run it. False if that cannot be,
    /// or was done before.
    pub(super) fn resubmit(&mut self, id: TaskId) -> bool {
        let Some(task) = self.tasks.get_mut(id) else { return false };
        let is_submitted = matches!(task.state, TaskState::Submitting | TaskState::Running);
        if !is_submitted || task.payload.is_none() || task.was_resubmitted() {
            return false;
        }
        match task.state {
            TaskState::Submitting => self.submitting -= 1,
            _ => {
                self.running -= 1;
                // That try counts no more: it was not the task's.
                task.attempts = task.attempts.saturating_sub(1);
            }
        }
        self.queued += 1;
        task.state = TaskState::Queued;
        task.company = Company::NoneAgain;
        let progress = task.progress_mut();
        progress.deadline_postponed = false;
        progress.request_id = Arc::default();
        if let Some(at) = progress.deadline.take() {
            self.deadlines.remove(&(at, id));
        }
        true
    }

    /// The task shares its next invocation with no other.
    pub(super) fn goes_alone_next(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(id).filter(|task| task.company == Company::Any) {
            task.company = Company::None;
        }
    }

    /// The try failed: back in line, at once or after a back-off.
    pub(super) fn requeue(&mut self, id: TaskId, why: &str, until_ms: Option<u64>) {
        let Some(task) = self.tasks.get_mut(id).filter(|task| task.state == TaskState::Submitting) else { return };
        task.state = TaskState::Queued;
        let expires_at = task.expires_at;
        let progress = task.progress_mut();
        progress.message = why.into();
        progress.backing_off_until = until_ms;
        self.submitting -= 1;
        self.queued += 1;
        self.backing_off.extend(until_ms.map(|at| (at, id)));
        // Its time may have run out while the call was under way.
        self.expiries.extend(expires_at.map(|at| (at.get(), id)));
    }

    /// Lambda has accepted the event: RUNNING. `deadline` is in reading time.
    pub(super) fn running_now(&mut self, id: TaskId, now: Now, request_id: &Arc<str>, deadline: u64) {
        let Some(task) = self.tasks.get_mut(id).filter(|task| task.state == TaskState::Submitting) else { return };
        task.attempts += 1;
        task.state = TaskState::Running;
        let progress = task.progress_mut();
        progress.submitted_at_ms = now.unix_ms;
        progress.request_id = Arc::clone(request_id);
        self.submitting -= 1;
        self.running += 1;
        self.await_report(id, now.mono_ms, deadline);
    }

    /// Every try that was allowed may have been accepted, and no answer says so: it stays SUBMITTING, is not invoked
    /// again, and waits for a report.
    pub(super) fn await_report(&mut self, id: TaskId, now_ms: u64, deadline: u64) {
        let Some(task) = self.tasks.get_mut(id) else { return };
        if !task.keeps_payload {
            task.payload = None;
        }
        if let Some(at) = task.expires_at.take() {
            self.expiries.remove(&(at.get(), id));
        }
        let progress = task.progress_mut();
        progress.awaited_since_ms = now_ms;
        if let Some(before) = progress.deadline.replace(deadline) {
            self.deadlines.remove(&(before, id));
        }
        self.deadlines.insert((deadline, id));
    }

    /// A queued task has used up its tries and may run: as [`Self::await_report`]. Returns what its line has to know.
    pub(super) fn await_report_of_queued(&mut self, id: TaskId, now_ms: u64, deadline: u64) -> Option<Left> {
        let task = self.tasks.get_mut(id).filter(|task| task.is_queued())?;
        task.state = TaskState::Submitting;
        let backing_off = task.progress_mut().backing_off_until.take();
        let left = Left { route: task.route(), state: TaskState::Queued, in_line: backing_off.is_none() };
        if let Some(at) = backing_off {
            self.backing_off.remove(&(at, id));
        }
        self.queued -= 1;
        self.submitting += 1;
        self.await_report(id, now_ms, deadline);
        Some(left)
    }

    /// The end of a task. `None` if it has ended before, which is never right: then nothing changes.
    pub(super) fn end(&mut self, id: TaskId, ended: Ended) -> Option<Left> {
        let task = self.tasks.get_mut(id).filter(|task| !task.state.is_final())?;
        let before = task.state;
        if ended.accepted && !task.adopted {
            // Its message overtook the answer to Invoke, or that answer was lost: this try counts all the same.
            let open_try = u32::from(before == TaskState::Submitting && task.progress_mut().deadline.is_none());
            task.attempts = (task.attempts + open_try).max(1);
        }
        task.state = ended.state;
        task.payload = None;
        if let Some(at) = task.expires_at.take() {
            self.expiries.remove(&(at.get(), id));
        }
        let progress = task.progress_mut();
        progress.reason = Some(ended.reason);
        progress.return_code = ended.return_code;
        progress.message = ended.message;
        progress.finished_at_ms = ended.finished_at_ms;
        if progress.request_id.is_empty() {
            progress.request_id = ended.request_id;
        }
        if let Some(at) = progress.deadline.take() {
            self.deadlines.remove(&(at, id));
        }
        let backing_off = progress.backing_off_until.take();
        if let Some(at) = backing_off {
            self.backing_off.remove(&(at, id));
        }
        self.watched_task_ended |= task.watched;
        match before {
            TaskState::Queued => self.queued -= 1,
            TaskState::Submitting => self.submitting -= 1,
            TaskState::Running => self.running -= 1,
            TaskState::Succeeded | TaskState::Failed | TaskState::Cancelled | TaskState::Lost => {}
        }
        let in_line = before == TaskState::Queued && backing_off.is_none();
        Some(Left { route: task.route(), state: before, in_line })
    }

    /// Finished, acknowledged tasks stay visible up to this many; the oldest beyond are forgotten, and returned so that
    /// their invocations can be.
    pub(super) fn retain(&mut self, id: TaskId, most: usize) -> Vec<Id<Invocation>> {
        if let Some(task) = self.tasks.get_mut(id) {
            task.acknowledged = true;
        }
        self.retained.push_back(id);
        let mut invocations = Vec::new();
        while self.retained.len() > most {
            let Some(oldest) = self.retained.pop_front() else { break };
            invocations.extend(self.forget(oldest));
        }
        invocations
    }

    fn forget(&mut self, id: TaskId) -> Vec<Id<Invocation>> {
        let Some(task) = self.tasks.remove(id) else { return Vec::new() };
        if self.newest_of_key.get(&task.key) == Some(&id) {
            self.newest_of_key.remove(&task.key);
        }
        // Its attempt may have been adopted again: then the id is that task's.
        if let Some(attempt) = task.attempt.filter(|attempt| self.by_attempt.get(attempt) == Some(&id)) {
            self.by_attempt.remove(&attempt);
            self.forgotten.insert(attempt);
        }
        task.progress.map(|progress| progress.invocations).unwrap_or_default()
    }

    // Recovery.

    /// A task of the process before that needs nothing any more.
    pub(super) fn remember(&mut self, attempt: Option<AttemptId>) {
        if let Some(attempt) = attempt {
            self.forgotten.insert(attempt);
        }
    }

    /// The event of a task that was just accepted is kept until it has ended.
    pub(super) fn keep_payload(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.keeps_payload = true;
        }
    }

    /// A task that was just accepted was sent again by the process before, because its batch could not run it.
    pub(super) fn restore_resubmitted(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(id) {
            (task.company, task.adopted) = (Company::NoneAgain, true);
        }
    }

    /// So many tries of a task that was just accepted may have been sent by the process before.
    pub(super) fn restore_unsure(&mut self, id: TaskId, tries: u32) {
        if let Some(task) = self.tasks.get_mut(id) {
            (task.unsure_tries, task.attempts) = (tries, tries);
            // When it was first invoked is not known by this clock.
            task.adopted |= tries > 0;
        }
    }

    /// Lambda accepted a task that was just accepted here.
    pub(super) fn restore_running(
        &mut self,
        id: TaskId,
        now: Now,
        request_id: &Arc<str>,
        submitted_at_ms: i64,
        attempts: u32,
        deadline: u64,
    ) {
        self.restore_awaiting(id, now, deadline);
        let Some(task) = self.tasks.get_mut(id) else { return };
        task.state = TaskState::Running;
        (task.attempts, task.adopted, task.running_reported) = (attempts, true, true);
        let progress = task.progress_mut();
        (progress.submitted_at_ms, progress.request_id) = (submitted_at_ms, Arc::clone(request_id));
        self.submitting -= 1;
        self.running += 1;
    }

    /// A task that was just accepted waits for a report: it may have been sent as often as allowed.
    pub(super) fn restore_awaiting(&mut self, id: TaskId, now: Now, deadline: u64) {
        let Some(task) = self.tasks.get_mut(id) else { return };
        task.state = TaskState::Submitting;
        self.queued -= 1;
        self.submitting += 1;
        self.await_report(id, now.mono_ms, deadline);
    }

    // Smaller changes.

    /// A try of the task whose answer was lost. Returns the tries that count against the limit.
    pub(super) fn count_unsure(&mut self, id: TaskId) -> u32 {
        self.tasks.get_mut(id).map_or(0, |task| {
            task.unsure_tries += 1;
            task.attempts += 1;
            task.tries()
        })
    }

    /// A lost answer of the task belongs to an outage.
    pub(super) fn forgive(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(id).filter(|task| task.attempts > 0 && !task.state.is_final()) {
            task.attempts -= 1;
            task.forgiven += 1;
        }
    }

    /// The task's failure turned out to be its own fault. Returns the tries that count against the limit.
    pub(super) fn charge(&mut self, id: TaskId) -> u32 {
        self.tasks.get_mut(id).map_or(0, |task| {
            task.attempts += 1;
            task.tries()
        })
    }

    /// A try failed by a fault of the service when the route had had so many successes.
    pub(super) fn suspect(&mut self, id: TaskId, successes: u64) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.progress_mut().suspect_at = Some(successes);
        }
    }

    /// A try failed by a fault of the function when the route had had so many successes.
    pub(super) fn refused(&mut self, id: TaskId, successes: u64) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.progress_mut().refused_at = Some(successes);
        }
    }

    /// The function refuses this task and accepts others. Returns since when, in mono ms.
    pub(super) fn set_aside_since(&mut self, id: TaskId, now_ms: u64) -> u64 {
        let since = |task: &mut Task| {
            let now = NonZeroU64::new(now_ms).unwrap_or(NonZeroU64::MIN);
            task.progress_mut().aside_since.get_or_insert(now).get()
        };
        self.tasks.get_mut(id).map_or(now_ms, since)
    }

    /// The invocation is over for the task: it was certainly not accepted, or its report has been seen. False if that was
    /// known before.
    pub(super) fn drop_invocation(&mut self, id: TaskId, invocation: Id<Invocation>) -> bool {
        let Some(progress) = self.tasks.get_mut(id).and_then(|task| task.progress.as_mut()) else { return false };
        let before = progress.invocations.len();
        progress.invocations.retain(|other| *other != invocation);
        progress.invocations.len() < before
    }

    /// RUNNING is to be reported; false if it has been.
    pub(super) fn report_running(&mut self, id: TaskId) -> bool {
        self.tasks.get_mut(id).is_some_and(|task| !std::mem::replace(&mut task.running_reported, true))
    }

    /// Its RUNNING event has been handed out under this number.
    pub(super) fn running_handed_out(&mut self, id: TaskId, seq: u64) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.progress_mut().running_seq = seq;
        }
    }

    /// Its final event has been handed out: the key may be used again.
    pub(super) fn final_handed_out(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.final_handed_out = true;
        }
    }

    /// Its end is to be reported to threads that wait.
    pub(super) fn watch(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.watched = true;
        }
    }

    /// True if a watched task has ended since the last call.
    pub(super) fn take_watched_task_ended(&mut self) -> bool {
        std::mem::take(&mut self.watched_task_ended)
    }

    // Times.

    /// A task whose back-off has ended; it is in line again.
    pub(super) fn next_backed_off(&mut self, now_ms: u64) -> Option<TaskId> {
        let &(at, id) = self.backing_off.first()?;
        if at > now_ms {
            return None;
        }
        self.backing_off.pop_first();
        if let Some(task) = self.tasks.get_mut(id) {
            task.progress_mut().backing_off_until = None;
        }
        Some(id)
    }

    /// A queued task whose `max_wait_ms` is over.
    pub(super) fn next_expired(&mut self, now_ms: u64) -> Option<TaskId> {
        while let Some(&(at, id)) = self.expiries.first()
            && at <= now_ms
        {
            self.expiries.pop_first();
            if self.tasks.get(id).is_some_and(Task::is_queued) {
                return Some(id);
            }
        }
        None
    }

    /// The first deadline of a task that waits for a report, in reading time.
    pub(super) fn first_deadline(&self) -> Option<(u64, TaskId)> {
        self.deadlines.first().copied()
    }

    /// A message may still be hidden: the deadline is `by_ms` later. False if it has been postponed before.
    pub(super) fn postpone_deadline(&mut self, id: TaskId, by_ms: u64) -> bool {
        let Some(progress) = self.tasks.get_mut(id).and_then(|task| task.progress.as_mut()) else { return false };
        let Some(before) = progress.deadline.filter(|_| !progress.deadline_postponed) else { return false };
        progress.deadline_postponed = true;
        progress.deadline = Some(before + by_ms);
        self.deadlines.remove(&(before, id));
        self.deadlines.insert((before + by_ms, id));
        true
    }

    /// A task that backs off.
    pub(super) fn first_backing_off(&self) -> Option<TaskId> {
        self.backing_off.first().map(|(_, id)| *id)
    }

    /// When a back-off or a `max_wait_ms` ends.
    pub(super) fn next_timer(&self) -> Option<u64> {
        let first = |set: &BTreeSet<(u64, TaskId)>| set.first().map(|(at, _)| *at);
        [first(&self.backing_off), first(&self.expiries)].into_iter().flatten().min()
    }

    /// Sizes of everything that must not grow for ever.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> [(&'static str, usize); 6] {
        [
            ("tasks", self.tasks.len()),
            ("newest_of_key", self.newest_of_key.len()),
            ("by_attempt", self.by_attempt.len()),
            ("backing_off", self.backing_off.len()),
            ("expiries", self.expiries.len()),
            ("deadlines", self.deadlines.len()),
        ]
    }
}
