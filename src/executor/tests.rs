//! The executor as a whole over a scripted AWS: what driver and state machine do together.

use super::machine::Record;
use super::ports::{
    Accepted, CallError, Clock, EntryOutcome, Health, InvokeRequest, Lambda, Lsn, Message, Now, QueueId, Queues,
    Readiness, ReceiveRequest, RouteId, Storage,
};
use super::{Command, Executor, Runtimes, Settings, TaskSpec, TaskState};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::ThreadId;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Long, because the machine may be busy; nothing waits for it to pass.
const DEADLINE: Duration = Duration::from_secs(20);

/// Lambda accepts everything; queues hold back their answer until the test gives it.
#[derive(Default)]
struct Script {
    panics: bool,
    /// Invokes are answered only after this is set.
    holds_invokes: Option<Arc<AtomicBool>>,
    invokes: AtomicUsize,
    /// Tasks of the runtime that called Invoke.
    invokers: Mutex<HashSet<tokio::task::Id>>,
    polls: AtomicUsize,
    message: Mutex<Option<tokio::sync::oneshot::Receiver<Message>>>,
    released: Mutex<Vec<(String, u32)>>,
    deleted: Mutex<Vec<String>>,
}

impl Lambda for Script {
    async fn invoke(&self, _: InvokeRequest) -> Result<Accepted, CallError> {
        self.invokes.fetch_add(1, SeqCst);
        assert!(!self.panics, "on purpose");
        self.invokers.lock().unwrap().insert(tokio::task::id());
        while self.holds_invokes.as_ref().is_some_and(|held| held.load(SeqCst)) {
            tokio::task::yield_now().await;
        }
        Ok(Accepted { request_id: "r".into() })
    }

    async fn probe(&self, _: RouteId) -> Result<(), CallError> {
        Ok(())
    }
}

impl Queues for Script {
    async fn receive(&self, _: ReceiveRequest) -> Result<Vec<Message>, CallError> {
        let message = self.message.lock().unwrap().take();
        self.polls.fetch_add(1, SeqCst);
        match message {
            Some(message) => Ok(vec![message.await.unwrap()]),
            None => std::future::pending().await,
        }
    }

    async fn delete(&self, _: QueueId, receipts: Vec<String>) -> Result<Vec<EntryOutcome>, CallError> {
        let outcomes = vec![EntryOutcome::Done; receipts.len()];
        self.deleted.lock().unwrap().extend(receipts);
        Ok(outcomes)
    }

    async fn change_visibility(&self, _: QueueId, entries: Vec<(String, u32)>) -> Result<Vec<EntryOutcome>, CallError> {
        let outcomes = vec![EntryOutcome::Done; entries.len()];
        self.released.lock().unwrap().extend(entries);
        Ok(outcomes)
    }
}

impl Health for Script {
    async fn check_function(&self, _: RouteId) -> Result<Vec<String>, CallError> {
        Ok(Vec::new())
    }

    async fn check_queues(&self) -> Result<Vec<String>, CallError> {
        Ok(Vec::new())
    }
}

/// Stands still until the test moves it.
struct ManualClock {
    mono_ms: watch::Sender<u64>,
    sleeps: AtomicUsize,
    /// This thread read the time while another one held the lock.
    suspect: Mutex<Option<ThreadId>>,
    lock_is_held: AtomicBool,
    read_outside_the_lock: AtomicBool,
}

impl Clock for Arc<ManualClock> {
    fn now(&self) -> Now {
        let is_suspect = *self.suspect.lock().unwrap() == Some(std::thread::current().id());
        if is_suspect && self.lock_is_held.load(SeqCst) {
            self.read_outside_the_lock.store(true, SeqCst);
        }
        let mono_ms = *self.mono_ms.borrow();
        Now { mono_ms, unix_ms: 1_800_000_000_000 + mono_ms as i64 }
    }

    async fn sleep_until(&self, mono_ms: u64) {
        self.sleeps.fetch_add(1, SeqCst);
        self.mono_ms.subscribe().wait_for(|now| *now >= mono_ms).await.unwrap();
    }
}

type UnderTheLock = Box<dyn Fn() + Send + Sync>;

/// What the executor reports to the host.
#[derive(Default)]
struct Reported {
    broken: AtomicBool,
    drained: AtomicBool,
    watched_ended: AtomicUsize,
    /// Called once under the executor's lock, when a drain is over.
    on_drained: Mutex<Option<UnderTheLock>>,
}

impl Readiness for Reported {
    fn events_waiting(&self, _: bool) {}
    fn watched_task_ended(&self) {
        self.watched_ended.fetch_add(1, SeqCst);
    }
    fn drained(&self) {
        if let Some(call) = self.on_drained.lock().unwrap().take() {
            call();
        }
        self.drained.store(true, SeqCst);
    }
    fn drain_blocked(&self, _: bool) {}
    fn broken(&self) {
        self.broken.store(true, SeqCst);
    }
}

/// Keeps records, which are durable when the test says so.
#[derive(Default)]
struct LateStorage {
    records: Mutex<Vec<Record>>,
    durable: AtomicU64,
}

impl Storage for LateStorage {
    fn append(&self, records: Vec<Record>) -> Lsn {
        let mut all = self.records.lock().unwrap();
        all.extend(records);
        all.len() as Lsn
    }

    fn durable(&self) -> Lsn {
        self.durable.load(SeqCst)
    }
}

struct Stage {
    executor: Executor,
    script: Arc<Script>,
    reported: Arc<Reported>,
    clock: Arc<ManualClock>,
    _runtime: tokio::runtime::Runtime,
}

fn start(script: Script, settings: Settings) -> Stage {
    start_with(script, settings, None)
}

fn start_with(script: Script, settings: Settings, storage: Option<Arc<dyn Storage>>) -> Stage {
    let storage = storage.map(|storage| (storage, Vec::new()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (script, reported) = (Arc::new(script), Arc::new(Reported::default()));
    let clock = Arc::new(ManualClock {
        mono_ms: watch::channel(1).0,
        sleeps: AtomicUsize::new(0),
        suspect: Mutex::default(),
        lock_is_held: AtomicBool::new(false),
        read_outside_the_lock: AtomicBool::new(false),
    });
    let executor = Executor::start_with(
        settings,
        Arc::clone(&script),
        Arc::clone(&clock),
        Arc::clone(&reported) as Arc<dyn Readiness>,
        storage,
        Runtimes { calls: runtime.handle(), queues: runtime.handle() },
    );
    Stage { executor, script, reported, clock, _runtime: runtime }
}

fn task(key: &str) -> TaskSpec {
    TaskSpec {
        key: key.into(),
        tag: 0,
        command: Command::Argv(vec!["true".into()]),
        executor_config: None,
        queue: String::new(),
        timeout_ms: 0,
        max_wait_ms: 0,
        result_timeout_ms: 0,
        attempt: None,
    }
}

fn result(key: &str) -> Message {
    let body = format!(r#"{{"task_key":"{key}","return_code":0}}"#);
    Message { message_id: "m".into(), receipt: "receipt".into(), body, ..Message::default() }
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < DEADLINE, "never became true: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn after_a_bug_nothing_is_invoked_any_more_and_the_shutdown_returns_at_once() {
    let mut settings = Settings::default();
    settings.routes[0].max_concurrent_invokes = 1;
    let stage = start(Script { panics: true, ..Script::default() }, settings);
    let Stage { executor, script, reported, .. } = &stage;
    for key in ["a", "b", "c"] {
        executor.queue(task(key)).unwrap();
    }
    wait_until("the bug is reported", || reported.broken.load(SeqCst));
    let began = Instant::now();
    executor.shutdown(DEADLINE);
    assert!(began.elapsed() < DEADLINE);
    assert_eq!(script.invokes.load(SeqCst), 1);
}

#[test]
fn a_message_that_arrives_during_the_shutdown_is_released() {
    let (send, receive) = tokio::sync::oneshot::channel();
    let script = Script { message: Mutex::new(Some(receive)), ..Script::default() };
    let stage = start(script, Settings::default());
    let Stage { executor, script, clock, .. } = &stage;
    executor.queue(task("k")).unwrap();
    wait_until("polls of both queues", || script.polls.load(SeqCst) >= 2);
    let sleeps_before = clock.sleeps.load(SeqCst);
    let (ended, end) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            executor.shutdown(DEADLINE);
            ended.send(()).unwrap();
        });
        // The answer comes when the polls are to end, and wait for a moment.
        wait_until("the polls are to end", || clock.sleeps.load(SeqCst) >= sleeps_before + 2);
        send.send(result("k")).expect("the poll waits for its answer");
        clock.mono_ms.send_modify(|now| *now += 1_000);
        end.recv_timeout(DEADLINE).unwrap();
    });
    assert_eq!(*script.released.lock().unwrap(), [("receipt".into(), 0)]);
}

/// An executor with one task that runs, and the way to send its result.
fn with_a_running_task() -> (Stage, tokio::sync::oneshot::Sender<Message>) {
    let (send, receive) = tokio::sync::oneshot::channel();
    let stage = start(Script { message: Mutex::new(Some(receive)), ..Script::default() }, Settings::default());
    stage.executor.queue(task("k")).unwrap();
    wait_until("it runs", || stage.executor.state("k") == Some(TaskState::Running));
    (stage, send)
}

#[test]
fn the_end_of_a_watched_task_is_reported() {
    let (stage, send) = with_a_running_task();
    let Stage { executor, reported, .. } = &stage;
    assert_eq!(executor.watch("unknown"), None);
    assert_eq!(executor.watch("k"), Some(TaskState::Running));
    assert_eq!(reported.watched_ended.load(SeqCst), 0);
    send.send(result("k")).unwrap();
    wait_until("its end is reported", || reported.watched_ended.load(SeqCst) == 1);
    assert_eq!(executor.watch("k"), Some(TaskState::Succeeded));
}

#[test]
fn a_batch_that_is_freed_is_handed_out_again_and_its_message_is_not_deleted() {
    let (stage, send) = with_a_running_task();
    let Stage { executor, script, clock, .. } = &stage;
    send.send(result("k")).unwrap();
    wait_until("it has ended", || executor.state("k") == Some(TaskState::Succeeded));
    let seqs = |events: &[super::HandedOut]| events.iter().map(|event| event.seq).collect::<Vec<_>>();
    let batch = executor.take_events(10);
    assert_eq!(seqs(&batch), [1, 2]);
    assert!(executor.take_events(10).is_empty());
    executor.hand_out_again(batch);
    assert_eq!(executor.counts().waiting_events, 2);
    let again = executor.take_events(10);
    assert_eq!(seqs(&again), [1, 2]);
    assert!(script.deleted.lock().unwrap().is_empty());
    executor.acknowledge(&[1, 2]);
    executor.hand_out_again(again);
    assert_eq!(executor.counts().waiting_events, 0);
    clock.mono_ms.send_modify(|now| *now += 1_000);
    wait_until("it is deleted", || *script.deleted.lock().unwrap() == ["receipt"]);
}

#[test]
fn an_invoke_waits_for_a_storage_whose_records_become_durable_late() {
    let storage = Arc::new(LateStorage::default());
    let stage = start_with(Script::default(), Settings::default(), Some(Arc::clone(&storage) as Arc<dyn Storage>));
    let Stage { executor, script, .. } = &stage;
    executor.queue(task("k")).unwrap();
    wait_until("the intent is recorded", || storage.records.lock().unwrap().len() == 2);
    // Any input looks at the storage again; none may send the Invoke.
    for _ in 0..100 {
        assert!(executor.take_events(1).is_empty());
        assert_eq!((executor.state("k"), script.invokes.load(SeqCst)), (Some(TaskState::Submitting), 0));
    }
    storage.durable.store(2, SeqCst);
    executor.take_events(1);
    wait_until("it is sent", || script.invokes.load(SeqCst) == 1);
    wait_until("it runs", || executor.state("k") == Some(TaskState::Running));
    assert!(matches!(storage.records.lock().unwrap().last(), Some(Record::Running { .. })));
}

#[test]
fn s5_a_large_batch_lets_other_threads_in_between() {
    let mut settings = Settings::default();
    settings.routes[0].max_concurrent_invokes = 1;
    let stage = start(Script::default(), settings);
    let executor = &stage.executor;
    let batch: Vec<_> = (0..100_000).map(|n| task(&n.to_string())).collect();
    let done = AtomicBool::new(false);
    let (all, longest, calls) = std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let (mut longest, mut calls) = (Duration::ZERO, 0u32);
            while !done.load(SeqCst) {
                let began = Instant::now();
                executor.counts();
                longest = longest.max(began.elapsed());
                calls += 1;
                std::thread::yield_now();
            }
            (longest, calls)
        });
        let began = Instant::now();
        let answers = executor.queue_batch(batch);
        let all = began.elapsed();
        done.store(true, SeqCst);
        assert!(answers.iter().all(Result::is_ok));
        let (longest, calls) = other.join().unwrap();
        (all, longest, calls)
    });
    // The whole batch under one lock would leave the other thread one call, as long as the batch.
    assert!(calls > 10 && longest < all / 2, "{calls} calls, the longest {longest:?} of {all:?}");
}

#[test]
fn s6_workers_take_one_invoke_after_another() {
    const TASKS: usize = 1_000;
    let mut settings = Settings::default();
    settings.routes[0].max_concurrent_invokes = 4;
    let held = Arc::new(AtomicBool::new(true));
    let stage = start(Script { holds_invokes: Some(Arc::clone(&held)), ..Script::default() }, settings);
    let answers = stage.executor.queue_batch((0..TASKS).map(|n| task(&n.to_string())).collect());
    assert!(answers.iter().all(Result::is_ok));
    held.store(false, SeqCst);
    wait_until("all are invoked", || stage.script.invokes.load(SeqCst) == TASKS);
    assert_eq!(stage.script.invokers.lock().unwrap().len(), 4, "an Invoke costs no new task of the runtime");
}

#[test]
fn c7_the_time_of_an_input_is_read_under_the_lock() {
    let stage = start(Script::default(), Settings::default());
    let Stage { executor, reported, clock, .. } = &stage;
    let waits = Arc::new(AtomicBool::new(false));
    let (began, clock_of_call) = (Arc::clone(&waits), Arc::clone(clock));
    *reported.on_drained.lock().unwrap() = Some(Box::new(move || {
        clock_of_call.lock_is_held.store(true, SeqCst);
        wait_until("another call waits for the lock", || began.load(SeqCst));
        // Long enough for a call that reads the time before it waits to have read it.
        (0..10_000).for_each(|_| std::thread::yield_now());
        clock_of_call.lock_is_held.store(false, SeqCst);
    }));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_until("the lock is held", || clock.lock_is_held.load(SeqCst));
            *clock.suspect.lock().unwrap() = Some(std::thread::current().id());
            waits.store(true, SeqCst);
            executor.cancel(&["k"]);
        });
        executor.drain(super::DrainMode::Finish);
    });
    assert!(reported.drained.load(SeqCst));
    assert!(!clock.read_outside_the_lock.load(SeqCst));
}
