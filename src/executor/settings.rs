//! The executor's own settings: plain numbers, already checked. Defaults and allowed values are in `config/`.

use super::ports::RouteId;
use super::task::Refusal;

/// A function that tasks can be sent to, with its own limits.
#[derive(Clone, Debug)]
pub struct RouteSettings {
    /// The name tasks ask for.
    pub name: String,
    /// At most so many Invokes at once; the level below it is found by trial.
    pub max_concurrent_invokes: usize,
    /// At most so many Invokes a second; 0 is no limit.
    pub max_invokes_per_second: u32,
    /// At most so many tasks submitting or running; 0 is no limit.
    pub max_running_tasks: usize,
    /// Silence for so long after the 202 makes a task LOST.
    pub result_timeout_ms: u64,
    /// At most so many tasks in one Invoke.
    pub batch_size: usize,
    /// An Invoke that could carry more tasks waits so long for them.
    pub batch_wait_ms: u64,
    /// At most so many tasks of one Invoke run at the same time.
    pub batch_parallel: u32,
    /// Limit of the event of several tasks in bytes.
    pub batch_bytes: usize,
    /// True: tasks of a batch that Lambda gave up are sent again, each alone. False: they fail.
    pub batch_resubmit: bool,
}

/// What is expected in a queue, and so what is done with what is not understood.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QueueKind {
    /// Results: what is malformed is deleted.
    Results,
    /// Dead letters, perhaps of other functions too: what is not understood is released.
    DeadLetters,
}

/// One queue that is received from.
#[derive(Clone, Debug)]
pub struct QueueSettings {
    /// For the log and the statistics.
    pub name: String,
    /// What is expected in it.
    pub kind: QueueKind,
    /// A FIFO queue, which costs more.
    pub fifo: bool,
}

/// Everything that the state machine gets at its creation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// At least one; the first is the default.
    pub routes: Vec<RouteSettings>,
    /// At most so many Invokes and probes of all routes at once: each has a connection of its own.
    pub max_invokes_in_flight: usize,
    /// Results first.
    pub queues: Vec<QueueSettings>,
    /// Queue URL named to the function.
    pub reply_to: String,
    /// True: only names of `routes` are accepted as a task's queue. False: the task's queue is ignored.
    pub route_by_queue: bool,
    /// True: `function_qualifier` and `timeout_ms` in a task's `executor_config` are for its own invocation.
    pub allow_task_overrides: bool,
    /// Attempts to invoke before a task fails.
    pub max_invoke_attempts: u32,
    /// Limit of tasks waiting.
    pub max_queued_tasks: usize,
    /// Limit of a task's event in bytes.
    pub max_payload_bytes: usize,
    /// Receiving pauses when so many results wait for the host.
    pub max_unacked_results: usize,
    /// So many finished, acknowledged tasks stay visible.
    pub keep_finished: usize,
    /// A task that waited so long in an outage fails.
    pub max_outage_ms: u64,
    /// Longest time for which an unmatched message is hidden before other readers of the queue may see it again, in s.
    pub max_unmatched_delay_s: u32,
    /// False leaves RUNNING out of the events.
    pub running_events: bool,
    /// True: nothing is submitted before a health check has passed.
    pub check_health_on_startup: bool,
    /// Seed of the jitter.
    pub seed: u64,
}

impl Settings {
    /// The route that a task's queue name selects.
    pub fn route_named(&self, key: &str, queue: &str) -> Result<RouteId, Refusal> {
        if !self.route_by_queue || queue.is_empty() {
            return Ok(0);
        }
        self.routes.iter().position(|route| route.name == queue).ok_or_else(|| Refusal::UnknownQueue {
            key: key.into(),
            queue: queue.into(),
            known: self.routes.iter().map(|route| route.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }
}

impl Default for Settings {
    /// The defaults of section 5 of the design, one route and two queues: for tests.
    fn default() -> Self {
        Self {
            routes: vec![RouteSettings {
                name: "default".into(),
                max_concurrent_invokes: 64,
                max_invokes_per_second: 0,
                max_running_tasks: 0,
                result_timeout_ms: 23_400_000,
                batch_size: 1,
                batch_wait_ms: 100,
                batch_parallel: 1,
                batch_bytes: 1_000_000,
                batch_resubmit: false,
            }],
            max_invokes_in_flight: usize::MAX,
            queues: vec![
                QueueSettings { name: "results".into(), kind: QueueKind::Results, fifo: false },
                QueueSettings { name: "dead letters".into(), kind: QueueKind::DeadLetters, fifo: false },
            ],
            reply_to: "http://127.0.0.1/000000000000/results".into(),
            route_by_queue: false,
            allow_task_overrides: false,
            max_invoke_attempts: 3,
            max_queued_tasks: 1_000_000,
            max_payload_bytes: 1_000_000,
            max_unacked_results: 10_000,
            keep_finished: 10_000,
            max_outage_ms: 3_600_000,
            max_unmatched_delay_s: 60,
            running_events: true,
            check_health_on_startup: false,
            seed: 1,
        }
    }
}
