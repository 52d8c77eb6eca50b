//! The list of all options with their descriptions. The program's flags and its help are made from it.

/// One option of the JSON object, also a flag of the program (`function_name` is `--function-name`).
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// Name in the JSON object.
    pub name: &'static str,
    /// Type of a flag's value.
    pub kind: OptionKind,
    /// Placeholder of the value in the help.
    pub value: &'static str,
    /// Description with the default.
    pub help: &'static str,
}

/// How the value of a flag becomes JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OptionKind {
    /// A whole number.
    Number,
    /// A string as it is.
    Text,
    /// JSON.
    Json,
}

const fn option(name: &'static str, kind: OptionKind, value: &'static str, help: &'static str) -> OptionInfo {
    OptionInfo { name, kind, value, help }
}

use OptionKind::{Json, Number, Text};

/// All options.
pub const OPTIONS: &[OptionInfo] = &[
    option(
        "handler",
        Text,
        "HANDLER",
        "what runs events: exec (the program lambda-executor-function, the default), builtin (no process; takes a \
         configured time and reports a configured return code), or a command line that speaks the Lambda Runtime API",
    ),
    option(
        "program_dir",
        Text,
        "DIR",
        "folder of lambda-executor-function for exec; default: beside the library, in bin of its installation, \
         beside this executable, then on PATH",
    ),
    option("port", Number, "PORT", "port on 127.0.0.1; default 0: any free port"),
    option("region", Text, "REGION", "region of ARNs and signatures; default us-east-1"),
    option("access_key_id", Text, "ID", "credentials that requests must be signed with; default: random"),
    option(
        "secret_access_key",
        Text,
        "KEY",
        "secret of access_key_id; default: random. Pass it in a file (--config): every user of the machine can read \
         command lines",
    ),
    option(
        "lasting_access_key_id",
        Text,
        "ID",
        "a second pair of credentials, which does not expire by expire_credentials_after_ms. Handlers receive it, as \
         functions have their own role on AWS; default: none",
    ),
    option("lasting_secret_access_key", Text, "KEY", "secret of lasting_access_key_id; pass it in a file (--config)"),
    option("function_name", Text, "NAME", "function created at start; default lambda-executor-local"),
    option("queue_name", Text, "NAME", "results queue created at start; default lambda-executor-results"),
    option(
        "dead_letter_queue_name",
        Text,
        "NAME",
        "dead letter queue created at start; default lambda-executor-dead-letters",
    ),
    option(
        "concurrency",
        Number,
        "N",
        "concurrent invocations of the function; further events wait. Default: twice the processors, 1,000 with \
         builtin. 0 sends every event to the dead letter queue",
    ),
    option("timeout_ms", Number, "MS", "time limit of an invocation, then SIGKILL; at most and by default 900,000"),
    option(
        "memory_mb",
        Number,
        "MB",
        "memory in MB that handlers find in their environment; default 128. It is not enforced",
    ),
    option("env", Json, "JSON", "additional environment variables of handlers, an object of strings"),
    option("working_directory", Text, "DIR", "folder in which handlers start; default: the current folder"),
    option(
        "handler_output",
        Text,
        "WHERE",
        "output of handlers: discard (the default), inherit, or the path of a file to append to",
    ),
    option("maximum_retry_attempts", Number, "N", "retries of an event after a function error, 0 to 2; default 2"),
    option("maximum_event_age_ms", Number, "MS", "age at which a waiting event is given up; default 21,600,000"),
    option(
        "retry_base_ms",
        Number,
        "MS",
        "wait before the first retry, doubled before the second; default 1,000 (AWS waits about a minute)",
    ),
    option(
        "on_failure",
        Text,
        "FORM",
        "form of a failed event in the dead letter queue: dead_letter_queue (the event, the default) or destination \
         (the record of an on-failure destination)",
    ),
    option(
        "builtin",
        Json,
        "JSON",
        "behaviour of the builtin handler: {duration_ms, return_code, error_rate, failure_rate, output_tail}. An \
         event's executor_config.builtin overrides it: {duration_ms, return_code, output_tail, crash, silent, \
         duplicate}",
    ),
    option(
        "faults",
        Json,
        "JSON",
        "faults to inject: {latency_ms, throttle, error, drop, hang, lambda: {...}, sqs: {...}, outages: \
         [{after_ms: 0, for_ms: 1000, kind: refuse|error}], lambda_states: [{after_ms: 0, for_ms: 1000, state: \
         Pending|Inactive|Failed|Active, function: all}], expire_credentials_after_ms, idle_close_ms, messages: \
         {duplicate, lose, delay, delay_ms}, seed}; rates are from 0 to 1. POST /_local/faults replaces them",
    ),
    option("worker_threads", Number, "N", "threads that serve requests; default 1"),
];
