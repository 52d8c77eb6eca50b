//! Whole configurations, and every error of a wrong one, as users see them.

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

fn unsupported(text: &str) -> String {
    match from_json(Some(text)) {
        Err(ConfigError::Unsupported(line)) => line,
        other => panic!("{text}: {other:?}"),
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
    assert_eq!(config.executor.routes[0].result_timeout_ms, defaults.routes[0].result_timeout_ms);
    assert_eq!(config.executor.max_outage_ms, defaults.max_outage_ms);
    assert_eq!(config.executor.max_unmatched_delay_s, defaults.max_unmatched_delay_s);
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
    assert_eq!(config.worker_threads, 2);
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
fn a_reply_queue_is_received_from_too() {
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
fn each_queue_may_have_a_result_timeout() {
    let config = from_json(Some(&with(
        r#""result_timeout_ms": 60000, "queues": {"short": {"result_timeout_ms": 5000},
            "long": {"result_timeout_ms": 90000},
            "as configured": {}}"#,
    )))
    .unwrap();
    let timeouts: Vec<u64> = config.executor.routes.iter().map(|route| route.result_timeout_ms).collect();
    assert_eq!(timeouts, [60_000, 5_000, 90_000, 60_000]);
    // Messages must not expire before the last task that waits for one is LOST.
    assert_eq!(config.aws.queue_needs.result_timeout, Duration::from_secs(90));
}

#[test]
fn queues_of_both_kinds_may_be_fifo() {
    let config = from_json(Some(&with("").replace("/results", "/results.fifo"))).unwrap();
    assert_eq!(config.executor.queues.iter().map(|queue| queue.fifo).collect::<Vec<_>>(), [true, false]);
    let config = from_json(Some(&with("").replace("/dead", "/dead.fifo"))).unwrap();
    assert_eq!(config.executor.queues.iter().map(|queue| queue.fifo).collect::<Vec<_>>(), [false, true]);
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
        [format!("dead_letter_queue_url: `{DEAD}` is also queue_url (results and dead letters need a queue each)")]
    );
    let lines = invalid(&with(&format!(r#""reply_queue_url": "{DEAD}""#)));
    assert!(lines[0].contains("is also reply_queue_url"), "{lines:?}");
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
fn the_example_of_the_page_on_routing_is_a_configuration() {
    let page = include_str!("../../docs/routing.md");
    let example = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let config = from_json(Some(example)).unwrap();
    let large = config.aws.functions.last().unwrap();
    assert_eq!((large.name.as_str(), large.qualifier.as_deref()), ("run-tasks-10gb", Some("7")));
    assert_eq!(config.executor.routes.last().unwrap().max_concurrent_invokes, 64);
}

#[test]
fn errors_within_queues_are_reported_with_the_others() {
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

/// Airflow's sources: these variables, and `airflow.cfg` with this text.
fn airflow(test: &str, json: Option<&str>, cfg: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let path = std::env::temp_dir().join(format!("lambda-executor-config-{}-{test}.cfg", std::process::id()));
    std::fs::write(&path, cfg).unwrap();
    let file = path.to_str().unwrap().to_owned();
    let environment =
        || Environment::of(variables.iter().copied().chain([("AIRFLOW_CONFIG", file.as_str())]).collect::<Vec<_>>());
    let result = read(json, environment);
    std::fs::remove_file(&path).unwrap();
    result.map_err(|error| error.to_string().lines().map(|line| line.replace(&file, "airflow.cfg")).collect())
}

fn source<'a>(config: &'a Config, name: &str) -> &'a str {
    &config.options.iter().find(|option| option.name == name).unwrap().source
}

#[test]
fn nothing_is_read_from_airflow_unless_asked_for() {
    let environment = || panic!("asked for");
    assert!(read(Some(&with("")), environment).is_ok());
    assert!(read(Some(&with(r#""airflow": false"#)), environment).is_ok());
}

#[test]
fn airflows_sources_and_json_make_one_configuration() {
    let cfg = format!(
        "[DEFAULT]\nend_wait_timeout = 7.0\n[aws_lambda_executor]\nfunction_name = file\nqueue_url = {RESULTS}\n\
         dead_letter_queue_url = {DEAD}\nmax_invoke_attempts = 5\ncheck_health_on_startup = f # off\n"
    );
    let variables = [
        ("AIRFLOW__AWS_LAMBDA_EXECUTOR__FUNCTION_NAME", "$NAME"),
        ("NAME", "variable"),
        ("AIRFLOW__AWS_LAMBDA_EXECUTOR__REGION_NAME", "eu-west-1"),
    ];
    for json in [None, Some(r#"{"airflow": true}"#)] {
        let config = airflow("whole", json, &cfg, &variables).unwrap();
        assert_eq!(config.aws.functions[0].name, "variable");
        assert_eq!(config.aws.queue_urls, [RESULTS, DEAD]);
        assert_eq!(config.aws.region.as_deref(), Some("eu-west-1"));
        assert_eq!(config.executor.max_invoke_attempts, 5);
        assert!(!config.executor.check_health_on_startup);
        assert_eq!(config.end_wait_timeout, Some(Duration::from_secs(7)));
    }
    let json = r#"{"airflow": true, "function_name": "json", "max_invoke_attempts": null, "worker_threads": 3}"#;
    let config = airflow("json", Some(json), &cfg, &variables).unwrap();
    assert_eq!((config.aws.functions[0].name.as_str(), config.worker_threads), ("json", 3));
    assert_eq!(source(&config, "function_name"), "JSON");
    assert_eq!(source(&config, "region_name"), "AIRFLOW__AWS_LAMBDA_EXECUTOR__REGION_NAME");
    assert!(source(&config, "max_invoke_attempts").ends_with(":7: [aws_lambda_executor] max_invoke_attempts"));
    assert!(source(&config, "end_wait_timeout").ends_with(":2: [DEFAULT] end_wait_timeout"));
    assert_eq!(source(&config, "conn_id"), "default");
}

#[test]
fn options_in_force_are_listed_without_secrets() {
    let json = with(
        r#""airflow": true, "credentials": {"access_key_id": "AKIA", "secret_access_key": "hunter2"},
           "queues": {"a": {}}"#,
    );
    let config = airflow("force", Some(&json), "", &[("AIRFLOW__AWS_LAMBDA_EXECUTOR__REGION_NAME", "r")]).unwrap();
    let listed: Vec<String> = config
        .options
        .iter()
        .filter(|option| option.is_given())
        .map(|option| format!("{}={} ({})", option.name, option.value, option.source))
        .collect();
    assert_eq!(
        listed,
        [
            "function_name=\"run\" (JSON)".to_owned(),
            format!("queue_url=\"{RESULTS}\" (JSON)"),
            format!("dead_letter_queue_url=\"{DEAD}\" (JSON)"),
            "region_name=\"r\" (AIRFLOW__AWS_LAMBDA_EXECUTOR__REGION_NAME)".to_owned(),
            "airflow=true (JSON)".to_owned(),
            "credentials=\"given\" (JSON)".to_owned(),
            "queues=\"given\" (JSON)".to_owned(),
        ]
    );
}

#[test]
fn every_wrong_option_is_reported_with_its_source() {
    let cfg = format!(
        "[aws_lambda_executor]\nqueue_url = %(nothing)s\nend_wait_timeout = soon\ndead_letter_queue_url = {RESULTS}\n\
         region_name = $SECRET\n"
    );
    let lines = airflow(
        "wrong",
        Some(r#"{"airflow": true, "worker_threads": 0}"#),
        &cfg,
        &[
            ("AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS", "abc"),
            ("AIRFLOW__AWS_LAMBDA_EXECUTOR__CHECK_HEALTH_ON_STARTUP", ""),
            ("AIRFLOW__AWS_LAMBDA_EXECUTOR__CONN_ID", "$A"),
            ("AIRFLOW__AWS_LAMBDA_EXECUTOR__QUALIFIER", "$SECRET"),
            ("A", "a$A"),
            ("SECRET", "hunter2 hunter2"),
        ],
    )
    .unwrap_err();
    assert_eq!(
        lines,
        [
            "worker_threads: `0` is out of range (expected an integer from 1 to 64)",
            "AIRFLOW__AWS_LAMBDA_EXECUTOR__QUALIFIER=$SECRET: once expanded: is neither a version nor an alias \
             (expected a version number, an alias, or $LATEST)",
            "airflow.cfg:2: [aws_lambda_executor] queue_url=%(nothing)s: refers to `nothing`, which is neither in \
             its section nor in [DEFAULT] (expected https://sqs.<region>.amazonaws.com/<account>/<name>)",
            "airflow.cfg:5: [aws_lambda_executor] region_name=$SECRET: once expanded: has white space in it \
             (expected text that is not empty, without white space)",
            "AIRFLOW__AWS_LAMBDA_EXECUTOR__CHECK_HEALTH_ON_STARTUP=: expected true or false",
            "AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS=abc: expected an integer from 1 to 1000",
            "airflow.cfg:3: [aws_lambda_executor] end_wait_timeout=soon: expected an integer from 0 to 1209600",
            "AIRFLOW__AWS_LAMBDA_EXECUTOR__CONN_ID=$A: has variables that refer to each other without end (expected \
             text that is not empty, without white space)",
            "function_name: required and not given: neither as AIRFLOW__AWS_LAMBDA_EXECUTOR__FUNCTION_NAME nor in \
             section [aws_lambda_executor] of airflow.cfg (expected a function's name, name:alias, or ARN)",
        ]
    );
}

#[test]
fn contradictions_are_reported_with_their_source() {
    let cfg = format!("[aws_lambda_executor]\nfunction_name = f:live\nqueue_url = {DEAD}\nfunction_qualifier = 2\n");
    let lines =
        airflow("both", None, &cfg, &[("AIRFLOW__AWS_LAMBDA_EXECUTOR__DEAD_LETTER_QUEUE_URL", DEAD)]).unwrap_err();
    assert_eq!(
        lines,
        [
            format!(
                "AIRFLOW__AWS_LAMBDA_EXECUTOR__DEAD_LETTER_QUEUE_URL={DEAD}: is also queue_url (results and dead \
                 letters need a queue each)"
            ),
            "airflow.cfg:4: [aws_lambda_executor] function_qualifier=2: is not the `live` at the end of \
             function_name (give one of the two)"
                .to_owned(),
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_hides_what_is_missing() {
    let lines = airflow("broken", None, "[s]\nsecret\n", &[("AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS", "0")]);
    assert_eq!(
        lines.unwrap_err(),
        [
            "airflow.cfg:2: is neither `name = value` nor a [section]",
            "AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS=0: expected an integer from 1 to 1000",
        ]
    );
}

#[test]
fn passwords_in_airflows_sources_are_not_repeated() {
    let url = "https://me:hunter2@h/1/q";
    let lines = airflow(
        "password",
        None,
        &format!("[aws_lambda_executor]\nqueue_url = {url}\n"),
        &[
            ("AIRFLOW__AWS_LAMBDA_EXECUTOR__DEAD_LETTER_QUEUE_URL", url),
            ("AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS", url),
        ],
    )
    .unwrap_err();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("hunter2")), "{lines:?}");
    assert!(
        lines[0].starts_with("airflow.cfg:2: [aws_lambda_executor] queue_url: the URL has a user name"),
        "{lines:?}"
    );
}

#[test]
fn empty_text_counts_as_given_and_means_none() {
    let cfg = "[aws_lambda_executor]\nregion_name = eu-west-1\nfunction_qualifier = 7\nconn_id = mine\n";
    let json = with(r#""airflow": true"#);
    let empty = [
        ("AIRFLOW__AWS_LAMBDA_EXECUTOR__REGION_NAME", ""),
        ("AIRFLOW__AWS_LAMBDA_EXECUTOR__FUNCTION_QUALIFIER", ""),
        ("AIRFLOW__AWS_LAMBDA_EXECUTOR__CONN_ID", ""),
    ];
    let config = airflow("empty", Some(&json), cfg, &empty).unwrap();
    assert_eq!((config.aws.region, config.aws.functions[0].qualifier.as_deref()), (None, None));
    let conn_id = config.options.iter().find(|option| option.name == "conn_id").unwrap();
    assert_eq!(conn_id.value, serde_json::Value::Null);
}

#[test]
fn a_qualifier_in_json_wins_under_either_name() {
    let cfg = "[aws_lambda_executor]\nfunction_qualifier = 7\nqualifier = 8\n";
    let json = |more: &str| with(&format!(r#""airflow": true{more}"#));
    for (more, expected) in [("", "7"), (r#", "qualifier": "9""#, "9"), (r#", "function_qualifier": "9""#, "9")] {
        let config = airflow("qualifier", Some(&json(more)), cfg, &[]).unwrap();
        assert_eq!(config.aws.functions[0].qualifier.as_deref(), Some(expected), "{more}");
    }
}

#[test]
fn with_local_its_own_options_are_not_read_from_airflow() {
    let cfg = format!(
        "[aws_lambda_executor]\nfunction_name = f\nqueue_url = {RESULTS}\nregion_name = r\nmax_invoke_attempts = 9\n"
    );
    let config = airflow("local", Some(r#"{"airflow": true, "local": {}}"#), &cfg, &[]).unwrap();
    assert_eq!(config.aws.functions[0].name, "");
    assert_eq!(config.aws.region.as_deref(), Some("us-east-1"));
    assert_eq!(config.executor.max_invoke_attempts, 9);
}

#[test]
fn teams_and_connections_need_airflow() {
    assert_eq!(
        invalid(&with(r#""team": "blue", "conn_id": "mine""#)),
        ["conn_id: is read only with `airflow`: true (add it)", "team: is read only with `airflow`: true (add it)"]
    );
    let lines = airflow("team", Some(r#"{"airflow": true, "team": "a b"}"#), "", &[]).unwrap_err();
    assert_eq!(lines[0], "team: `a b` is not the name of a team (expected 3 to 50 letters, digits, - or _)");
    let lines = airflow("team", Some(r#"{"airflow": true, "team": "blue"}"#), "", &[]).unwrap_err();
    assert!(
        lines[0].contains(
            "neither as AIRFLOW__BLUE___AWS_LAMBDA_EXECUTOR__FUNCTION_NAME nor in section [blue=aws_lambda_executor] of"
        ),
        "{lines:?}"
    );
}

/// The three required options, Airflow's sources, and a connection.
fn with_connection(more: &str, connection: &str) -> Result<Config, ConfigError> {
    let text = with(&format!(r#""airflow": true{more}"#));
    read(Some(&text), || Environment::of([("AIRFLOW_HOME", "/nonexistent"), ("AIRFLOW_CONN_AWS_DEFAULT", connection)]))
}

const CONNECTION: &str = r#"{"login": "AKID", "password": "hush", "extra": {"region_name": "eu-west-3",
    "endpoint_url": "http://127.0.0.1:1", "role_arn": "r", "profile_name": "p", "verify": "/ca.pem",
    "config_kwargs": {"connect_timeout": 1.5, "read_timeout": 20}}}"#;

#[test]
fn a_connection_is_the_identity() {
    let aws = with_connection("", CONNECTION).unwrap().aws;
    assert_eq!(aws.identity.keys.map(|keys| keys.access_key_id).as_deref(), Some("AKID"));
    assert_eq!(aws.identity.role.map(|role| role.arn).as_deref(), Some("r"));
    assert_eq!((aws.region.as_deref(), aws.endpoints.sqs.as_deref()), (Some("eu-west-3"), Some("http://127.0.0.1:1")));
    assert_eq!(aws.ca_bundle.as_deref(), Some(std::path::Path::new("/ca.pem")));
    assert_eq!((aws.connect_timeout, aws.invoke_timeout), (Duration::from_millis(1_500), Duration::from_secs(20)));
}

#[test]
fn options_win_over_the_connection() {
    let more = r#", "region_name": "eu-west-1", "endpoint_url": "http://127.0.0.1:2", "invoke_timeout_ms": 5000,
        "credentials": {"access_key_id": "OTHER", "secret_access_key": "hush"}"#;
    let aws = with_connection(more, CONNECTION).unwrap().aws;
    assert_eq!(aws.identity.keys.map(|keys| keys.access_key_id).as_deref(), Some("OTHER"));
    assert_eq!((aws.identity.role, aws.identity.profile.as_deref()), (None, Some("p")));
    assert_eq!((aws.region.as_deref(), aws.endpoints), (Some("eu-west-1"), Endpoints::all("http://127.0.0.1:2")));
    assert_eq!((aws.connect_timeout, aws.invoke_timeout), (Duration::from_millis(1_500), Duration::from_secs(5)));
}

#[test]
fn errors_of_a_connection_are_reported_with_the_others() {
    let error = with_connection(r#", "max_invoke_attempts": 0"#, "aws://AKID:hush/hush@/").unwrap_err().to_string();
    assert_eq!(error.lines().count(), 2, "{error}");
    assert!(error.contains("AIRFLOW_CONN_AWS_DEFAULT: its port is not a number"), "{error}");
    assert!(!error.contains("hush"), "{error}");
}
