//! Large events (row E2), events with secrets (E3), invalid events (E6).

use crate::support::{Answer, Function};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

/// Replaces Python: prints its arguments except the workload, and the workload's size, and its mode if it is a file.
const PYTHON: &str = r#"#!/bin/sh
if [ "$3" = --json-path ]; then echo "$1 $2 $3 $(wc -c < "$4") $(stat -c %a "$4")"; else echo "$1 $2 $3 ${#4}"; fi
"#;

async fn with_python() -> (Function, String) {
    let function = Function::start(&[]).await;
    let python = function.path("python");
    std::fs::write(&python, PYTHON).unwrap();
    std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
    let python = python.display().to_string();
    (function, python)
}

#[tokio::test]
async fn airflows_workload_goes_through_a_file_when_it_is_large() {
    let (mut function, python) = with_python().await;
    let module = "airflow.sdk.execution_time.execute_workload";
    for (bytes, seen) in
        [(120_000, "--json-string 120000"), (140_000, "--json-path 140000 600"), (900_000, "--json-path 900000 600")]
    {
        let result = function.run(json!([python, "-m", module, "--json-string", "x".repeat(bytes)])).await;
        assert_eq!(result["output_tail"], format!("-m {module} {seen}\n"));
    }
}

#[tokio::test]
async fn another_argument_that_is_too_large_is_a_clear_failure() {
    let (mut function, python) = with_python().await;
    let result = function.run(json!([python, "x".repeat(140_000)])).await;
    assert_eq!((&result["reason"], &result["return_code"]), (&json!("setup_failed"), &json!(126)));
    let tail = result["output_tail"].as_str().unwrap();
    assert!(tail.contains("argument 1 of the command has 140000 bytes"), "{tail}");
    // Many small arguments can be too large together.
    let result = function.run(json!(vec!["true"; 180_000])).await;
    let tail = result["output_tail"].as_str().unwrap();
    assert_eq!(
        (&result["reason"], tail.contains("larger than Linux accepts")),
        (&json!("setup_failed"), true),
        "{tail}"
    );
}

#[tokio::test]
async fn secrets_never_reach_the_log() {
    let mut function = Function::start(&[]).await;
    let secret = "eyJhbGciOi-token";
    for event in [
        json!({"task_key": "k1", "command": ["true", secret], "executor_config": {"token": secret}}),
        json!({"task_key": "k2", "command": format!("exit 1 # {secret}"), "token": secret}),
        json!({"task_key": "k3", "command": ["no-such-program", secret]}),
        json!({"task_key": "k4", "command": ["true", secret, 1]}),
        json!({"task_key": "k5", "command": ["true"], "timeout_ms": secret}),
        json!({"task_key": ["k6", secret]}),
        json!([secret]),
        json!(secret),
    ] {
        function.invoke(event).await;
    }
    let log = function.log();
    assert!(!log.contains(secret), "{log}");
    // Everything else is logged.
    assert!(log.contains(r#""task_key":"k1""#) && log.contains(r#""program":"true""#), "{log}");
    for result in function.results() {
        assert!(!result.to_string().contains(secret), "{result}");
    }
}

#[tokio::test]
async fn a_bad_event_with_a_key_is_a_failure_of_its_task() {
    let mut function = Function::start(&[]).await;
    for event in [
        json!({"task_key": "k"}),
        json!({"task_key": "k", "command": 5}),
        json!({"task_key": "k", "command": []}),
        json!({"task_key": "k", "command": ["a", null]}),
        json!({"task_key": "k", "command": ["true"], "executor_config": 5}),
        json!({"task_key": "k", "command": ["true"], "timeout_ms": 1.5}),
        json!({"task_key": "k", "command": ["true"], "reply_to": {}}),
    ] {
        let result = function.result_of(event.clone()).await;
        assert_eq!((&result["reason"], &result["return_code"]), (&json!("bad_event"), &json!(126)), "{event}");
        assert!(result["output_tail"].as_str().unwrap().starts_with("lambda-executor: "), "{result}");
    }
}

#[tokio::test]
async fn an_event_without_a_key_fails_the_invocation() {
    let mut function = Function::start(&[]).await;
    for event in [json!({"command": ["true"]}), json!({"task_key": 5, "command": ["true"]}), json!(5), json!(null)] {
        let answer = function.invoke(event.clone()).await;
        assert!(matches!(answer, Answer::Error(_)), "{event}: {answer:?}");
    }
    assert!(function.requests().is_empty());
    // The function continues.
    assert_eq!(function.run(json!(["true"])).await["return_code"], 0);
}

#[tokio::test]
async fn fields_that_are_not_known_are_ignored() {
    let mut function = Function::start(&[]).await;
    let event = json!({"task_key": "k", "command": ["true"], "executor_config": {}, "of_the_future": [1]});
    assert_eq!(function.result_of(event).await["return_code"], 0);
}
