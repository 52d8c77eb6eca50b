//! What a user meets: whole configurations, and every line that is said about a wrong one.

use super::*;
use crate::aws::{Endpoints, Keys};
use crate::executor::QueueKind;

const RESULTS: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/results";
const DEAD: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/dead";

/// The three required options, and `more` after them.
fn with(more: &str) -> String {
    let comma = if more.is_empty() { "" } else { ", " };
    format!(r#"{{"function_name": "run", "queue_url": "{RESULTS}", "dead_letter_queue_url": "{DEAD}"{comma}{more}}}"#)
}

fn invalid(text: &str) -> Vec<String> {
    match from_json(Some(text)) {
        Err(ConfigError::Invalid(lines)) => lines.lines().map(str::to_owned).collect(),
        other => panic!("{text}: {other:?}"),
    }
}

fn unsupported(text: Option<&str>) -> String {
    match from_json(text) {
        Err(ConfigError::Unsupported(line)) => line,
        other => panic!("{text:?}: {other:?}"),
    }
}

#[test]
fn required_options_and_defaults_make_a_configuration() {
    let config = from_json(Some(&with(""))).unwrap();
    let defaults = executor::Settings::default();
    assert_eq!(config.executor.max_invoke_attempts, defaults.max_invoke_attempts);
    assert_eq!(config.executor.max_queued_tasks, defaults.max_queued_tasks);
    assert_eq!(config.executor.max_payload_bytes, defaults.max_payload_bytes);
    assert_eq!(config.executor.max_unacked_results, defaults.max_unacked_results);
    assert_eq!(config.executor.keep_finished, defaults.keep_finished);
    assert_eq!(config.executor.result_timeout_ms, defaults.result_timeout_ms);
    assert_eq!(config.executor.max_outage_ms, defaults.max_outage_ms);
    assert_eq!(config.executor.max_stranger_delay_s, defaults.max_stranger_delay_s);
    assert_eq!(config.executor.routes[0].max_concurrent_invokes, defaults.routes[0].max_concurrent_invokes);
    assert_eq!(config.executor.routes[0].max_running_tasks, 0);
    assert!(config.executor.running_events && config.executor.check_health_on_startup);
    assert_eq!(config.executor.reply_to, RESULTS);
    assert_eq!(config.aws.queue_urls, [RESULTS, DEAD]);
    assert_eq!(config.aws.functions[0].name, "run");
    assert_eq!(config.aws.functions[0].qualifier, None);
    assert_eq!(config.aws.region, None);
    assert_eq!(config.aws.connect_timeout, Duration::from_millis(3_100));
    assert_eq!(config.aws.invoke_timeout, Duration::from_secs(10));
    assert!(config.auto_ack);
    assert_eq!(config.worker_threads, 2);
    assert_eq!(config.shutdown_grace, Duration::from_secs(2));
    assert_eq!(config.end_wait_timeout, None);
    assert_eq!(config.log, Some(tracing::Level::WARN));
    assert_eq!(config.local, None);
}

#[test]
fn what_is_given_is_used() {
    let config = from_json(Some(&with(
        r#""max_invoke_attempts": 7, "check_health_on_startup": false, "end_wait_timeout": 5, "log": "off",
           "region_name": "eu-west-1", "ack": "manual", "max_running_tasks": 9, "function_qualifier": "live",
           "qualifier": "old", "endpoint_url": "http://127.0.0.1:4566", "worker_threads": 64"#,
    )))
    .unwrap();
    assert_eq!(config.executor.max_invoke_attempts, 7);
    assert!(!config.executor.check_health_on_startup);
    assert_eq!(config.end_wait_timeout, Some(Duration::from_secs(5)));
    assert_eq!(config.log, None);
    assert_eq!(config.aws.region.as_deref(), Some("eu-west-1"));
    assert!(!config.auto_ack);
    assert_eq!(config.executor.routes[0].max_running_tasks, 9);
    assert_eq!(config.aws.functions[0].qualifier.as_deref(), Some("live"));
    assert_eq!(config.aws.endpoints, Endpoints::all("http://127.0.0.1:4566"));
    assert_eq!(config.worker_threads, 64);
}

#[test]
fn the_older_name_of_the_qualifier_works() {
    let config = from_json(Some(&with(r#""qualifier": "7""#))).unwrap();
    assert_eq!(config.aws.functions[0].qualifier.as_deref(), Some("7"));
}

#[test]
fn a_reply_queue_of_ones_own_is_received_from_too() {
    let reply = "https://sqs.eu-west-1.amazonaws.com/123456789012/mine";
    let config = from_json(Some(&with(&format!(r#""reply_queue_url": "{reply}""#)))).unwrap();
    assert_eq!(config.aws.queue_urls, [RESULTS, reply, DEAD]);
    let kinds: Vec<QueueKind> = config.executor.queues.iter().map(|queue| queue.kind).collect();
    assert_eq!(kinds, [QueueKind::Results, QueueKind::Results, QueueKind::DeadLetters]);
    assert_eq!(config.executor.reply_to, reply);

    let same = from_json(Some(&with(&format!(r#""reply_queue_url": "{RESULTS}""#)))).unwrap();
    assert_eq!(same.aws.queue_urls, [RESULTS, DEAD]);
}

#[test]
fn given_credentials_are_the_identity() {
    let given = r#""credentials": {"access_key_id": "AKID", "secret_access_key": "hush", "session_token": "t"}"#;
    let config = from_json(Some(&with(given))).unwrap();
    let keys = Keys { access_key_id: "AKID".into(), secret_access_key: "hush".into(), session_token: Some("t".into()) };
    assert_eq!(config.aws.identity.keys, Some(keys));
    assert!(!format!("{config:?}").contains("hush"));
    assert_eq!(
        invalid(&with(r#""credentials": {"access_key_id": "hush"}"#)),
        ["credentials: secret_access_key is missing"]
    );
}

#[test]
fn local_needs_nothing_else() {
    let config = from_json(Some(r#"{"local": {"handler": "builtin"}}"#)).unwrap();
    assert_eq!(config.local.as_deref(), Some(r#"{"handler": "builtin"}"#));
    assert_eq!(config.aws.queue_urls, ["", ""]);
    assert_eq!(config.executor.queues.len(), 2);
    assert_eq!(config.aws.functions[0].name, "");
    assert!(config.aws.region.is_some());
}

#[test]
fn local_and_an_endpoint_contradict() {
    assert_eq!(
        invalid(r#"{"local": {}, "endpoint_url": "http://127.0.0.1:1"}"#),
        ["endpoint_url: cannot be given together with local, which makes its own"]
    );
    assert_eq!(
        invalid(r#"{"local": {}, "function_name": "f", "dead_letter_queue_url": "http://127.0.0.1/1/d"}"#),
        [
            "function_name: cannot be given together with local, which makes its own",
            "dead_letter_queue_url: cannot be given together with local, which makes its own"
        ]
    );
}

#[test]
fn everything_wrong_is_told_at_once() {
    let lines = invalid(
        r#"{"function_name": "a b", "queue_url": "my-queue", "max_invoke_attempts": "abc", "max_paylod_bytes": 5,
            "worker_threads": 65, "ack": true, "log": "loud", "colour": "red", "worker_threads": 3}"#,
    );
    assert_eq!(
        lines,
        [
            "function_name: `a b` is not a function's name: that has letters, digits, - and _ (expected a function's name, name:alias, or ARN)",
            "queue_url: `my-queue` is a name, not a URL (expected https://sqs.<region>.amazonaws.com/<account>/<name>)",
            "max_invoke_attempts: `abc` is a string (expected an integer from 1 to 1000)",
            "max_paylod_bytes: unknown option (did you mean `max_payload_bytes`?)",
            "worker_threads: `65` is out of range (expected an integer from 1 to 64)",
            "ack: `true` is true or false (expected one of auto, manual)",
            "log: `loud` is not one of its values (expected one of off, error, warn, info, debug, trace)",
            "colour: unknown option",
            "worker_threads: is given twice",
            "dead_letter_queue_url: required and not given (expected https://sqs.<region>.amazonaws.com/<account>/<name>)",
        ]
    );
}

#[test]
fn missing_and_null_are_the_same() {
    for text in ["{}", r#"{"function_name": null, "queue_url": null, "dead_letter_queue_url": null, "local": null}"#] {
        let lines = invalid(text);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0].starts_with("function_name: required and not given"), "{lines:?}");
    }
}

#[test]
fn one_queue_for_results_and_dead_letters_is_refused() {
    let text = format!(r#"{{"function_name": "f", "queue_url": "{DEAD}", "dead_letter_queue_url": "{DEAD}"}}"#);
    assert_eq!(
        invalid(&text),
        [format!("dead_letter_queue_url: `{DEAD}` is queue_url too (results and dead letters need a queue each)")]
    );
    let lines = invalid(&with(&format!(r#""reply_queue_url": "{DEAD}""#)));
    assert!(lines[0].contains("is reply_queue_url too"), "{lines:?}");
}

#[test]
fn two_qualifiers_that_differ_are_refused() {
    let text = with(r#""function_qualifier": "2""#).replace("\"run\"", "\"run:live\"");
    assert_eq!(
        invalid(&text),
        ["function_qualifier: `2` is not the `live` at the end of function_name (give one of the two)"]
    );
    assert!(from_json(Some(&text.replace("\"2\"", "\"live\""))).is_ok());
}

#[test]
fn queues_make_routes_after_the_default_one() {
    let config = from_json(Some(&with(
        r#""function_qualifier": "live", "max_running_tasks": 9, "queues": {
            "fast": {"max_invokes_per_second": 100}, "long": {"function_name": "slow", "function_qualifier": "7"}}"#,
    )))
    .unwrap();
    let names: Vec<&str> = config.executor.routes.iter().map(|route| route.name.as_str()).collect();
    assert_eq!(names, ["default", "fast", "long"]);
    assert!(config.executor.routes.iter().all(|route| route.max_running_tasks == 9));
    assert_eq!(config.executor.routes[1].max_invokes_per_second, 100);
    let functions: Vec<_> =
        config.aws.functions.iter().map(|function| (function.name.as_str(), function.qualifier.as_deref())).collect();
    assert_eq!(functions, [("run", Some("live")), ("run", Some("live")), ("slow", Some("7"))]);
    assert!(config.executor.route_by_queue && !config.executor.allow_task_overrides);

    let none = from_json(Some(&with(r#""allow_task_overrides": true"#))).unwrap();
    assert!(!none.executor.route_by_queue && none.executor.allow_task_overrides);
    assert!(from_json(Some(&with(r#""queues": {}"#))).unwrap().executor.route_by_queue);
}

#[test]
fn what_is_wrong_within_queues_is_told_with_all_the_rest() {
    let lines = invalid(&with(r#""queues": {"fast": {"max_invokes_per_second": -1}}, "worker_threads": 0"#));
    assert_eq!(
        lines,
        [
            "worker_threads: `0` is out of range (expected an integer from 1 to 64)",
            "queues.fast.max_invokes_per_second: `-1` is out of range (expected an integer from 0 to 1000000)",
        ]
    );
    assert!(invalid(&with(r#""queues": ["fast"]"#))[0].starts_with("queues: the value is a list (expected an object"));
}

#[test]
fn options_of_a_later_version_are_unsupported() {
    for (option, value) in
        [("airflow", "true"), ("conn_id", r#""aws_default""#), ("team", r#""a""#), ("journal", r#""/tmp/x""#)]
    {
        let line = unsupported(Some(&with(&format!(r#""{option}": {value}"#))));
        assert!(line.starts_with(&format!("{option}: ")) && !line.contains("hunter2"), "{line}");
        for nothing in ["null", "false"] {
            assert!(from_json(Some(&with(&format!(r#""{option}": {nothing}"#)))).is_ok(), "{option}");
        }
    }
    assert!(unsupported(None).starts_with("airflow: "));
    assert!(unsupported(Some(r#"{"airflow": true}"#)).starts_with("airflow: "));
}

#[test]
fn no_object_is_one_line() {
    for text in ["", "[]", "5", "{", "{\"a\": }"] {
        assert_eq!(invalid(text).len(), 1, "{text}");
    }
}

#[test]
fn seeds_differ() {
    let seed = || from_json(Some(&with(""))).unwrap().executor.seed;
    assert_ne!(seed(), seed());
}
