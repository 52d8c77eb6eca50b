//! The heart: a task's life as a pure state machine ([`machine`]), and the driver that carries its actions out through
//! the traits of [`ports`].
//!
//! [`Executor`] is what the C ABI holds: synchronous, for any thread, never waiting on the network.

mod attempt_ids;
mod describe;
mod driver;
pub mod event;
#[cfg(any(test, feature = "lock-times"))]
pub mod lock_times;
mod machine;
pub mod message;
pub mod ports;
pub mod qualifier;
pub mod settings;
mod shared;
pub mod statistics;
pub mod task;
#[cfg(test)]
mod tests;
pub mod wire;

pub use event::{Counts, Event, HandedOut};
pub use settings::{QueueKind, QueueSettings, RouteSettings, Settings};
pub use task::{AdoptSpec, AttemptId, Command, Reason, Refusal, TaskSpec, TaskState};

use attempt_ids::AttemptIds;
use machine::Machine;
use ports::{CallError, Clock, Health, Lambda, Queues, Readiness, Record, Storage};
use shared::Shared;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use wire::Prepared;

/// Entries handled under one lock: other threads get their turn between.
const SLICE: usize = 100;

/// What becomes of queued tasks in a drain.
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
    settings: Arc<Settings>,
    attempt_ids: AttemptIds,
    check_health: Box<dyn Fn(HealthAnswer) + Send + Sync>,
    /// Disconnected when the driver has ended.
    driver: Mutex<Option<mpsc::Receiver<()>>>,
}

/// Where calls to AWS are made.
#[derive(Clone, Copy, Debug)]
pub struct Runtimes<'a> {
    /// All but those to the queues.
    pub calls: &'a tokio::runtime::Handle,
    /// Those to the queues. With threads of its own, results are received also while Invokes keep all others busy.
    pub queues: &'a tokio::runtime::Handle,
}

impl Executor {
    /// Starts the driver on `runtimes`, without a storage. Nothing is asked of the network before this returns.
    pub fn start<A, C>(
        settings: Settings,
        aws: Arc<A>,
        clock: C,
        readiness: Arc<dyn Readiness>,
        runtimes: Runtimes<'_>,
    ) -> Self
    where
        A: Lambda + Queues + Health,
        C: Clock,
    {
        Self::start_with(settings, aws, clock, readiness, None, runtimes)
    }

    /// As [`Self::start`], with a storage that makes records durable, and those that it has from the process before.
    pub fn start_with<A, C>(
        settings: Settings,
        aws: Arc<A>,
        clock: C,
        readiness: Arc<dyn Readiness>,
        storage: Option<(Arc<dyn Storage>, Vec<Record>)>,
        runtimes: Runtimes<'_>,
    ) -> Self
    where
        A: Lambda + Queues + Health,
        C: Clock,
    {
        let (clock, settings) = (Arc::new(clock), Arc::new(settings));
        let (machine, storage) = match storage {
            None => (Machine::new(Arc::clone(&settings), clock.now(), false), None),
            Some((storage, records)) => (Machine::recover(Arc::clone(&settings), clock.now(), records), Some(storage)),
        };
        let now = {
            let clock = Arc::clone(&clock);
            Box::new(move || clock.now())
        };
        let shared = Arc::new(Shared::new(machine, now, readiness, storage));
        let (ended, driver) = mpsc::channel();
        let driven = Arc::clone(&shared);
        let driver_aws = Arc::clone(&aws);
        let queues = runtimes.queues.clone();
        runtimes.calls.spawn(async move {
            driver::drive(driven, driver_aws, clock, queues).await;
            drop(ended);
        });
        let check_health = health_check(Arc::clone(&shared), aws, settings.routes.len(), runtimes.calls.clone());
        Self { shared, settings, attempt_ids: AttemptIds::default(), check_health, driver: Mutex::new(Some(driver)) }
    }

    /// Accepts one task. Its event is serialised before the lock is taken.
    pub fn queue(&self, spec: TaskSpec) -> Result<(), Refusal> {
        let prepared = self.prepare(spec)?;
        self.change(|machine| machine.queue(prepared)).map(|_| ())
    }

    /// Accepts many; answers in their order. After a `QueueFull` all later ones are refused the same.
    pub fn queue_batch(&self, specs: Vec<TaskSpec>) -> Vec<Result<(), Refusal>> {
        let mut answers = Vec::with_capacity(specs.len());
        let mut full = None;
        let mut specs = specs.into_iter();
        loop {
            let slice: Vec<_> = specs.by_ref().take(SLICE).map(|spec| self.prepare(spec)).collect();
            if slice.is_empty() {
                return answers;
            }
            self.change(|machine| {
                for prepared in slice {
                    let answer = match (full, prepared) {
                        (Some(limit), _) => Err(Refusal::QueueFull { limit }),
                        (None, Ok(prepared)) => machine.queue(prepared).map(|_| ()),
                        (None, Err(refusal)) => Err(refusal),
                    };
                    if let Err(Refusal::QueueFull { limit }) = answer {
                        full = Some(limit);
                    }
                    answers.push(answer);
                }
            });
        }
    }

    fn prepare(&self, spec: TaskSpec) -> Result<Prepared, Refusal> {
        let fresh = spec.attempt.unwrap_or_else(|| self.attempt_ids.next());
        wire::prepare(spec, fresh, &self.settings)
    }

    /// Hands out up to `max` events, oldest first. They are unacknowledged from now on.
    pub fn take_events(&self, max: usize) -> Vec<HandedOut> {
        let mut events = Vec::new();
        while events.len() < max {
            let slice = self.change(|machine| machine.take_events(SLICE.min(max - events.len())));
            if slice.is_empty() {
                break;
            }
            events.extend(slice);
        }
        events
    }

    /// These events are safe with the host: their messages may be deleted. Repeated and unknown numbers are fine.
    pub fn acknowledge(&self, seqs: &[u64]) {
        for slice in seqs.chunks(SLICE) {
            self.change(|machine| machine.acknowledge(slice));
        }
    }

    /// Hands events of a batch that was freed out again, before all others: those that have not been acknowledged.
    pub fn hand_out_again(&self, events: Vec<HandedOut>) {
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let slice = events.by_ref().take(SLICE).collect();
            self.change(|machine| machine.hand_out_again(slice));
        }
    }

    /// State of the newest task of that key, if it is still known.
    pub fn state(&self, key: &str) -> Option<TaskState> {
        self.look(|machine| machine.state(key))
    }

    /// As [`Self::state`]. If the task has not ended, [`Readiness::watched_task_ended`] is called when it does.
    pub fn watch(&self, key: &str) -> Option<TaskState> {
        self.change(|machine| machine.watch(key))
    }

    /// An attempt id that no other submission has: random, version 4.
    pub fn new_attempt_id(&self) -> AttemptId {
        self.attempt_ids.next()
    }

    /// Everything about the newest task of that key, as a JSON object.
    pub fn describe(&self, key: &str) -> Option<String> {
        let description = self.look(|machine| machine.describe(key))?;
        Some(describe::document(&description).to_string())
    }

    /// How many tasks and events are where.
    pub fn counts(&self) -> Counts {
        self.look(Machine::counts)
    }

    /// Cancels each task that has not ended; false where there is none.
    pub fn cancel(&self, keys: &[&str]) -> Vec<bool> {
        let slices = keys.chunks(SLICE);
        slices
            .flat_map(|keys| self.change(|machine| keys.iter().map(|key| machine.cancel(key)).collect::<Vec<_>>()))
            .collect()
    }

    /// Tracks tasks of an earlier process as running.
    pub fn adopt(&self, specs: Vec<AdoptSpec>) -> Vec<Result<(), Refusal>> {
        let mut answers = Vec::with_capacity(specs.len());
        let mut specs = specs.into_iter().peekable();
        while specs.peek().is_some() {
            self.change(|machine| {
                answers.extend(specs.by_ref().take(SLICE).map(|spec| machine.adopt(spec).map(|_| ())));
            });
        }
        answers
    }

    /// Accepts no more tasks from now on. [`Readiness::drained`] is called when nothing is left to wait for (perhaps
    /// before this returns). May be called again, also to go from `Finish` to `CancelQueued`.
    pub fn drain(&self, mode: DrainMode) {
        self.change(|machine| machine.drain(mode));
    }

    /// Tasks that have no final event yet: queued, submitting or running.
    pub fn remaining(&self) -> u64 {
        self.look(Machine::remaining)
    }

    /// True once a drain has been asked for.
    pub fn draining(&self) -> bool {
        self.look(Machine::is_draining)
    }

    /// Asks AWS now, in the background; `done` is called from a thread of the runtime.
    pub fn check_health(&self, done: impl FnOnce(Result<(), CallError>) + Send + 'static) {
        (self.check_health)(Box::new(done));
    }

    /// The calls that start from now on are made with other credentials: whatever waits for some is tried now.
    pub fn credentials_changed(&self) {
        self.change(Machine::credentials_changed);
    }

    /// Counters, gauges, histograms and health as a JSON object.
    pub fn stats(&self) -> String {
        let snapshot = self.look(Machine::snapshot);
        statistics::statistics(&snapshot).to_string()
    }

    /// A call of the host's met a bug of ours: nothing is submitted, received or deleted any more.
    pub fn stop_after_a_bug(&self) {
        self.shared.broken();
    }

    /// Ends the driver: deletes that wait are sent, and messages whose events were not acknowledged are released, within
    /// `grace`. Drops what is queued. Returns how many tasks were dropped. The second call does nothing.
    pub fn shutdown(&self, grace: Duration) -> u64 {
        let Some(driver) = self.driver.lock().unwrap_or_else(PoisonError::into_inner).take() else { return 0 };
        let dropped = self.change(Machine::shut_down);
        let was_quiet = self.look(Machine::is_quiet);
        if driver.recv_timeout(grace) == Err(mpsc::RecvTimeoutError::Timeout)
            && !was_quiet
            && !self.look(Machine::is_quiet)
        {
            tracing::warn!(
                "calls to AWS were still under way after shutdown_grace_ms: results that were not acknowledged stay hidden \
                 for up to 20 s"
            );
        }
        dropped
    }

    fn change<T>(&self, input: impl FnOnce(&mut Machine) -> T) -> T {
        self.shared.with(input)
    }

    fn look<T>(&self, look: impl FnOnce(&Machine) -> T) -> T {
        self.shared.read(look)
    }
}

/// Checks all functions and the queues at the same time. The answer is the worst failure, with the sentences of all.
fn health_check<A>(
    shared: Arc<Shared>,
    aws: Arc<A>,
    routes: usize,
    runtime: tokio::runtime::Handle,
) -> Box<dyn Fn(HealthAnswer) + Send + Sync>
where
    A: Lambda + Queues + Health,
{
    Box::new(move |done: HealthAnswer| {
        let (aws, shared, spawner) = (Arc::clone(&aws), Arc::clone(&shared), runtime.clone());
        runtime.spawn(async move {
            let _break = driver::BreakOnPanic(Arc::clone(&shared));
            let checks: Vec<_> = (0..routes)
                .map(|route| {
                    let (aws, shared) = (Arc::clone(&aws), Arc::clone(&shared));
                    spawner.spawn(async move {
                        let _break = driver::BreakOnPanic(Arc::clone(&shared));
                        let answer = aws.check_function(route).await;
                        shared.with(|machine| machine.function_checked_for_host(route, &answer));
                        answer
                    })
                })
                .collect();
            let queues = aws.check_queues().await;
            shared.with(|machine| machine.queues_checked_for_host(&queues));
            let mut failures: Vec<CallError> = queues.err().into_iter().collect();
            for check in checks {
                // A task that panicked has broken the handle, which is reported to the host by other means.
                if let Ok(Err(failure)) = check.await
                    && !failures.iter().any(|other| other.message == failure.message)
                {
                    failures.push(failure);
                }
            }
            done(CallError::worst_of(failures).map_or(Ok(()), Err));
        });
    })
}
