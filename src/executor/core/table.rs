//! All tasks that are still known, and the ways to find them.

use crate::executor::ports::RouteId;
use crate::executor::task::{AttemptId, Reason, TaskState};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// Numbers tasks in the order of their acceptance; never reused.
pub(crate) type TaskId = u64;

/// Numbers messages that are held for the host.
pub(super) type HeldId = u64;

/// So many attempts of forgotten tasks are remembered, so that their late messages are cleared, not passed round.
const REMEMBERED_ATTEMPTS: usize = 262_144;

/// One task.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) key: Arc<str>,
    pub(super) tag: u64,
    pub(super) route: RouteId,
    pub(super) state: TaskState,
    /// Taken over from an earlier process.
    pub(super) adopted: bool,
    /// `None` for tasks adopted without one: their messages match by key.
    pub(super) attempt: Option<AttemptId>,
    /// Version or alias for this task alone.
    pub(super) qualifier: Option<Arc<str>>,
    /// Kept until the task cannot be invoked (again).
    pub(super) payload: Option<Arc<[u8]>>,
    pub(super) attempts: u32,
    /// An Invoke had no definite answer: Lambda may have taken the event.
    pub(super) may_run: bool,
    pub(super) queued_at_ms: i64,
    pub(super) queued_mono_ms: u64,
    /// When the first Invoke was begun, 0 before: what was sent earlier cannot be its result.
    pub(super) first_invoked_at_ms: i64,
    pub(super) submitted_at_ms: i64,
    pub(super) finished_at_ms: i64,
    pub(super) request_id: Box<str>,
    /// Time (mono) after which it is not to be submitted any more.
    pub(super) expires_at: Option<u64>,
    /// Time (mono) of its next try while it backs off.
    pub(super) backing_off_until: Option<u64>,
    /// Time (mono) after which silence means LOST.
    pub(super) deadline: Option<u64>,
    pub(super) running_told: bool,
    pub(super) final_handed_out: bool,
    pub(super) reason: Option<Reason>,
    pub(super) return_code: Option<i32>,
    /// What the last failed try said, or at the end what happened.
    pub(super) last_error: Box<str>,
}

impl Task {
    /// True if any message of its key is its own, whatever id it tells.
    pub(super) fn matches_by_key(&self) -> bool {
        self.attempt.is_none()
    }
}

/// Tasks by id, key, attempt and request id.
#[derive(Debug, Default)]
pub(super) struct TaskTable {
    tasks: HashMap<TaskId, Task>,
    newest_of_key: HashMap<Arc<str>, TaskId>,
    by_attempt: HashMap<AttemptId, TaskId>,
    by_request: HashMap<Box<str>, TaskId>,
    next_id: TaskId,
    forgotten: VecDeque<AttemptId>,
    forgotten_set: HashSet<AttemptId>,
}

impl TaskTable {
    pub(super) fn insert(&mut self, task: Task) -> TaskId {
        let id = self.next_id;
        self.next_id += 1;
        self.newest_of_key.insert(Arc::clone(&task.key), id);
        if let Some(attempt) = task.attempt {
            self.by_attempt.insert(attempt, id);
            // Adopted again after it was given up.
            self.forgotten_set.remove(&attempt);
        }
        self.tasks.insert(id, task);
        id
    }

    pub(super) fn get(&self, id: TaskId) -> Option<&Task> {
        self.tasks.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: TaskId) -> Option<&mut Task> {
        self.tasks.get_mut(&id)
    }

    /// The newest task of that key.
    pub(super) fn newest(&self, key: &str) -> Option<(TaskId, &Task)> {
        let id = *self.newest_of_key.get(key)?;
        self.tasks.get(&id).map(|task| (id, task))
    }

    pub(super) fn of_attempt(&self, attempt: AttemptId) -> Option<TaskId> {
        self.by_attempt.get(&attempt).copied()
    }

    pub(super) fn of_request(&self, request_id: &str) -> Option<TaskId> {
        self.by_request.get(request_id).copied()
    }

    pub(super) fn set_request(&mut self, id: TaskId, request_id: &str) {
        if request_id.is_empty() {
            return;
        }
        if let Some(task) = self.tasks.get_mut(&id) {
            task.request_id = request_id.into();
            self.by_request.insert(request_id.into(), id);
        }
    }

    /// True for an attempt of a task that has been forgotten.
    pub(super) fn is_forgotten(&self, attempt: AttemptId) -> bool {
        self.forgotten_set.contains(&attempt)
    }

    /// Forgets a finished task; its attempt is remembered for a while.
    pub(super) fn forget(&mut self, id: TaskId) {
        let Some(task) = self.tasks.remove(&id) else { return };
        if self.newest_of_key.get(&task.key) == Some(&id) {
            self.newest_of_key.remove(&task.key);
        }
        if self.by_request.get(&task.request_id) == Some(&id) {
            self.by_request.remove(&task.request_id);
        }
        // A task that was given up may have been adopted again: then the id is that one's.
        if let Some(attempt) = task.attempt.filter(|attempt| self.by_attempt.get(attempt) == Some(&id)) {
            self.by_attempt.remove(&attempt);
            self.forgotten.push_back(attempt);
            self.forgotten_set.insert(attempt);
            if self.forgotten.len() > REMEMBERED_ATTEMPTS
                && let Some(oldest) = self.forgotten.pop_front()
            {
                self.forgotten_set.remove(&oldest);
            }
        }
    }

    /// Number of tasks known, finished ones included.
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// How large everything is that must not grow for ever.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> [(&'static str, usize); 4] {
        [
            ("tasks", self.tasks.len()),
            ("newest_of_key", self.newest_of_key.len()),
            ("by_attempt", self.by_attempt.len()),
            ("by_request", self.by_request.len()),
        ]
    }

    /// All tasks, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (TaskId, &Task)> {
        self.tasks.iter().map(|(id, task)| (*id, task))
    }
}
