//! The table of options: everything else about them (what is accepted, the JSON Schema, the reference page) follows
//! from it. To add an option, add a constant, list it in [`ALL`], and use it in `assemble.rs`.

/// What an option accepts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Text that is not empty.
    Text,
    /// Name, `name:alias`, partial or whole ARN of a Lambda function.
    FunctionName,
    /// Version or alias of a function.
    Qualifier,
    /// URL of an SQS queue.
    QueueUrl,
    /// Team of Airflow's.
    Team,
    /// Scheme, host, perhaps port and path of a service.
    Endpoint,
    /// A whole number; both ends included.
    Integer {
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// True or false.
    Boolean,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An object that somebody else reads; passed on as written.
    Object,
    /// An object of queues by name; read in `queues.rs`.
    Queues,
    /// Not in this version. Null and false say "not wanted", which is fine; the text says what to do meanwhile.
    Later(&'static str),
}

impl Kind {
    /// True if its values are text.
    pub(crate) fn is_text(self) -> bool {
        match self {
            Self::Text | Self::FunctionName | Self::Qualifier | Self::QueueUrl | Self::Team | Self::Endpoint => true,
            Self::Integer { .. } | Self::Boolean | Self::Choice(_) | Self::Object | Self::Queues | Self::Later(_) => {
                false
            }
        }
    }
}

/// What is used where the option is not given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Default {
    /// Nothing.
    Absent,
    /// There must be a value, unless `local` makes one.
    Required,
    /// This number.
    Integer(u64),
    /// This truth value.
    Boolean(bool),
    /// This text.
    Text(&'static str),
}

/// Where an option comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// Airflow's section `aws_lambda_executor` has it too, with the same meaning.
    Airflow,
    /// Only this library has it.
    Own,
}

/// One option.
#[derive(Debug)]
pub(crate) struct Opt {
    /// Name in JSON.
    pub(crate) name: &'static str,
    /// What it accepts.
    pub(crate) kind: Kind,
    /// What is used without it.
    pub(crate) default: Default,
    /// Whose it is.
    pub(crate) origin: Origin,
    /// True: its value never appears in an error, a log or a description.
    pub(crate) secret: bool,
    /// One sentence for the reference page, with its unit.
    pub(crate) doc: &'static str,
}

const fn airflow(name: &'static str, kind: Kind, default: Default, doc: &'static str) -> Opt {
    Opt { name, kind, default, origin: Origin::Airflow, secret: false, doc }
}

const fn own(name: &'static str, kind: Kind, default: Default, doc: &'static str) -> Opt {
    Opt { name, kind, default, origin: Origin::Own, secret: false, doc }
}

const fn number(name: &'static str, min: u64, max: u64, default: u64, doc: &'static str) -> Opt {
    own(name, Kind::Integer { min, max }, Default::Integer(default), doc)
}

/// 14 days: no queue keeps a message for longer.
const LONGEST_MS: u64 = 14 * 24 * 3_600_000;

pub(crate) static FUNCTION_NAME: Opt = airflow(
    "function_name",
    Kind::FunctionName,
    Default::Required,
    "Name or ARN of the Lambda function that runs the tasks, also as `name:alias`.",
);
pub(crate) static FUNCTION_QUALIFIER: Opt = airflow(
    "function_qualifier",
    Kind::Qualifier,
    Default::Absent,
    "Version or alias of the function; without it `$LATEST`.",
);
pub(crate) static QUALIFIER: Opt = airflow(
    "qualifier",
    Kind::Qualifier,
    Default::Absent,
    "Older name of `function_qualifier`, which wins where both are given.",
);
pub(crate) static QUEUE_URL: Opt =
    airflow("queue_url", Kind::QueueUrl, Default::Required, "URL of the SQS queue that results arrive in.");
pub(crate) static DEAD_LETTER_QUEUE_URL: Opt = airflow(
    "dead_letter_queue_url",
    Kind::QueueUrl,
    Default::Required,
    "URL of the SQS queue that receives what Lambda could not finish.",
);
pub(crate) static REGION_NAME: Opt = airflow(
    "region_name",
    Kind::Text,
    Default::Absent,
    "AWS region; without it the default chain's (`AWS_REGION`, profile, instance), else the one in queue URL or ARN.",
);
pub(crate) static CHECK_HEALTH_ON_STARTUP: Opt = airflow(
    "check_health_on_startup",
    Kind::Boolean,
    Default::Boolean(true),
    "Submit nothing before function and queues have been found to be usable.",
);
pub(crate) static MAX_INVOKE_ATTEMPTS: Opt = airflow(
    "max_invoke_attempts",
    Kind::Integer { min: 1, max: 1_000 },
    Default::Integer(3),
    "Attempts to invoke before a task fails; throttling, outages and missing credentials use none.",
);
pub(crate) static END_WAIT_TIMEOUT: Opt = airflow(
    "end_wait_timeout",
    Kind::Integer { min: 0, max: LONGEST_MS / 1_000 },
    Default::Integer(0),
    "Seconds that a host waits for running tasks when it ends; 0 is for ever.",
);
pub(crate) static CONN_ID: Opt = airflow(
    "conn_id",
    Kind::Text,
    Default::Text("aws_default"),
    "Airflow connection with the credentials (`AIRFLOW_CONN_*`); where there is none of that name, the AWS default chain. Needs `airflow`.",
);
pub(crate) static AIRFLOW: Opt = own(
    "airflow",
    Kind::Boolean,
    Default::Boolean(false),
    "Also read the options of Airflow's section `aws_lambda_executor` from the environment and `airflow.cfg`, and credentials from Airflow's connections. True where the whole configuration is NULL.",
);
pub(crate) static TEAM: Opt = own(
    "team",
    Kind::Team,
    Default::Absent,
    "Airflow team whose options and connections are read, in place of those of all. Needs `airflow`.",
);
pub(crate) static CREDENTIALS: Opt = Opt {
    secret: true,
    ..own(
        "credentials",
        Kind::Object,
        Default::Absent,
        "Credentials in place of a connection's or the AWS default chain's: an object with `access_key_id`, `secret_access_key` and, for temporary ones, `session_token`.",
    )
};
pub(crate) static QUEUES: Opt = own(
    "queues",
    Kind::Queues,
    Default::Absent,
    "Functions, versions and limits by the name of a task's queue. An entry inherits what it leaves out from the options beside `queues`, which are the route `default`, also of tasks without a queue; any other name is refused. Without this option a task's queue is ignored.",
);
pub(crate) static ALLOW_TASK_OVERRIDES: Opt = own(
    "allow_task_overrides",
    Kind::Boolean,
    Default::Boolean(false),
    "Let a task's `executor_config` name a `function_qualifier` and a `timeout_ms` (of its command, in milliseconds) for itself, in place of those configured or given with the task; wrong values are refused when the task is queued. Otherwise the two are passed on like any other key, without effect.",
);
pub(crate) static JOURNAL: Opt = own(
    "journal",
    Kind::Later("tasks are not kept on disk yet; adopt running tasks after a restart"),
    Default::Absent,
    "Where tasks are kept on disk.",
);
pub(crate) static ENDPOINT_URL: Opt = own(
    "endpoint_url",
    Kind::Endpoint,
    Default::Absent,
    "Endpoint of all AWS services; without it `AWS_ENDPOINT_URL_LAMBDA`, `AWS_ENDPOINT_URL_SQS`, `AWS_ENDPOINT_URL`, else AWS.",
);
pub(crate) static REPLY_QUEUE_URL: Opt = own(
    "reply_queue_url",
    Kind::QueueUrl,
    Default::Absent,
    "Results queue of this executor alone, named to the function in each event; without it `queue_url`. Both are received from.",
);
pub(crate) static RESULT_TIMEOUT_MS: Opt = number(
    "result_timeout_ms",
    1,
    LONGEST_MS,
    23_400_000,
    "Milliseconds after which a task of which nothing was heard is LOST, once both queues have been read without a gap since: up to two long polls (40 s) and max_stranger_delay_s later. The default is 6 h in Lambda's queue, 15 min of run time, 15 min of grace.",
);
pub(crate) static MAX_OUTAGE_MS: Opt = number(
    "max_outage_ms",
    1,
    LONGEST_MS,
    3_600_000,
    "Milliseconds that a task may wait because Lambda cannot be reached before it fails.",
);
pub(crate) static CONNECT_TIMEOUT_MS: Opt =
    number("connect_timeout_ms", 1, 60_000, 3_100, "Milliseconds that establishing a connection may take.");
pub(crate) static INVOKE_TIMEOUT_MS: Opt =
    number("invoke_timeout_ms", 1, 900_000, 10_000, "Milliseconds that one call of Invoke may take.");
pub(crate) static MAX_QUEUED_TASKS: Opt =
    number("max_queued_tasks", 1, 100_000_000, 1_000_000, "Tasks that may wait; more are refused.");
pub(crate) static MAX_RUNNING_TASKS: Opt =
    number("max_running_tasks", 0, 100_000_000, 0, "Tasks that may be submitting or running; 0 is no limit.");
pub(crate) static MAX_CONCURRENT_INVOKES: Opt = number(
    "max_concurrent_invokes",
    1,
    4_096,
    64,
    "Calls of Invoke that may be under way at once; how many are adapts below this.",
);
pub(crate) static MAX_INVOKES_PER_SECOND: Opt =
    number("max_invokes_per_second", 0, 1_000_000, 0, "Calls of Invoke a second; 0 is no limit.");
pub(crate) static MAX_PAYLOAD_BYTES: Opt =
    number("max_payload_bytes", 1, 1_048_576, 1_000_000, "Bytes that the event of a task may have.");
pub(crate) static MAX_UNACKED_RESULTS: Opt = number(
    "max_unacked_results",
    1,
    100_000,
    10_000,
    "Results that may wait for the host before receiving pauses, which it also does at 256 MiB of them; SQS allows 120,000 messages in flight.",
);
pub(crate) static MAX_STRANGER_DELAY_S: Opt = number(
    "max_stranger_delay_s",
    1,
    900,
    60,
    "Longest time in seconds that a message of somebody else stays hidden before it is released; a task is LOST no sooner than this after its deadline.",
);
pub(crate) static KEEP_FINISHED: Opt = number(
    "keep_finished",
    0,
    10_000_000,
    10_000,
    "Finished and acknowledged tasks whose state can still be asked for.",
);
pub(crate) static WORKER_THREADS: Opt = number("worker_threads", 1, 64, 2, "Threads of the executor.");
pub(crate) static SHUTDOWN_GRACE_MS: Opt =
    number("shutdown_grace_ms", 0, 600_000, 2_000, "Milliseconds that freeing the executor may take.");
pub(crate) static ACK: Opt = own(
    "ack",
    Kind::Choice(&["auto", "manual"]),
    Default::Text("auto"),
    "`auto`: freeing a batch acknowledges its events. `manual`: the host acknowledges them one by one.",
);
pub(crate) static RUNNING_EVENTS: Opt =
    own("running_events", Kind::Boolean, Default::Boolean(true), "Tell the host when Lambda has accepted a task.");
pub(crate) static LOG: Opt = own(
    "log",
    Kind::Choice(&["off", "error", "warn", "info", "debug", "trace"]),
    Default::Text("warn"),
    "Least serious level that is written to stderr while no log callback is set.",
);
pub(crate) static LOCAL: Opt = own(
    "local",
    Kind::Object,
    Default::Absent,
    "A Lambda and an SQS inside the process in place of AWS, for development, tests and demonstration.",
);

/// Every option, in the order of the reference page.
pub(crate) static ALL: [&Opt; 36] = [
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
    &CONNECT_TIMEOUT_MS,
    &INVOKE_TIMEOUT_MS,
    &QUEUES,
    &ALLOW_TASK_OVERRIDES,
    &MAX_QUEUED_TASKS,
    &MAX_RUNNING_TASKS,
    &MAX_CONCURRENT_INVOKES,
    &MAX_INVOKES_PER_SECOND,
    &MAX_PAYLOAD_BYTES,
    &RESULT_TIMEOUT_MS,
    &MAX_OUTAGE_MS,
    &MAX_UNACKED_RESULTS,
    &MAX_STRANGER_DELAY_S,
    &KEEP_FINISHED,
    &RUNNING_EVENTS,
    &ACK,
    &WORKER_THREADS,
    &SHUTDOWN_GRACE_MS,
    &LOG,
    &JOURNAL,
    &LOCAL,
];

/// The option of that name.
pub(crate) fn find(name: &str) -> Option<&'static Opt> {
    ALL.into_iter().find(|option| option.name == name)
}

/// The name that somebody who wrote `name` may have meant.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let allowed = (name.chars().count() / 3).max(1);
    ALL.into_iter()
        .map(|option| (distance(name, option.name), option.name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Letters to insert, remove or exchange to get from one to the other, in any case.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    // Names of options are short: beyond that nothing is near, and time must not grow with what was written.
    for (done, letter) in from.chars().take(100).enumerate() {
        let mut diagonal = done;
        let mut left = done + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(&to) {
            let exchange = diagonal + usize::from(!letter.eq_ignore_ascii_case(other));
            diagonal = *cell;
            *cell = exchange.min(diagonal + 1).min(left + 1);
            left = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = done + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for option in ALL {
            assert!(std::ptr::eq(find(option.name).unwrap(), option), "{} is there twice", option.name);
            assert!(option.doc.ends_with('.'), "{}: the sentence has no end", option.name);
        }
        assert!(find("nonsense").is_none());
    }

    #[test]
    fn defaults_are_allowed_values() {
        for option in ALL {
            match (option.kind, option.default) {
                (Kind::Integer { min, max }, Default::Integer(value)) => {
                    assert!((min..=max).contains(&value), "{}", option.name);
                }
                (Kind::Choice(words), Default::Text(word)) => assert!(words.contains(&word), "{}", option.name),
                (Kind::Text, Default::Text(text)) => assert!(!text.is_empty(), "{}", option.name),
                (Kind::Boolean | Kind::Later(_), Default::Boolean(_)) | (_, Default::Absent | Default::Required) => {}
                (kind, default) => panic!("{}: {kind:?} cannot be {default:?}", option.name),
            }
        }
    }

    #[test]
    fn misspelt_names_find_the_one_that_was_meant() {
        assert_eq!(nearest("que_url"), Some("queue_url"));
        assert_eq!(nearest("function"), None);
        assert_eq!(nearest("FUNCTION_NAME"), Some("function_name"));
        assert_eq!(nearest("max_invoke_attempt"), Some("max_invoke_attempts"));
        assert_eq!(nearest("result_timeout"), Some("result_timeout_ms"));
        assert_eq!(nearest("zzz"), None);
        assert_eq!(nearest(""), None);
    }
}
