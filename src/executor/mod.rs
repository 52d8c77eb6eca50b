//! The heart: a task's life as a pure state machine ([`core`]), and the driver that carries its actions out through
//! the traits of [`ports`].
//!
//! [`Executor`] is what the C ABI holds: synchronous, for any thread, never waiting on the network.

pub mod event;
pub mod ports;
pub mod settings;
pub mod task;

pub use event::{Counts, Event};
pub use settings::{QueueKind, QueueSettings, RouteSettings, Settings};
pub use task::{AdoptSpec, AttemptId, Command, Reason, Refusal, TaskSpec, TaskState};

use ports::{CallError, Clock, Health, Lambda, Queues, Readiness};
use std::sync::Arc;
use std::time::Duration;

/// What becomes of waiting tasks in a drain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DrainMode {
    /// They are submitted, and waited for.
    Finish,
    /// They are cancelled (`never_invoked`); what runs is waited for.
    Running,
}

/// A running executor. Cheap to share; every method may be called from any thread and returns at once.
pub struct Executor {}

impl Executor {
    /// Starts the driver on `runtime`. Nothing is asked of the network before this returns.
    pub fn start<A, C>(
        _settings: Settings,
        _aws: Arc<A>,
        _clock: C,
        _readiness: Arc<dyn Readiness>,
        _runtime: &tokio::runtime::Handle,
    ) -> Self
    where
        A: Lambda + Queues + Health,
        C: Clock,
    {
        unimplemented!()
    }

    /// Accepts one task.
    pub fn queue(&self, _spec: TaskSpec) -> Result<(), Refusal> {
        unimplemented!()
    }

    /// Accepts many under one lock; answers in their order. After a `QueueFull` all later ones are refused the same.
    pub fn queue_batch(&self, _specs: Vec<TaskSpec>) -> Vec<Result<(), Refusal>> {
        unimplemented!()
    }

    /// Hands out up to `max` events (0 is all), oldest first. They are unacknowledged from now on.
    pub fn take_events(&self, _max: usize) -> Vec<Event> {
        unimplemented!()
    }

    /// These events are safe with the host: their messages may be deleted. Repeated and unknown numbers are fine.
    pub fn acknowledge(&self, _seqs: &[u64]) {
        unimplemented!()
    }

    /// State of the newest task of that key, if it is still known.
    pub fn state(&self, _key: &str) -> Option<TaskState> {
        unimplemented!()
    }

    /// Everything about the newest task of that key, as a JSON object.
    pub fn describe(&self, _key: &str) -> Option<String> {
        unimplemented!()
    }

    /// How many tasks and events are where.
    pub fn counts(&self) -> Counts {
        unimplemented!()
    }

    /// Cancels each task that has not finished; false where there is none.
    pub fn cancel(&self, _keys: &[&str]) -> Vec<bool> {
        unimplemented!()
    }

    /// Tracks tasks of an earlier process as running.
    pub fn adopt(&self, _specs: Vec<AdoptSpec>) -> Vec<Result<(), Refusal>> {
        unimplemented!()
    }

    /// Accepts no more tasks from now on. [`Readiness::drained`] is called when nothing is left to wait for (perhaps
    /// before this returns). May be called again, also to go from `Finish` to `Running`.
    pub fn drain(&self, _mode: DrainMode) {
        unimplemented!()
    }

    /// Tasks that have no final event yet: queued, submitting or running.
    pub fn remaining(&self) -> u64 {
        unimplemented!()
    }

    /// True once a drain has been asked for.
    pub fn draining(&self) -> bool {
        unimplemented!()
    }

    /// Asks AWS now, in the background; `done` is called from a thread of the runtime.
    pub fn check_health(&self, _done: impl FnOnce(Result<(), CallError>) + Send + 'static) {
        unimplemented!()
    }

    /// Counters, gauges, histograms and health as a JSON object.
    pub fn stats(&self) -> String {
        unimplemented!()
    }

    /// Ends the driver: pending deletes are done, results that were not acknowledged given back, within `grace`.
    /// Drops what is queued and logs how many. The second call does nothing.
    pub fn shutdown(&self, _grace: Duration) {
        unimplemented!()
    }
}
