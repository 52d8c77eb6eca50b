//! Calls of Invoke, from their start until the report of their task has been seen.

use super::TaskId;
use crate::executor::machine::sharded::Sharded;
use crate::executor::machine::slab::{Id, Slab};
use crate::executor::ports::RouteId;
use std::ops::Deref;
use std::sync::Arc;

/// Number of an invocation.
pub(crate) type InvocationId = Id<Invocation>;

/// Whether Lambda has the event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::executor::machine) enum Accepted {
    /// Under way.
    Unknown,
    /// The answer was lost.
    Maybe,
    /// 202.
    Yes,
}

/// The tasks of an invocation. Most routes send one at a time, which needs no memory of its own.
#[derive(Clone, Debug)]
pub(in crate::executor::machine) enum Members {
    One(TaskId),
    Several(Box<[TaskId]>),
}

impl From<Vec<TaskId>> for Members {
    fn from(tasks: Vec<TaskId>) -> Self {
        match *tasks {
            [task] => Self::One(task),
            _ => Self::Several(tasks.into()),
        }
    }
}

impl Deref for Members {
    type Target = [TaskId];

    fn deref(&self) -> &[TaskId] {
        match self {
            Self::One(task) => std::slice::from_ref(task),
            Self::Several(tasks) => tasks,
        }
    }
}

/// One try to invoke the function for its tasks.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(in crate::executor::machine) route: RouteId,
    pub(in crate::executor::machine) tasks: Members,
    pub(in crate::executor::machine) accepted: Accepted,
    pub(super) request_id: Arc<str>,
    /// The epoch of the route's level when it began.
    pub(super) epoch: u64,
    /// Successes of the route when it began.
    pub(super) successes_before: u64,
    /// Its record is durable and the call has been sent.
    pub(in crate::executor::machine) is_sent: bool,
    /// It probes an open breaker.
    pub(super) is_probe: bool,
    /// Of so many of its tasks the report has not been seen and is waited for.
    unreported: usize,
}

/// The invocations that are under way or unreported.
#[derive(Debug, Default)]
pub(super) struct Invocations {
    all: Slab<Invocation>,
    by_request: Sharded<Arc<str>, InvocationId>,
}

impl Invocations {
    pub(super) fn begin(
        &mut self,
        route: RouteId,
        tasks: Members,
        epoch: u64,
        successes_before: u64,
        is_probe: bool,
    ) -> InvocationId {
        self.all.insert(Invocation {
            route,
            unreported: tasks.len(),
            tasks,
            accepted: Accepted::Unknown,
            request_id: "".into(),
            epoch,
            successes_before,
            is_sent: false,
            is_probe,
        })
    }

    pub(super) fn get(&self, id: InvocationId) -> Option<&Invocation> {
        self.all.get(id)
    }

    pub(super) fn sent(&mut self, id: InvocationId) {
        if let Some(invocation) = self.all.get_mut(id) {
            invocation.is_sent = true;
        }
    }

    /// The answer to the call. An invocation that was not accepted, or whose reports came first, is removed.
    pub(super) fn answered(&mut self, id: InvocationId, accepted: Accepted, request_id: &Arc<str>) {
        let Some(invocation) = self.all.get_mut(id) else { return };
        invocation.accepted = accepted;
        if invocation.unreported == 0 {
            self.all.remove(id);
            return;
        }
        if !request_id.is_empty() {
            invocation.request_id = Arc::clone(request_id);
            self.by_request.insert(Arc::clone(request_id), id);
        }
    }

    /// Certainly not accepted.
    pub(super) fn not_accepted(&mut self, id: InvocationId) {
        self.all.remove(id);
    }

    /// The report of one of its tasks has been seen, or is not waited for any more. Once for each task. An invocation that
    /// is under way stays until its answer.
    pub(super) fn reported(&mut self, id: InvocationId) {
        let Some(invocation) = self.all.get_mut(id) else { return };
        invocation.unreported = invocation.unreported.saturating_sub(1);
        if invocation.unreported > 0 || invocation.accepted == Accepted::Unknown {
            return;
        }
        if let Some(invocation) = self.all.remove(id) {
            self.by_request.remove(&invocation.request_id);
        }
    }

    pub(super) fn of_request(&self, request_id: &str) -> Option<InvocationId> {
        self.by_request.get(request_id).copied()
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> [(&'static str, usize); 2] {
        [("invocations", self.all.len()), ("by_request", self.by_request.len())]
    }
}
