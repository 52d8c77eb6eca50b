//! Every option: one constant each, and their order.

use super::{Default, Kind, Opt, Origin};

const fn airflow(name: &'static str, kind: Kind, default: Default, doc: &'static str) -> Opt {
    Opt { name, kind, default, origin: Origin::Airflow, secret: false, doc }
}

const fn own(name: &'static str, kind: Kind, default: Default, doc: &'static str) -> Opt {
    Opt { name, kind, default, origin: Origin::Own, secret: false, doc }
}

const fn number(name: &'static str, min: u64, max: u64, default: u64, doc: &'static str) -> Opt {
    own(name, Kind::Integer { min, max }, Default::Integer(default), doc)
}

/// 14 days: no SQS queue keeps a message for longer.
const LONGEST_MS: u64 = 14 * 24 * 3_600_000;

pub(crate) static FUNCTION_NAME: Opt = airflow(
    "function_name",
    Kind::FunctionName,
    Default::Required,
    "Name or ARN of the Lambda function that runs the tasks. `name:alias` is allowed.",
);
pub(crate) static FUNCTION_QUALIFIER: Opt = airflow(
    "function_qualifier",
    Kind::Qualifier,
    Default::Absent,
    "Version or alias of the function. Default: `$LATEST`.",
);
pub(crate) static QUALIFIER: Opt = airflow(
    "qualifier",
    Kind::Qualifier,
    Default::Absent,
    "Older name of `function_qualifier`, which is used if both are given.",
);
pub(crate) static QUEUE_URL: Opt = airflow(
    "queue_url",
    Kind::QueueUrl,
    Default::Required,
    "URL of the results queue: the SQS queue that the function sends results to. A FIFO queue (a URL ending in \
     `.fifo`) works too.",
);
pub(crate) static DEAD_LETTER_QUEUE_URL: Opt = airflow(
    "dead_letter_queue_url",
    Kind::QueueUrl,
    Default::Required,
    "URL of the dead letter queue: the SQS queue that Lambda sends events to that it could not run. Lambda cannot \
     send to a FIFO queue: a URL ending in `.fifo` is accepted, and the health check warns.",
);
pub(crate) static REGION_NAME: Opt = airflow(
    "region_name",
    Kind::Text,
    Default::Absent,
    "AWS region. Default: that of the AWS default chain (`AWS_REGION`, profile, instance), else the one in the \
     queue URL or the function's ARN.",
);
pub(crate) static CHECK_HEALTH_ON_STARTUP: Opt = airflow(
    "check_health_on_startup",
    Kind::Boolean,
    Default::Boolean(true),
    "Check the functions and queues at start. Tasks of a route are submitted once its function and all queues are \
     usable.",
);
pub(crate) static MAX_INVOKE_ATTEMPTS: Opt = airflow(
    "max_invoke_attempts",
    Kind::Integer { min: 1, max: 1_000 },
    Default::Integer(3),
    "Attempts to invoke before a task fails. Throttling, outages and missing credentials use no attempt.",
);
pub(crate) static END_WAIT_TIMEOUT: Opt = airflow(
    "end_wait_timeout",
    Kind::Integer { min: 0, max: LONGEST_MS / 1_000 },
    Default::Integer(0),
    "Seconds that a host waits for running tasks before it ends (`lambda_executor_drain` with the configured \
     timeout). 0: no limit.",
);
pub(crate) static CONN_ID: Opt = airflow(
    "conn_id",
    Kind::Text,
    Default::Text("aws_default"),
    "Airflow connection with the credentials (`AIRFLOW_CONN_*`). If there is no such connection, the AWS default \
     chain is used. Needs `airflow`.",
);
pub(crate) static AIRFLOW: Opt = own(
    "airflow",
    Kind::Boolean,
    Default::Boolean(false),
    "Also read the options of Airflow's section `aws_lambda_executor` from the environment and `airflow.cfg`, and \
     credentials from Airflow's connections. True if the whole configuration is NULL.",
);
pub(crate) static TEAM: Opt = own(
    "team",
    Kind::Team,
    Default::Absent,
    "Airflow team. Its options and connections are read in place of the common ones. Needs `airflow`.",
);
pub(crate) static CREDENTIALS: Opt = Opt {
    secret: true,
    ..own(
        "credentials",
        Kind::Object,
        Default::Absent,
        "AWS credentials: an object with `access_key_id`, `secret_access_key` and, if they are temporary, \
         `session_token`. Used in place of a connection's or the AWS default chain's.",
    )
};
pub(crate) static QUEUES: Opt = own(
    "queues",
    Kind::Queues,
    Default::Absent,
    "Routes: functions, versions and limits by the queue name of a task. The top-level options are the route \
     `default`, for tasks without a queue name. An entry inherits them; tasks with an unknown queue name are \
     refused. Without this option, queue names are ignored.",
);
pub(crate) static ALLOW_TASK_OVERRIDES: Opt = own(
    "allow_task_overrides",
    Kind::Boolean,
    Default::Boolean(false),
    "Accept `function_qualifier` and `timeout_ms` (limit of the command, in milliseconds) in a task's \
     `executor_config`, for this task only. Invalid values are refused when the task is queued. If false, the two \
     keys have no effect.",
);
pub(crate) static JOURNAL: Opt = own(
    "journal",
    Kind::Later("tasks are not stored on disk; adopt running tasks after a restart"),
    Default::Absent,
    "Where tasks are stored on disk.",
);
pub(crate) static ENDPOINT_URL: Opt = own(
    "endpoint_url",
    Kind::Endpoint,
    Default::Absent,
    "Endpoint of all AWS services. Default: `AWS_ENDPOINT_URL_LAMBDA` and `AWS_ENDPOINT_URL_SQS`, else \
     `AWS_ENDPOINT_URL`, else AWS.",
);
pub(crate) static REPLY_QUEUE_URL: Opt = own(
    "reply_queue_url",
    Kind::QueueUrl,
    Default::Absent,
    "URL of a results queue for this executor only. Each event names it to the function; results are received from \
     it and from `queue_url`. A FIFO queue works too. Default: `queue_url`.",
);
pub(crate) static RESULT_TIMEOUT_MS: Opt = number(
    "result_timeout_ms",
    1,
    LONGEST_MS,
    23_400_000,
    "Milliseconds from Lambda's acceptance of a task until it is LOST if no result arrives. The default is 6 h in \
     Lambda's queue (its greatest `MaximumEventAge`), 15 min of run time (its greatest timeout) and 15 min of \
     reserve. LOST is reported only after all queues have been read since then: up to 40 s (two long polls) and \
     `max_unmatched_delay_s` later.",
);
pub(crate) static MAX_OUTAGE_MS: Opt = number(
    "max_outage_ms",
    1,
    LONGEST_MS,
    3_600_000,
    "Milliseconds that a task may wait because Lambda or its function is unavailable before it fails.",
);
pub(crate) static TRANSPORT: Opt = own(
    "transport",
    Kind::Choice(&["direct", "sdk"]),
    Default::Text("direct"),
    "What makes the calls of each task (Invoke; receiving, deleting and hiding messages): `direct` is the library itself, \
     `sdk` the AWS SDK. Both have the same behaviour and the same HTTP client; `direct` needs a fraction of the CPU time. \
     All other calls are the SDK's.",
);
pub(crate) static CONNECT_TIMEOUT_MS: Opt =
    number("connect_timeout_ms", 1, 60_000, 3_100, "Milliseconds allowed for establishing a connection.");
pub(crate) static INVOKE_TIMEOUT_MS: Opt =
    number("invoke_timeout_ms", 1, 900_000, 10_000, "Milliseconds allowed for one Invoke call.");
pub(crate) static MAX_QUEUED_TASKS: Opt = number(
    "max_queued_tasks",
    1,
    100_000_000,
    1_000_000,
    "Tasks that may be queued. Further ones are refused with QUEUE_FULL.",
);
pub(crate) static MAX_RUNNING_TASKS: Opt =
    number("max_running_tasks", 0, 100_000_000, 0, "Tasks that may be submitting or running. 0: no limit.");
pub(crate) static MAX_CONCURRENT_INVOKES: Opt = own(
    "max_concurrent_invokes",
    Kind::Integer { min: 1, max: 4_096 },
    Default::Absent,
    "Invoke calls of a route in flight at the same time, at most. Their number is found by trial in any case: it grows \
     while more calls carry more tasks, and is halved when Lambda throttles. Without this option all routes together have \
     at most 1,024, or half of the files that the process may open (`ulimit -n`) if that is less; a quarter with `local`.",
);
pub(crate) static MAX_INVOKES_PER_SECOND: Opt =
    number("max_invokes_per_second", 0, 1_000_000, 0, "Invoke calls per second, at most. 0: no limit.");
pub(crate) static BATCH_SIZE: Opt = number(
    "batch_size",
    1,
    100,
    1,
    "Tasks that one Invoke may carry. More than 1 only for a function that understands several tasks in one invocation: \
     the function program of this project does, Airflow's handler does not. See docs/routing.md.",
);
pub(crate) static BATCH_WAIT_MS: Opt = number(
    "batch_wait_ms",
    0,
    60_000,
    100,
    "With `batch_size`: milliseconds that a task waits for others to share its Invoke, at most. A task with a \
     `max_wait_ms` of its own does not wait.",
);
pub(crate) static BATCH_PARALLEL: Opt = number(
    "batch_parallel",
    1,
    100,
    1,
    "With `batch_size`: tasks of one Invoke that the function runs at the same time. 1: one after another.",
);
pub(crate) static BATCH_RESUBMIT: Opt = own(
    "batch_resubmit",
    Kind::Boolean,
    Default::Boolean(false),
    "With `batch_size`: what becomes of tasks that shared an event which Lambda gave up. True: those that have not ended \
     are sent again, once, each alone; some of them may have run before. False: they fail.",
);
pub(crate) static MAX_PAYLOAD_BYTES: Opt = number(
    "max_payload_bytes",
    1,
    1_048_576,
    1_000_000,
    "Size limit of an event in bytes. Larger tasks are refused, and several tasks share an event up to this size. Lambda \
     accepts 1 MiB in asynchronous invocations.",
);
pub(crate) static MAX_UNACKED_RESULTS: Opt = number(
    "max_unacked_results",
    1,
    100_000,
    10_000,
    "Results that may be unacknowledged before receiving pauses. It also pauses at 256 MiB of them. SQS allows \
     120,000 messages in flight per queue.",
);
pub(crate) static MAX_UNMATCHED_DELAY_S: Opt = number(
    "max_unmatched_delay_s",
    1,
    900,
    60,
    "Seconds that a message that belongs to no task of this executor stays hidden from other executors, at most. A \
     task is not LOST earlier than this after its result timeout.",
);
pub(crate) static KEEP_FINISHED: Opt =
    number("keep_finished", 0, 10_000_000, 10_000, "Finished and acknowledged tasks whose state can still be queried.");
pub(crate) static WORKER_THREADS: Opt = number(
    "worker_threads",
    1,
    64,
    1,
    "Threads that make the calls to Lambda. With `transport` `direct`, one made 14,000 to 28,000 Invokes a second in \
     the benchmark, without TLS (docs/performance.md). One more thread makes the calls to the queues.",
);
pub(crate) static SHUTDOWN_GRACE_MS: Opt = number(
    "shutdown_grace_ms",
    0,
    600_000,
    2_000,
    "Milliseconds that `lambda_executor_free` may take to delete acknowledged results and to release the others.",
);
pub(crate) static RUNNING_EVENTS: Opt =
    own("running_events", Kind::Boolean, Default::Boolean(true), "Report an event when Lambda has accepted a task.");
pub(crate) static LOG: Opt = own(
    "log",
    Kind::Choice(&["off", "error", "warn", "info", "debug", "trace"]),
    Default::Text("warn"),
    "Least serious level that is written to stderr while no log callback is set. Nothing is written if stderr was \
     closed at create, or has become another file since that is not opened for appending.",
);
pub(crate) static LOCAL: Opt = own(
    "local",
    Kind::Object,
    Default::Absent,
    "Use a Lambda and an SQS inside this process in place of AWS, for development, tests and demonstrations.",
);

/// Every option, in the order of the reference page.
pub(crate) static ALL: [&Opt; 40] = [
    &FUNCTION_NAME,
    &FUNCTION_QUALIFIER,
    &QUALIFIER,
    &QUEUE_URL,
    &DEAD_LETTER_QUEUE_URL,
    &REPLY_QUEUE_URL,
    &REGION_NAME,
    &CHECK_HEALTH_ON_STARTUP,
    &MAX_INVOKE_ATTEMPTS,
    &END_WAIT_TIMEOUT,
    &CONN_ID,
    &AIRFLOW,
    &TEAM,
    &CREDENTIALS,
    &ENDPOINT_URL,
    &TRANSPORT,
    &CONNECT_TIMEOUT_MS,
    &INVOKE_TIMEOUT_MS,
    &QUEUES,
    &ALLOW_TASK_OVERRIDES,
    &MAX_QUEUED_TASKS,
    &MAX_RUNNING_TASKS,
    &MAX_CONCURRENT_INVOKES,
    &MAX_INVOKES_PER_SECOND,
    &BATCH_SIZE,
    &BATCH_WAIT_MS,
    &BATCH_PARALLEL,
    &BATCH_RESUBMIT,
    &MAX_PAYLOAD_BYTES,
    &RESULT_TIMEOUT_MS,
    &MAX_OUTAGE_MS,
    &MAX_UNACKED_RESULTS,
    &MAX_UNMATCHED_DELAY_S,
    &KEEP_FINISHED,
    &RUNNING_EVENTS,
    &WORKER_THREADS,
    &SHUTDOWN_GRACE_MS,
    &LOG,
    &JOURNAL,
    &LOCAL,
];
