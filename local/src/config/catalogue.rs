//! Every option with a description: the source of the program's flags and of its help.

/// One option of the JSON object, also a flag of the program (`function_name` is `--function-name`).
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// As it stands in the JSON object.
    pub name: &'static str,
    /// How a flag's value is read.
    pub kind: OptionKind,
    /// What a value looks like.
    pub value: &'static str,
    /// What it is, and its default.
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
        "where exec has lambda-executor-function; else it is looked for beside the library and in bin of its installation, \
         beside this executable, on PATH",
    ),
    option("port", Number, "PORT", "port on 127.0.0.1; 0, the default, takes any free one"),
    option("region", Text, "REGION", "region of ARNs and signatures; us-east-1"),
    option("access_key_id", Text, "ID", "credentials that requests must be signed with; made at random"),
    option(
        "secret_access_key",
        Text,
        "KEY",
        "made at random; better given in a file (--config), since every user of the machine can read command lines",
    ),
    option(
        "lasting_access_key_id",
        Text,
        "ID",
        "a second pair of credentials, which expire_credentials_after_ms spares; handlers get it, as functions have a \
         role of their own. None",
    ),
    option("lasting_secret_access_key", Text, "KEY", "of lasting_access_key_id; better given in a file (--config)"),
    option("function_name", Text, "NAME", "the function made at start; lambda-executor-local"),
    option("queue_name", Text, "NAME", "the results queue made at start; lambda-executor-results"),
    option("dead_letter_queue_name", Text, "NAME", "the dead letter queue made at start; lambda-executor-dead-letters"),
    option(
        "concurrency",
        Number,
        "N",
        "invocations of the function at a time, the rest waits; twice the processors, 1,000 with builtin. 0 sends \
         every event to the dead letter queue",
    ),
    option("timeout_ms", Number, "MS", "time limit of an invocation, up to 900,000, the default; then SIGKILL"),
    option("memory_mb", Number, "MB", "memory in MB that handlers find in their environment; 128. It limits nothing"),
    option("env", Json, "JSON", "extra environment variables for handlers, an object of strings"),
    option("working_directory", Text, "DIR", "folder in which handlers start; the current one"),
    option(
        "handler_output",
        Text,
        "WHERE",
        "output of handlers: discard (the default), inherit, or a file to append it to",
    ),
    option("maximum_retry_attempts", Number, "N", "retries of an event after a function error, 0 to 2; 2"),
    option("maximum_event_age_ms", Number, "MS", "an event older than this is given up; 21,600,000"),
    option(
        "retry_base_ms",
        Number,
        "MS",
        "wait before the first retry, twice that before the second; 1,000 (AWS waits about a minute)",
    ),
    option(
        "on_failure",
        Text,
        "FORM",
        "what reaches the dead letter queue: dead_letter_queue (the event, the default) or destination (the record of \
         an on-failure destination)",
    ),
    option(
        "builtin",
        Json,
        "JSON",
        "what the builtin handler does: {duration_ms, return_code, error_rate, failure_rate, output_tail}. An event's \
         executor_config.builtin overrides it: {duration_ms, return_code, output_tail, crash, silent, duplicate}",
    ),
    option(
        "faults",
        Json,
        "JSON",
        "what goes wrong on purpose: {latency_ms, throttle, error, drop, hang, lambda: {...}, sqs: {...}, outages: \
         [{after_ms: 0, for_ms: 1000, kind: refuse|error}], lambda_states: [{after_ms: 0, for_ms: 1000, state: \
         Pending|Inactive|Failed|Active, function: all}], expire_credentials_after_ms, idle_close_ms, messages: {duplicate, \
         lose, delay, delay_ms}, seed}; rates are from 0 to 1. POST /_local/faults replaces it while running",
    ),
    option("worker_threads", Number, "N", "threads that serve requests; 1"),
];
