//! Calls of Invoke, from their start until the report of their task has been seen.

use super::TaskId;
use crate::executor::machine::sharded::Sharded;
use crate::executor::machine::slab::{Id, Slab};
use crate::executor::ports::RouteId;
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

/// One try to invoke the function for its tasks.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(in crate::executor::machine) route: RouteId,
    /// One today.
    pub(in crate::executor::machine) tasks: [TaskId; 1],
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
    /// Its report has been seen, or is not waited for any more.
    is_reported: bool,
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
        task: TaskId,
        epoch: u64,
        successes_before: u64,
        is_probe: bool,
    ) -> InvocationId {
        self.all.insert(Invocation {
            route,
            tasks: [task],
            accepted: Accepted::Unknown,
            request_id: "".into(),
            epoch,
            successes_before,
            is_sent: false,
            is_probe,
            is_reported: false,
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

    /// The answer to the call. An invocation that was not accepted, or whose report came first, is removed.
    pub(super) fn answered(&mut self, id: InvocationId, accepted: Accepted, request_id: &Arc<str>) {
        let Some(invocation) = self.all.get_mut(id) else { return };
        invocation.accepted = accepted;
        if invocation.is_reported {
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

    /// Its report has been seen, or is not waited for any more. One that is under way stays until its answer.
    pub(super) fn reported(&mut self, id: InvocationId) {
        let Some(invocation) = self.all.get_mut(id) else { return };
        invocation.is_reported = true;
        if invocation.accepted == Accepted::Unknown {
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
