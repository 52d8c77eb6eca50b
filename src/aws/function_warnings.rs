//! What the configuration of a function says about results that would be lost or late, as warnings: until then all works.
//! Fields: <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html>

use super::Settings;
use crate::executor::QueueKind;
use aws_sdk_lambda::types::FunctionConfiguration;
use std::collections::HashMap;

/// Variables in which the function may find its results queue; the first that is set wins.
const QUEUE_URL_VARIABLES: [&str; 3] =
    ["AIRFLOW__AWS_LAMBDA_EXECUTOR__QUEUE_URL", "AIRFLOW__LAMBDA_EXECUTOR__QUEUE_URL", "QUEUE_URL"];
/// Further queues to which our function may send results.
const REPLY_TO_ALLOW: &str = "LAMBDA_EXECUTOR_REPLY_TO_ALLOW";
/// Lambda's default, in s.
const DEFAULT_TIMEOUT: i32 = 3;

/// One sentence for each problem.
pub(super) fn of(what: &str, found: &FunctionConfiguration, gets_batches: bool, settings: &Settings) -> Vec<String> {
    let batches = batches(found).filter(|_| gets_batches);
    let problems = [results_queue(found, settings), dead_letters(found, settings), timeout(found), batches];
    problems.into_iter().flatten().map(|problem| format!("{what}: {problem}")).collect()
}

/// URLs of the queues of one kind.
fn urls(settings: &Settings, kind: QueueKind) -> impl Iterator<Item = &str> {
    let kinds = settings.queue_needs.kinds.iter();
    settings.queue_urls.iter().zip(kinds).filter(move |(_, of)| **of == kind).map(|(url, _)| url.as_str())
}

fn results_queue(found: &FunctionConfiguration, settings: &Settings) -> Option<String> {
    // Without permission for its key the answer contains no variables.
    let variables: &HashMap<String, String> = found.environment()?.variables()?;
    let (name, own) = QUEUE_URL_VARIABLES.into_iter().find_map(|name| Some((name, variables.get(name)?)))?;
    let results: Vec<&str> = urls(settings, QueueKind::Results).collect();
    // Named in the event's `reply_to`: `reply_queue_url`, or else `queue_url`.
    let reply_to = *results.last()?;
    if !results.contains(&own.as_str()) {
        return Some(format!(
            "its {name} is `{own}`, a queue that this executor does not receive from (it receives from `{}`): results do \
             not arrive, and tasks are LOST",
            results.join("` and `")
        ));
    }
    let allowed = variables.get(REPLY_TO_ALLOW).map(String::as_str).unwrap_or_default();
    let may_reply = own == reply_to || allowed.split(',').any(|url| url.trim() == reply_to);
    (!may_reply).then(|| {
        format!(
            "its {name} is `{own}`, and its {REPLY_TO_ALLOW} does not contain reply_queue_url (`{reply_to}`): the \
             function program of this project refuses such events; add the URL there"
        )
    })
}

fn dead_letters(found: &FunctionConfiguration, settings: &Settings) -> Option<String> {
    let expected = urls(settings, QueueKind::DeadLetters).next()?;
    let target = found.dead_letter_config().and_then(|config| config.target_arn()).filter(|arn| !arn.is_empty());
    match target {
        None => Some(format!(
            "it has no dead letter queue (DeadLetterConfig): unless an on-failure destination, which GetFunction does not \
             show, names `{expected}`, no message reports an event that Lambda gives up, and its task is LOST"
        )),
        Some(arn) if !same_queue(arn, expected) => Some(format!(
            "its dead letter queue (DeadLetterConfig) is {arn}, not dead_letter_queue_url (`{expected}`): unless an \
             on-failure destination names that queue, a task whose event Lambda gives up is LOST"
        )),
        Some(_) => None,
    }
}

/// Compares what both forms contain: the account and the name, which are the last two parts of each.
fn same_queue(arn: &str, url: &str) -> bool {
    let mut of_arn = arn.rsplit(':');
    let mut of_url = url.rsplit('/');
    of_arn.next() == of_url.next() && of_arn.next() == of_url.next()
}

fn timeout(found: &FunctionConfiguration) -> Option<String> {
    (found.timeout() == Some(DEFAULT_TIMEOUT)).then(|| {
        format!(
            "its Timeout is {DEFAULT_TIMEOUT} s, Lambda's default: a command that runs longer is stopped; set it to the \
             longest run of a task, at most 900"
        )
    })
}

/// Our function is a runtime of its own, as a file or in an image.
fn batches(found: &FunctionConfiguration) -> Option<String> {
    let runtime = found.runtime()?.as_str();
    (!runtime.starts_with("provided")).then(|| {
        format!(
            "its Runtime is {runtime}, and batch_size is more than 1: Airflow's handler does not understand several tasks in \
             one event and runs none of them; set batch_size to 1 for this function unless its handler does"
        )
    })
}
