//! The function's configuration: environment variables, read once and checked before the first event.

use crate::event::Command;
use crate::s3::{Location, MAX_BYTES_VARIABLE, Source};
use crate::variables;
use std::time::Duration;

/// Variables that may name the results queue, in order: Airflow's own handler reads the first and the last, its setup
/// guide also names the second.
const QUEUE_URL_VARIABLES: [&str; 3] =
    ["AIRFLOW__AWS_LAMBDA_EXECUTOR__QUEUE_URL", "AIRFLOW__LAMBDA_EXECUTOR__QUEUE_URL", "QUEUE_URL"];
const MEMORY_SIZE: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
const REPLY_TO_ALLOW: &str = "LAMBDA_EXECUTOR_REPLY_TO_ALLOW";
const OUTPUT_TAIL_BYTES: &str = "LAMBDA_EXECUTOR_OUTPUT_TAIL_BYTES";
const KILL_GRACE_MS: &str = "LAMBDA_EXECUTOR_KILL_GRACE_MS";
const S3_URI: &str = "S3_URI";
const PRE_COMMAND: &str = "PRE_COMMAND";
const POST_COMMAND: &str = "POST_COMMAND";
const PRELOAD: &str = "LAMBDA_EXECUTOR_PRELOAD";
const POST_TIMEOUT_MS: &str = "LAMBDA_EXECUTOR_POST_COMMAND_TIMEOUT_MS";

/// Enough for a stack trace; a result stays far below every limit of SQS.
const DEFAULT_OUTPUT_TAIL_BYTES: u64 = 4_096;
/// The tail uses memory and is part of every result. The log has all of the output.
const MAX_OUTPUT_TAIL_BYTES: u64 = 65_536;
/// Airflow gives the processes of a task a similar time to end.
const DEFAULT_KILL_GRACE_MS: u64 = 5_000;
/// No function runs longer than 15 minutes.
const MAX_DURATION_MS: u64 = 900_000;
/// Half of the default /tmp; commands may use the rest.
const DEFAULT_S3_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// The largest /tmp that can be configured. [gettingstarted-limits]
const LARGEST_DISK_BYTES: u64 = 10_240 * 1024 * 1024;
/// Enough to move some files or to send a message.
const DEFAULT_POST_TIMEOUT_MS: u64 = 10_000;

/// The configuration of the function.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Settings {
    /// Where results go when the event names no queue.
    pub(crate) queue_url: String,
    /// Further queues that an event may name.
    pub(crate) reply_to_allow: Vec<String>,
    /// How much of the end of the output is sent with the result, in bytes.
    pub(crate) output_tail_bytes: usize,
    /// Time between SIGTERM and SIGKILL.
    pub(crate) kill_grace: Duration,
    /// The source of the Dags, if they come from S3.
    pub(crate) s3: Option<Source>,
    /// Runs before each command.
    pub(crate) pre_command: Option<Command>,
    /// Runs after each command.
    pub(crate) post_command: Option<Command>,
    /// Python modules to load before the first command; none for no warm start.
    pub(crate) preload: Vec<String>,
    /// How long POST_COMMAND may take.
    pub(crate) post_timeout: Duration,
}

/// Why the function cannot start. Each is one sentence for the operator.
#[derive(Debug, thiserror::Error, Eq, PartialEq)]
pub(crate) enum SettingsError {
    #[error("no results queue is configured: set {} to its URL", QUEUE_URL_VARIABLES.join(", or "))]
    NoQueue,
    #[error(
        "{variable}: `{value}` is not the URL of a queue (expected https://sqs.<region>.amazonaws.com/<account>/<name>)"
    )]
    NotAUrl { variable: &'static str, value: String },
    #[error("{variable}: `{value}` is not allowed (expected a whole number from 0 to {max})")]
    NotInRange { variable: &'static str, value: String, max: u64 },
    #[error("S3_URI: `{0}` is not a place in S3 (expected s3://<bucket>/<prefix>)")]
    NotInS3(String),
    #[error("{variable}: {problem} (expected a line for /bin/sh, or a JSON list of program and arguments)")]
    NotACommand { variable: &'static str, problem: String },
    #[error("LAMBDA_EXECUTOR_PRELOAD: `{0}` is not the name of a Python module (expected names, separated by commas)")]
    NotAModule(String),
    #[error("no AWS region is configured: set AWS_REGION (Lambda does so by itself)")]
    NoRegion,
    #[error("{0} is not set as Lambda sets it: this program runs inside AWS Lambda, or under lambda-executor-local")]
    NotInLambda(&'static str),
}

impl Settings {
    /// Reads the settings through `variable`, which looks up one variable. An empty value counts as unset.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let set = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        // The runtime crate would panic without these.
        for name in ["AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION"] {
            set(name).ok_or(SettingsError::NotInLambda(name))?;
        }
        if set(MEMORY_SIZE).is_none_or(|size| size.parse::<i32>().is_err()) {
            return Err(SettingsError::NotInLambda(MEMORY_SIZE));
        }
        let (name, queue_url) = QUEUE_URL_VARIABLES
            .iter()
            .find_map(|name| set(name).map(|value| (*name, value)))
            .ok_or(SettingsError::NoQueue)?;
        let queue_url = queue(name, queue_url)?;
        let reply_to_allow = set(REPLY_TO_ALLOW)
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|url| !url.is_empty())
            .map(|url| queue(REPLY_TO_ALLOW, url.to_owned()))
            .collect::<Result<_, _>>()?;
        // Without a region the SDK would look for one on the network, slowly.
        set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION")).ok_or(SettingsError::NoRegion)?;
        let tail = number(OUTPUT_TAIL_BYTES, set(OUTPUT_TAIL_BYTES), DEFAULT_OUTPUT_TAIL_BYTES, MAX_OUTPUT_TAIL_BYTES)?;
        let grace = number(KILL_GRACE_MS, set(KILL_GRACE_MS), DEFAULT_KILL_GRACE_MS, MAX_DURATION_MS)?;
        let location = set(S3_URI).map(|uri| Location::read(&uri).ok_or(SettingsError::NotInS3(uri))).transpose()?;
        let max_bytes = number(MAX_BYTES_VARIABLE, set(MAX_BYTES_VARIABLE), DEFAULT_S3_MAX_BYTES, LARGEST_DISK_BYTES)?;
        let post = number(POST_TIMEOUT_MS, set(POST_TIMEOUT_MS), DEFAULT_POST_TIMEOUT_MS, MAX_DURATION_MS)?;
        Ok(Self {
            s3: location.map(|location| Source { location, max_bytes }),
            pre_command: command(PRE_COMMAND, set(PRE_COMMAND))?,
            post_command: command(POST_COMMAND, set(POST_COMMAND))?,
            preload: modules(set(PRELOAD))?,
            post_timeout: Duration::from_millis(post),
            queue_url,
            reply_to_allow,
            output_tail_bytes: usize::try_from(tail).unwrap_or(usize::MAX),
            kill_grace: Duration::from_millis(grace),
        })
    }

    /// The names that look like variables of this program but are unknown, usually because of a spelling mistake.
    pub(crate) fn unknown<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        const KNOWN: [&str; 6] =
            [REPLY_TO_ALLOW, OUTPUT_TAIL_BYTES, KILL_GRACE_MS, MAX_BYTES_VARIABLE, POST_TIMEOUT_MS, PRELOAD];
        // Except variables of lambda-executor-local and of commands: this program may run inside a command.
        names
            .filter(|name| name.starts_with("LAMBDA_EXECUTOR_") && !name.starts_with("LAMBDA_EXECUTOR_LOCAL_"))
            .filter(|name| !KNOWN.contains(name) && !variables::is_ours(name))
            .collect()
    }

    /// True for the queues that an event may name in `reply_to`.
    pub(crate) fn may_reply_to(&self, url: &str) -> bool {
        url == self.queue_url || self.reply_to_allow.iter().any(|allowed| allowed == url)
    }
}

fn queue(variable: &'static str, value: String) -> Result<String, SettingsError> {
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    let usable = rest.and_then(|rest| rest.split_once('/')).is_some_and(|(host, path)| {
        !host.is_empty() && !path.trim_matches('/').is_empty() && !value.contains(char::is_whitespace)
    });
    if usable { Ok(value) } else { Err(SettingsError::NotAUrl { variable, value }) }
}

fn command(variable: &'static str, value: Option<String>) -> Result<Option<Command>, SettingsError> {
    let wrong = |problem| SettingsError::NotACommand { variable, problem };
    value.map(|value| Command::read_variable(&value).map_err(wrong)).transpose()
}

fn modules(value: Option<String>) -> Result<Vec<String>, SettingsError> {
    let is_name = |name: &str| {
        !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit()) && {
            name.chars().all(|character| character == '_' || character.is_alphanumeric())
        }
    };
    let names = value.unwrap_or_default();
    let names = names.split(',').map(str::trim).filter(|module| !module.is_empty());
    names
        .map(|module| match module.split('.').all(is_name) {
            true => Ok(module.to_owned()),
            false => Err(SettingsError::NotAModule(module.to_owned())),
        })
        .collect()
}

fn number(variable: &'static str, value: Option<String>, default: u64, max: u64) -> Result<u64, SettingsError> {
    let Some(value) = value else { return Ok(default) };
    match value.parse() {
        Ok(number) if number <= max => Ok(number),
        _ => Err(SettingsError::NotInRange { variable, value, max }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/results";

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let mut all = HashMap::from([
            ("AWS_LAMBDA_FUNCTION_NAME", "f"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_REGION", "eu-west-1"),
        ]);
        all.extend(variables.iter().copied());
        Settings::read(|name| all.get(name).map(ToString::to_string))
    }

    #[test]
    fn the_first_queue_that_is_not_empty_wins() {
        let [first, second, third] = QUEUE_URL_VARIABLES;
        let other = "http://127.0.0.1:9/000000000000/other";
        for (variables, expected) in [
            ([(first, URL), (second, other), (third, other)], URL),
            ([(first, ""), (second, URL), (third, other)], URL),
            ([(first, ""), (second, " "), (third, URL)], URL),
        ] {
            assert_eq!(read(&variables).map(|settings| settings.queue_url).as_deref(), Ok(expected));
        }
        assert_eq!(read(&[(first, ""), (third, "")]), Err(SettingsError::NoQueue));
    }

    #[test]
    fn a_queue_is_a_url() {
        for wrong in
            ["results", "arn:aws:sqs:eu-west-1:123456789012:results", "https://", "https://host", "https://h/ x"]
        {
            let error = read(&[("QUEUE_URL", wrong)]).unwrap_err();
            assert!(error.to_string().starts_with(&format!("QUEUE_URL: `{wrong}` is not the URL")), "{error}");
        }
    }

    #[test]
    fn defaults_and_bounds() {
        let settings = read(&[("QUEUE_URL", URL)]).unwrap();
        assert_eq!((settings.output_tail_bytes, settings.kill_grace), (4096, Duration::from_secs(5)));
        for wrong in ["-1", "65537", "4k", "1.5"] {
            let error = read(&[("QUEUE_URL", URL), (OUTPUT_TAIL_BYTES, wrong)]).unwrap_err();
            assert!(error.to_string().contains("from 0 to 65536"), "{error}");
        }
    }

    #[test]
    fn replies_go_to_the_configured_queue_and_to_those_allowed() {
        let allowed = "http://127.0.0.1:9/0/a, http://127.0.0.1:9/0/b,";
        let settings = read(&[("QUEUE_URL", URL), (REPLY_TO_ALLOW, allowed)]).unwrap();
        for (url, expected) in
            [(URL, true), ("http://127.0.0.1:9/0/a", true), ("http://127.0.0.1:9/0/b", true), ("http://x/y", false)]
        {
            assert_eq!(settings.may_reply_to(url), expected, "{url}");
        }
        assert!(read(&[("QUEUE_URL", URL), (REPLY_TO_ALLOW, "b")]).is_err());
    }

    #[test]
    fn modules_to_load_are_named() {
        let settings = read(&[("QUEUE_URL", URL), (PRELOAD, "numpy, a.b_c,")]).unwrap();
        assert_eq!(settings.preload, ["numpy", "a.b_c"]);
        for wrong in ["a.", ".a", "a b", "job.py -v", "1a", "a;b"] {
            assert_eq!(read(&[("QUEUE_URL", URL), (PRELOAD, wrong)]), Err(SettingsError::NotAModule(wrong.to_owned())));
        }
    }

    #[test]
    fn unknown_variables_are_reported() {
        let names = ["PATH", "LAMBDA_EXECUTOR_OUTPUT_TAIL", KILL_GRACE_MS, "LAMBDA_EXECUTOR_LOCAL_HANDLER"];
        let given = ["LAMBDA_EXECUTOR_CONFIG", "LAMBDA_EXECUTOR_TASK_KEY"];
        let unknown = Settings::unknown(names.into_iter().chain(given));
        assert_eq!(unknown, ["LAMBDA_EXECUTOR_OUTPUT_TAIL"]);
    }

    #[test]
    fn outside_lambda_the_error_says_so() {
        assert_eq!(Settings::read(|_| None), Err(SettingsError::NotInLambda("AWS_LAMBDA_FUNCTION_NAME")));
        assert_eq!(read(&[("QUEUE_URL", URL), ("AWS_REGION", "")]), Err(SettingsError::NoRegion));
    }
}
