//! The heart: a task's life as a pure state machine ([`core`]), and the driver that carries its actions out through
//! the traits of [`ports`].
//!
//! [`Executor`] is what the C ABI holds: synchronous, for any thread, never waiting on the network.

mod attempt_ids;
mod core;
mod driver;
pub mod event;
pub mod ports;
pub mod qualifier;
pub mod settings;
mod shared;
pub mod task;

pub use event::{Counts, Event, HandedOut};
pub use settings::{QueueKind, QueueSettings, RouteSettings, Settings};
pub use task::{AdoptSpec, AttemptId, Command, Reason, Refusal, TaskSpec, TaskState};

use attempt_ids::AttemptIds;
use core::Core;
use ports::{CallError, Clock, Health, Lambda, Queues, Readiness};
use shared::Shared;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

/// What becomes of waiting tasks in a drain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DrainMode {
    /// They are submitted, and waited for.
    Finish,
    /// They are cancelled (`never_invoked`); what runs is waited for.
    CancelQueued,
}

type HealthAnswer = Box<dyn FnOnce(Result<(), CallError>) + Send>;

/// A running executor. Every method may be called from any thread and returns at once, [`Self::shutdown`] excepted.
pub struct Executor {
    shared: Arc<Shared>,
    attempt_ids: AttemptIds,
    check_health: Box<dyn Fn(HealthAnswer) + Send + Sync>,
    /// Disconnected when the driver has ended.
    driver: Mutex<Option<mpsc::Receiver<()>>>,
}

impl Executor {
    /// Starts the driver on `runtime`. Nothing is asked of the network before this returns.
    pub fn start<A, C>(
        settings: Settings,
        aws: Arc<A>,
        clock: C,
        readiness: Arc<dyn Readiness>,
        runtime: &tokio::runtime::Handle,
    ) -> Self
    where
        A: Lambda + Queues + Health,
        C: Clock,
    {
        let clock = Arc::new(clock);
        let core = Core::new(settings, clock.now());
        let now = {
            let clock = Arc::clone(&clock);
            Box::new(move || clock.now())
        };
        let shared = Arc::new(Shared::new(core, now, readiness));
        let (ended, driver) = mpsc::channel();
        let driven = Arc::clone(&shared);
        let driver_aws = Arc::clone(&aws);
        runtime.spawn(async move {
            driver::drive(driven, driver_aws, clock).await;
            drop(ended);
        });
        let (health_runtime, checked) = (runtime.clone(), Arc::clone(&shared));
        let check_health = move |done: HealthAnswer| {
            let (aws, shared) = (Arc::clone(&aws), Arc::clone(&checked));
            health_runtime.spawn(async move {
                let _broken = driver::TellIfBroken(Arc::clone(&shared));
                let began_ms = shared.now().mono_ms;
                let answer = async { aws.check_function(0).await?; aws.check_queues().await }.await;
                shared.answer(|core| core.checked_for_host(core.now_ms().saturating_sub(began_ms), &answer));
                done(answer.map(|_| ()));
            });
        };
        Self {
            shared,
            attempt_ids: AttemptIds::default(),
            check_health: Box::new(check_health),
            driver: Mutex::new(Some(driver)),
        }
    }

    /// Accepts one task.
    pub fn queue(&self, spec: TaskSpec) -> Result<(), Refusal> {
        let attempt = self.attempt_ids.next();
        self.change(|core| core.queue(spec, attempt))
    }

    /// Accepts many under one lock; answers in their order. After a `QueueFull` all later ones are refused the same.
    pub fn queue_batch(&self, specs: Vec<TaskSpec>) -> Vec<Result<(), Refusal>> {
        let attempts: Vec<AttemptId> = specs.iter().map(|_| self.attempt_ids.next()).collect();
        self.change(|core| {
            let mut full = None;
            specs
                .into_iter()
                .zip(attempts)
                .map(|(spec, attempt)| {
                    if let Some(limit) = full {
                        return Err(Refusal::QueueFull { limit });
                    }
                    let answer = core.queue(spec, attempt);
                    if let Err(Refusal::QueueFull { limit }) = answer {
                        full = Some(limit);
                    }
                    answer
                })
                .collect()
        })
    }

    /// Hands out up to `max` events (0 is all), oldest first. They are unacknowledged from now on.
    pub fn take_events(&self, max: usize) -> Vec<HandedOut> {
        self.change(|core| core.take_events(max))
    }

    /// These events are safe with the host: their messages may be deleted. Repeated and unknown numbers are fine.
    pub fn acknowledge(&self, seqs: &[u64]) {
        self.change(|core| core.acknowledge(seqs));
    }

    /// Hands events of a batch that was freed out again, in front of all others: those that have not been acknowledged.
    pub fn hand_out_again(&self, _events: Vec<HandedOut>) {}

    /// State of the newest task of that key. If it has not ended, [`Readiness::watched_task_ended`] is called when it
    /// does.
    pub fn watch(&self, key: &str) -> Option<TaskState> {
        self.state(key)
    }

    /// Attempt id that no other submission has: random, version 4.
    pub fn new_attempt_id(&self) -> AttemptId {
        self.attempt_ids.next()
    }

    /// State of the newest task of that key, if it is still known.
    pub fn state(&self, key: &str) -> Option<TaskState> {
        self.look(|core| core.state(key))
    }

    /// Everything about the newest task of that key, as a JSON object.
    pub fn describe(&self, key: &str) -> Option<String> {
        self.look(|core| core.describe(key)).map(|description| description.to_string())
    }

    /// How many tasks and events are where.
    pub fn counts(&self) -> Counts {
        self.look(Core::counts)
    }

    /// Cancels each task that has not finished; false where there is none.
    pub fn cancel(&self, keys: &[&str]) -> Vec<bool> {
        self.change(|core| keys.iter().map(|key| core.cancel(key)).collect())
    }

    /// Tracks tasks of an earlier process as running.
    pub fn adopt(&self, specs: Vec<AdoptSpec>) -> Vec<Result<(), Refusal>> {
        self.change(|core| specs.into_iter().map(|spec| core.adopt(spec)).collect())
    }

    /// Accepts no more tasks from now on. [`Readiness::drained`] is called when nothing is left to wait for (perhaps
    /// before this returns). May be called again, also to go from `Finish` to `Running`.
    pub fn drain(&self, mode: DrainMode) {
        self.change(|core| core.drain(mode));
    }

    /// Tasks that have no final event yet: queued, submitting or running.
    pub fn remaining(&self) -> u64 {
        self.look(Core::remaining)
    }

    /// True once a drain has been asked for.
    pub fn draining(&self) -> bool {
        self.look(Core::is_draining)
    }

    /// Asks AWS now, in the background; `done` is called from a thread of the runtime.
    pub fn check_health(&self, done: impl FnOnce(Result<(), CallError>) + Send + 'static) {
        (self.check_health)(Box::new(done));
    }

    /// The calls that start from now on are made with other credentials: whatever waits for some is tried now.
    pub fn credentials_changed(&self) {
        self.change(Core::credentials_changed);
    }

    /// Counters, gauges, histograms and health as a JSON object.
    pub fn stats(&self) -> String {
        self.look(Core::stats).to_string()
    }

    /// A call of the host's met a bug of ours: nothing is submitted, received or deleted any more.
    pub fn stop_after_a_bug(&self) {
        self.shared.broken();
    }

    /// Ends the driver: pending deletes are done, results that were not acknowledged given back, within `grace`.
    /// Drops what is queued and logs how many. The second call does nothing.
    /// Returns the number of queued tasks that were dropped.
    pub fn shutdown(&self, grace: Duration) -> u64 {
        let dropped = self.counts().queued;
        let Some(driver) = self.driver.lock().unwrap_or_else(PoisonError::into_inner).take() else { return 0 };
        // The driver must look even where nothing is left to do, or it sleeps on and the whole grace passes.
        self.shared.answer(Core::shut_down);
        if driver.recv_timeout(grace) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!(
                "AWS did not answer within shutdown_grace_ms: results that were not acknowledged may stay hidden for up to 10 minutes"
            );
        }
        dropped
    }

    fn change<T>(&self, input: impl FnOnce(&mut Core) -> T) -> T {
        self.shared.with(input)
    }

    fn look<T>(&self, look: impl FnOnce(&Core) -> T) -> T {
        self.shared.read(look)
    }
}
