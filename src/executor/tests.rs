//! The executor as a whole over a scripted AWS: what driver and state machine do together.

use super::ports::{
    Accepted, CallError, Clock, EntryOutcome, Health, InvokeRequest, Lambda, Message, Now, QueueId, Queues, Readiness,
    ReceiveRequest,
};
use super::{Command, Executor, Settings, TaskSpec};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Long, because the machine may be busy; nothing waits for it to pass.
const DEADLINE: Duration = Duration::from_secs(20);

/// Lambda accepts everything; queues hold back their answer until the test gives it.
#[derive(Default)]
struct Script {
    panics: bool,
    invokes: AtomicUsize,
    polls: AtomicUsize,
    message: Mutex<Option<tokio::sync::oneshot::Receiver<Message>>>,
    released: Mutex<Vec<(String, u32)>>,
}

impl Lambda for Script {
    async fn invoke(&self, _: InvokeRequest) -> Result<Accepted, CallError> {
        self.invokes.fetch_add(1, SeqCst);
        assert!(!self.panics, "on purpose");
        Ok(Accepted { request_id: "r".into() })
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
        Ok(vec![EntryOutcome::Done; receipts.len()])
    }

    async fn change_visibility(&self, _: QueueId, entries: Vec<(String, u32)>) -> Result<Vec<EntryOutcome>, CallError> {
        let outcomes = vec![EntryOutcome::Done; entries.len()];
        self.released.lock().unwrap().extend(entries);
        Ok(outcomes)
    }
}

impl Health for Script {
    async fn check(&self) -> Result<Vec<String>, CallError> {
        Ok(Vec::new())
    }
}

/// Stands still until the test moves it.
struct ManualClock {
    mono_ms: watch::Sender<u64>,
    sleeps: AtomicUsize,
}

impl Clock for Arc<ManualClock> {
    fn now(&self) -> Now {
        let mono_ms = *self.mono_ms.borrow();
        Now { mono_ms, unix_ms: 1_800_000_000_000 + mono_ms as i64 }
    }

    async fn sleep_until(&self, mono_ms: u64) {
        self.sleeps.fetch_add(1, SeqCst);
        self.mono_ms.subscribe().wait_for(|now| *now >= mono_ms).await.unwrap();
    }
}

#[derive(Default)]
struct Told {
    broken: AtomicBool,
}

impl Readiness for Told {
    fn events_waiting(&self, _: bool) {}
    fn drained(&self) {}
    fn broken(&self) {
        self.broken.store(true, SeqCst);
    }
}

struct Stage {
    executor: Executor,
    script: Arc<Script>,
    told: Arc<Told>,
    clock: Arc<ManualClock>,
    _runtime: tokio::runtime::Runtime,
}

fn start(script: Script, settings: Settings) -> Stage {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (script, told) = (Arc::new(script), Arc::new(Told::default()));
    let clock = Arc::new(ManualClock { mono_ms: watch::channel(1).0, sleeps: AtomicUsize::new(0) });
    let executor = Executor::start(
        settings,
        Arc::clone(&script),
        Arc::clone(&clock),
        Arc::clone(&told) as Arc<dyn Readiness>,
        runtime.handle(),
    );
    Stage { executor, script, told, clock, _runtime: runtime }
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
    }
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < DEADLINE, "never came true: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn after_a_bug_nothing_is_invoked_any_more_and_the_end_comes_at_once() {
    let mut settings = Settings::default();
    settings.routes[0].max_concurrent_invokes = 1;
    let stage = start(Script { panics: true, ..Script::default() }, settings);
    let Stage { executor, script, told, .. } = &stage;
    for key in ["a", "b", "c"] {
        executor.queue(task(key)).unwrap();
    }
    wait_until("the bug is told", || told.broken.load(SeqCst));
    let began = Instant::now();
    executor.shutdown(DEADLINE);
    assert!(began.elapsed() < DEADLINE);
    assert_eq!(script.invokes.load(SeqCst), 1);
}

#[test]
fn a_message_on_its_way_at_the_end_is_given_back() {
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
        // The answer comes when the polls have been told to end, and wait for a moment.
        wait_until("the end has come to the polls", || clock.sleeps.load(SeqCst) >= sleeps_before + 2);
        let body = r#"{"task_key":"k","return_code":0}"#.into();
        let message = Message { message_id: "m".into(), receipt: "receipt".into(), body, ..Message::default() };
        send.send(message).expect("the poll waits for its answer");
        clock.mono_ms.send_modify(|now| *now += 1_000);
        end.recv_timeout(DEADLINE).unwrap();
    });
    assert_eq!(*script.released.lock().unwrap(), [("receipt".into(), 0)]);
}
