//! The work whose instructions are counted. Only what runs in [`measured`] counts; all that comes before it makes that
//! repeatable.

use crate::support::Handle;
use lambda_executor::executor::ports::{
    Accepted, CallError, Clock, EntryOutcome, Health, InvokeRequest, Lambda, Message, Now, QueueId, Queues, Readiness,
    ReceiveRequest, RouteId,
};
use lambda_executor::executor::{Command, Executor, Runtimes, Settings, TaskSpec, TaskState, wire};
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, watch};

/// No port listens there: tasks stay queued, and no other thread of the executor has work.
const NOWHERE: &str = r#"{"function_name": "f", "queue_url": "http://127.0.0.1:9/000000000000/r",
    "dead_letter_queue_url": "http://127.0.0.1:9/000000000000/d", "endpoint_url": "http://127.0.0.1:9",
    "region_name": "us-east-1", "check_health_on_startup": true, "log": "off"}"#;
const COMMAND: &str = r#"["airflow", "tasks", "run", "dag", "task", "run", "--local"]"#;
const START_UNIX_MS: i64 = 1_800_000_000_000;

/// Callgrind counts while this function runs, in its thread.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
}

/// Does the work of that name.
pub(crate) fn run(name: &str) {
    match name {
        "queue" => queue(),
        "sync" => sync(),
        "decode" => decode(),
        "task" => task(),
        other => panic!("{other} is none of queue, sync, decode, task"),
    }
}

/// 1,000 calls of `lambda_executor_queue`.
fn queue() {
    let ex = Handle::create(NOWHERE);
    let keys: Vec<String> = (0..2_000).map(|n| format!("dag/task/run/{n:06}")).collect();
    let (before, counted) = keys.split_at(1_000);
    let queue = |key: &String| assert_eq!(ex.queue(key, COMMAND), 0);
    before.iter().for_each(queue);
    measured(&mut || counted.iter().for_each(queue));
}

/// 1,000 events by `lambda_executor_sync` in batches of 100, each read, acknowledged and freed.
fn sync() {
    let ex = Handle::create(NOWHERE);
    let mut seen = 0;
    for round in 0..11 {
        let keys: Vec<String> = (0..100).map(|n| format!("dag/task/{round:02}/{n:06}")).collect();
        for key in &keys {
            assert_eq!(ex.queue(key, COMMAND), 0);
        }
        ex.cancel(&keys);
        let mut take = || seen += ex.sync(0, |event| assert!(black_box(event.seq) > 0));
        if round == 0 { take() } else { measured(&mut take) }
    }
    assert_eq!(seen, 1_100);
}

fn result(attempt_id: &str, number: usize) -> Message {
    let body = format!(
        r#"{{"task_key": "dag/task/run/{number:06}", "return_code": 0, "attempt_id": "{attempt_id}", "reason": "exit",
            "signal": 0, "output_tail": "{}", "output_length": 1040, "output_truncated": false,
            "request_id": "6f0f4b56-6d7f-4c4b-9c55-1f1f4a1b2c3d", "log_stream": "2027/01/15/[7]0123456789abcdef",
            "started_at_ms": {START_UNIX_MS}, "finished_at_ms": {START_UNIX_MS}}}"#,
        "a line of output with a \\\"quote\\\"\\n".repeat(26)
    );
    Message {
        message_id: format!("5fea7756-0ea4-451a-a703-{number:012}"),
        receipt: format!("AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a{number:012}"),
        body,
        receive_count: 1,
        sent_at_ms: START_UNIX_MS,
        first_received_at_ms: START_UNIX_MS,
        ..Message::default()
    }
}

/// 1,000 messages of the results queue read.
fn decode() {
    let id = "0b2f5f1e-7f6c-4c39-8b0a-5d3c6a1e9f00";
    let read = |message: Message| {
        let read = wire::read(message);
        assert!(matches!(black_box(read).content, lambda_executor::executor::message::Content::Outcome(_)));
    };
    (0..10).map(|n| result(id, n)).for_each(read);
    let mut messages: Vec<Message> = (0..1_000).map(|n| result(id, n)).collect();
    measured(&mut || messages.drain(..).for_each(read));
}

/// An AWS that answers at once: each event that it accepts becomes a result.
#[derive(Default)]
struct Aws {
    results: Mutex<Vec<Message>>,
    arrived: Notify,
    prepared: Mutex<usize>,
}

impl Lambda for Aws {
    async fn invoke(&self, request: InvokeRequest) -> Result<Accepted, CallError> {
        let event = std::str::from_utf8(&request.payload).expect("JSON");
        let (_, rest) = event.split_once(r#""attempt_id":""#).expect("an attempt id");
        let number = {
            let mut prepared = self.prepared.lock().expect("no panic");
            *prepared += 1;
            *prepared
        };
        self.results.lock().expect("no panic").push(result(&rest[..36], number));
        self.arrived.notify_one();
        Ok(Accepted { request_id: format!("6f0f4b56-6d7f-4c4b-9c55-{number:012}") })
    }

    async fn probe(&self, _: RouteId) -> Result<(), CallError> {
        Ok(())
    }
}

impl Queues for Aws {
    async fn receive(&self, request: ReceiveRequest) -> Result<Vec<Message>, CallError> {
        loop {
            {
                let mut results = self.results.lock().expect("no panic");
                if request.queue == 0 && !results.is_empty() {
                    let count = results.len().min(10);
                    return Ok(results.drain(..count).collect());
                }
            }
            if request.queue == 0 { self.arrived.notified().await } else { std::future::pending().await }
        }
    }

    async fn delete(&self, _: QueueId, receipts: Vec<String>) -> Result<Vec<EntryOutcome>, CallError> {
        Ok(vec![EntryOutcome::Done; receipts.len()])
    }

    async fn change_visibility(&self, _: QueueId, entries: Vec<(String, u32)>) -> Result<Vec<EntryOutcome>, CallError> {
        Ok(vec![EntryOutcome::Done; entries.len()])
    }
}

impl Health for Aws {
    async fn check_function(&self, _: RouteId) -> Result<Vec<String>, CallError> {
        Ok(Vec::new())
    }

    async fn check_queues(&self) -> Result<Vec<String>, CallError> {
        Ok(Vec::new())
    }
}

/// Moved by the host.
struct HostClock(watch::Receiver<u64>);

impl Clock for HostClock {
    fn now(&self) -> Now {
        let mono_ms = *self.0.borrow();
        Now { mono_ms, unix_ms: START_UNIX_MS + mono_ms as i64 }
    }

    async fn sleep_until(&self, mono_ms: u64) {
        // An error means that the host has ended.
        let _ = self.0.clone().wait_for(|now| *now >= mono_ms).await;
    }
}

/// The host looks by itself.
struct NotWaiting;

impl Readiness for NotWaiting {
    fn events_waiting(&self, _: bool) {}
    fn watched_task_ended(&self) {}
    fn drained(&self) {}
    fn drain_blocked(&self, _: bool) {}
    fn broken(&self) {
        panic!("a bug in the executor");
    }
}

/// 1,000 tasks from `queue` to the delete of their message: driver, state machine and JSON in one thread, without the SDK.
fn task() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (time, now) = watch::channel(0);
    let runtimes = Runtimes { calls: runtime.handle(), queues: runtime.handle() };
    let ex =
        Executor::start(Settings::default(), Arc::new(Aws::default()), HostClock(now), Arc::new(NotWaiting), runtimes);
    let (mut queued, mut succeeded) = (0, 0);
    // The time of a turn is that for which a delete waits for others.
    let mut turn = |tasks: usize| {
        for _ in 0..tasks {
            queued += 1;
            ex.queue(spec(queued)).expect("accepted");
        }
        runtime.block_on(async {
            for _ in 0..30 {
                tokio::task::yield_now().await;
            }
        });
        let events = ex.take_events(usize::MAX);
        succeeded += events.iter().filter(|event| event.event.state == TaskState::Succeeded).count();
        ex.acknowledge(&events.iter().map(|event| event.seq).collect::<Vec<_>>());
        time.send_modify(|now| *now += 60);
        succeeded
    };
    let mut work = |end: usize| {
        (0..20).for_each(|_| _ = turn(50));
        while turn(0) < end {}
        (0..5).for_each(|_| _ = turn(0));
    };
    work(1_000);
    measured(&mut || work(2_000));
}

fn spec(number: usize) -> TaskSpec {
    TaskSpec {
        key: format!("dag/task/run/{number:06}").into(),
        tag: 7,
        command: Command::Argv(
            ["airflow", "tasks", "run", "dag", "task", "run", "--local"].map(str::to_owned).to_vec(),
        ),
        executor_config: None,
        queue: String::new(),
        timeout_ms: 0,
        max_wait_ms: 0,
        result_timeout_ms: 0,
        attempt: None,
    }
}
