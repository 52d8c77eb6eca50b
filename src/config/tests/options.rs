//! Options in JSON: their defaults, what they set, and every error of wrong ones, as users see them.

use super::*;
use crate::aws::{Endpoints, Keys};

#[test]
fn required_options_and_defaults_make_a_configuration() {
    let config = from_json(Some(&with(""))).unwrap();
    let defaults = executor::Settings::default();
    assert_eq!(config.executor.max_invoke_attempts, defaults.max_invoke_attempts);
    assert_eq!(config.executor.max_queued_tasks, defaults.max_queued_tasks);
    assert_eq!(config.executor.max_payload_bytes, defaults.max_payload_bytes);
    assert_eq!(config.executor.max_unacked_results, defaults.max_unacked_results);
    assert_eq!(config.executor.keep_finished, defaults.keep_finished);
    assert_eq!(config.executor.routes[0].result_timeout_ms, defaults.routes[0].result_timeout_ms);
    assert_eq!(config.executor.max_outage_ms, defaults.max_outage_ms);
    assert_eq!(config.executor.max_unmatched_delay_s, defaults.max_unmatched_delay_s);
    assert_eq!(config.executor.routes[0].max_running_tasks, 0);
    assert!(config.executor.running_events && config.executor.check_health_on_startup);
    assert_eq!(config.executor.reply_to, RESULTS);
    assert_eq!(config.aws.queue_urls, [RESULTS, DEAD]);
    assert_eq!(config.aws.functions[0].name, "run");
    assert_eq!(config.aws.functions[0].qualifier, None);
    assert_eq!(config.aws.region, None);
    assert_eq!(config.aws.connect_timeout, Duration::from_millis(3_100));
    assert_eq!(config.aws.invoke_timeout, Duration::from_secs(10));
    assert_eq!(config.worker_threads, 1);
    assert_eq!(config.shutdown_grace, Duration::from_secs(2));
    assert_eq!(config.end_wait_timeout, None);
    assert_eq!(config.log, Some(tracing::Level::WARN));
    assert_eq!(config.local, None);
}

#[test]
fn given_options_are_used() {
    let config = from_json(Some(&with(
        r#""max_invoke_attempts": 7, "check_health_on_startup": false, "end_wait_timeout": 5, "log": "off",
           "region_name": "eu-west-1", "max_running_tasks": 9, "function_qualifier": "live",
           "qualifier": "old", "endpoint_url": "http://127.0.0.1:4566", "worker_threads": 64"#,
    )))
    .unwrap();
    assert_eq!(config.executor.max_invoke_attempts, 7);
    assert!(!config.executor.check_health_on_startup);
    assert_eq!(config.end_wait_timeout, Some(Duration::from_secs(5)));
    assert_eq!(config.log, None);
    assert_eq!(config.aws.region.as_deref(), Some("eu-west-1"));
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
        ["endpoint_url: cannot be given together with `local`, which has its own"]
    );
    assert_eq!(
        invalid(r#"{"local": {}, "function_name": "f", "dead_letter_queue_url": "http://127.0.0.1/1/d"}"#),
        [
            "function_name: cannot be given together with `local`, which has its own",
            "dead_letter_queue_url: cannot be given together with `local`, which has its own"
        ]
    );
}

#[test]
fn everything_wrong_is_reported_at_once() {
    let lines = invalid(
        r#"{"function_name": "a b", "queue_url": "my-queue", "max_invoke_attempts": "abc", "max_paylod_bytes": 5,
            "worker_threads": 65, "running_events": "yes", "log": "loud", "colour": "red", "worker_threads": 3}"#,
    );
    assert_eq!(
        lines,
        [
            "function_name: `a b` is not a function's name: that has letters, digits, - and _ (expected a function's \
             name, name:alias, or ARN)",
            "queue_url: `my-queue` is a name, not a URL (expected https://sqs.<region>.amazonaws.com/<account>/<name>)",
            "max_invoke_attempts: `abc` is a string (expected an integer from 1 to 1000)",
            "max_paylod_bytes: unknown option (did you mean `max_payload_bytes`?)",
            "worker_threads: `65` is out of range (expected an integer from 1 to 64)",
            "running_events: `yes` is a string (expected true or false)",
            "log: `loud` is not one of its values (expected one of off, error, warn, info, debug, trace)",
            "colour: unknown option",
            "worker_threads: is given twice",
            "dead_letter_queue_url: required and not given (expected \
             https://sqs.<region>.amazonaws.com/<account>/<name>)",
        ]
    );
}

#[test]
fn options_of_version_0_1_name_their_replacement() {
    assert_eq!(
        invalid(&with(r#""ack": "manual", "max_stranger_delay_s": 5"#)),
        [
            "ack: was removed in 0.2.0 (freeing a batch acknowledges nothing; call lambda_executor_batch_ack or \
             lambda_executor_ack)",
            "max_stranger_delay_s: was renamed in 0.2.0 (write `max_unmatched_delay_s`)",
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
fn two_qualifiers_that_differ_are_refused() {
    let text = with(r#""function_qualifier": "2""#).replace("\"run\"", "\"run:live\"");
    assert_eq!(
        invalid(&text),
        ["function_qualifier: `2` is not the `live` at the end of function_name (give one of the two)"]
    );
    assert!(from_json(Some(&text.replace("\"2\"", "\"live\""))).is_ok());
}

#[test]
fn options_of_a_later_version_are_unsupported() {
    for (option, value) in [("journal", r#""/tmp/x""#)] {
        let line = unsupported(&with(&format!(r#""{option}": {value}"#)));
        assert!(line.starts_with(&format!("{option}: ")) && !line.contains("hunter2"), "{line}");
        for nothing in ["null", "false"] {
            assert!(from_json(Some(&with(&format!(r#""{option}": {nothing}"#)))).is_ok(), "{option}");
        }
    }
}

#[test]
fn no_object_is_one_line() {
    for (text, line) in [
        ("", "the configuration is empty (expected a JSON object)"),
        ("[]", "the configuration is a list (expected a JSON object)"),
        ("hello", "the configuration is not JSON: a value is expected there (line 1, column 1)"),
        ("{", "the configuration is not JSON: it ends too early (line 1, column 1)"),
    ] {
        assert!(invalid(text)[0].starts_with(line), "{:?}", invalid(text));
        assert_eq!(invalid(text).len(), 1, "{text}");
    }
}

#[test]
fn seeds_differ() {
    let seed = || from_json(Some(&with(""))).unwrap().executor.seed;
    assert_ne!(seed(), seed());
}

#[test]
fn without_a_number_invokes_have_half_of_the_files_of_the_process_and_no_more_than_1024() {
    let share = |of: u64| usize::try_from((crate::runtime::open_files::limit() / of).min(1_024)).unwrap();
    let limits = |options: &str| {
        let settings = from_json(Some(options)).unwrap().executor;
        let routes: Vec<_> = settings.routes.iter().map(|route| route.max_concurrent_invokes).collect();
        (routes, settings.max_invokes_in_flight)
    };
    assert_eq!(limits(&with("")), (vec![share(2)], share(2)));
    assert_eq!(limits(r#"{"local": {}}"#), (vec![share(4)], share(4)));
    let routes = with(r#""queues": {"a": {}, "b": {"max_concurrent_invokes": 3000}}"#);
    assert_eq!(limits(&routes), (vec![share(2), share(2), 3_000], share(2) + 3_000), "routes share what is automatic");
    let number = with(r#""max_concurrent_invokes": 5, "queues": {"a": {}}"#);
    assert_eq!(limits(&number), (vec![5, 5], 10), "a number is inherited");
    let options = from_json(Some(&with(""))).unwrap().options;
    let option = options.iter().find(|option| option.name == "max_concurrent_invokes").unwrap();
    assert_eq!(option.value, serde_json::Value::Null);
}
