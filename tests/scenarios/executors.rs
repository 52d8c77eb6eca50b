//! Executors of several schedulers, and a loop that takes their events.

use crate::world::{Watched, World};
use lambda_executor::aws::Keys;
use lambda_executor::executor::ports::Readiness;
use lambda_executor::executor::{Command, Executor, HandedOut, Runtimes, TaskSpec, TaskState};
use lambda_executor::runtime::clock::SystemClock;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Wakes the loop when an executor has events.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap() = true;
        self.changed.notify_all();
    }

    fn wait(&self, longest: Duration) {
        let rung = self.rung.lock().unwrap();
        let (mut rung, _) = self.changed.wait_timeout_while(rung, longest, |rung| !*rung).unwrap();
        *rung = false;
    }
}

impl Readiness for Bell {
    fn events_waiting(&self, yes: bool) {
        if yes {
            self.ring();
        }
    }

    fn watched_task_ended(&self) {}

    fn drained(&self) {
        self.ring();
    }

    fn drain_blocked(&self, _: bool) {}

    fn broken(&self) {
        self.ring();
    }
}

/// Some schedulers with their executors.
pub(crate) struct Schedulers {
    pub(crate) executors: Vec<Executor>,
    aws: Vec<Arc<Watched>>,
    bell: Arc<Bell>,
    runtime: tokio::runtime::Runtime,
    /// Final state of each key, and its number of final events.
    pub(crate) ended: HashMap<String, (TaskState, u32)>,
    /// Number of RUNNING events.
    pub(crate) started: usize,
}

impl Schedulers {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        Self {
            executors: Vec::new(),
            aws: Vec::new(),
            bell: Arc::default(),
            runtime,
            ended: HashMap::new(),
            started: 0,
        }
    }

    pub(crate) fn make_queue(&self, world: &World, name: &str) -> String {
        self.runtime.block_on(world.make_queue(name))
    }

    /// Starts an executor with these options in addition to those for the world.
    pub(crate) fn start(&mut self, world: &World, more: &Value) {
        let config = world.config(more);
        let aws = Arc::new(world.aws(config.aws));
        self.aws.push(Arc::clone(&aws));
        let bell: Arc<dyn Readiness> = self.bell.clone();
        let runtimes = Runtimes { calls: self.runtime.handle(), queues: self.runtime.handle() };
        self.executors.push(Executor::start(config.executor, aws, SystemClock::new(), bell, runtimes));
    }

    /// Sets credentials like a host that manages them itself.
    pub(crate) fn set_credentials(&self, executor: usize, keys: Keys) {
        self.aws[executor].aws.set_credentials(keys);
        self.executors[executor].credentials_changed();
    }

    pub(crate) fn queue(&self, executor: usize, key: String, duration_ms: u64) {
        let config = format!(r#"{{"builtin": {{"duration_ms": {duration_ms}}}}}"#);
        let spec = TaskSpec {
            key: key.into(),
            tag: 0,
            command: Command::Argv(vec!["true".into()]),
            executor_config: Some(serde_json::from_str(&config).unwrap()),
            queue: String::new(),
            timeout_ms: 0,
            max_wait_ms: 0,
            result_timeout_ms: 0,
            attempt: None,
        };
        self.executors[executor].queue(spec).unwrap();
    }

    /// Takes and acknowledges events until `done` returns true; panics at the time limit.
    pub(crate) fn run(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + limit;
        while !done(self) {
            let stats: Vec<String> = self.executors.iter().map(Executor::stats).collect();
            assert!(Instant::now() < deadline, "condition not met within {limit:?}: {stats:#?}");
            self.take();
            self.bell.wait(Duration::from_millis(200));
        }
    }

    fn take(&mut self) {
        for executor in &self.executors {
            let events = executor.take_events(usize::MAX);
            for HandedOut { event, .. } in &events {
                if event.state == TaskState::Running {
                    self.started += 1;
                } else {
                    let entry = self.ended.entry(event.key.to_string()).or_insert((event.state, 0));
                    *entry = (event.state, entry.1 + 1);
                }
            }
            executor.acknowledge(&events.iter().map(|event| event.seq).collect::<Vec<_>>());
        }
    }

    /// Checks that each of this number of tasks has one final event, SUCCEEDED.
    pub(crate) fn assert_all_succeeded_once(&self, tasks: usize) {
        assert_eq!(self.ended.len(), tasks);
        for (key, ended) in &self.ended {
            assert_eq!(*ended, (TaskState::Succeeded, 1), "{key}");
        }
    }

    /// Sum of a figure over all executors.
    pub(crate) fn sum(&self, pointer: &str) -> u64 {
        self.stats().iter().map(|stats| stats.pointer(pointer).and_then(Value::as_u64).unwrap()).sum()
    }

    /// Largest value of a figure.
    pub(crate) fn most(&self, pointer: &str) -> u64 {
        self.stats().iter().map(|stats| stats.pointer(pointer).and_then(Value::as_u64).unwrap()).max().unwrap_or(0)
    }

    pub(crate) fn stats(&self) -> Vec<Value> {
        self.executors.iter().map(|executor| serde_json::from_str(&executor.stats()).unwrap()).collect()
    }

    pub(crate) fn end(&mut self) {
        for executor in self.executors.drain(..) {
            executor.shutdown(Duration::from_secs(2));
        }
    }
}
