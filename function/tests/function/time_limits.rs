//! Time limits of tasks and of the function (row E7).

use crate::support::{Function, wait_for_end_of};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn reason(result: &Value) -> (&Value, &Value, &Value) {
    (&result["reason"], &result["return_code"], &result["signal"])
}

#[tokio::test]
async fn a_command_is_asked_to_end_at_its_limit() {
    let mut function = Function::start(&[]).await;
    let result = function
        .result_of(json!({
            "task_key": "k", "command": "trap 'echo cleaned up; exit 0' TERM; sleep 600 & wait", "timeout_ms": 200,
        }))
        .await;
    assert_eq!(reason(&result), (&json!("timeout"), &json!(124), &Value::Null));
    let tail = result["output_tail"].as_str().unwrap();
    assert!(tail.starts_with("cleaned up\n") && tail.contains("ended by SIGTERM at the task's time limit of 200 ms"));
}

#[tokio::test]
async fn a_command_that_ignores_the_request_is_ended() {
    let mut function = Function::start(&[("LAMBDA_EXECUTOR_KILL_GRACE_MS", "100")]).await;
    let result = function
        .result_of(json!({
            "task_key": "k", "command": "trap '' TERM; while :; do sleep 0.01; done", "timeout_ms": 100,
        }))
        .await;
    assert_eq!(reason(&result), (&json!("timeout"), &json!(124), &json!(9)));
    assert!(result["output_tail"].as_str().unwrap().contains("SIGTERM, then SIGKILL"), "{result}");
}

#[tokio::test]
async fn the_functions_own_limit_is_reported_before_lambda_ends_the_sandbox() {
    let mut function = Function::start(&[]).await;
    function.time_limit = Duration::from_secs(2);
    let start = Instant::now();
    let result = function.run(json!("trap '' TERM; while :; do sleep 0.01; done")).await;
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(reason(&result), (&json!("timeout"), &json!(124), &json!(9)));
    assert!(result["output_tail"].as_str().unwrap().contains("the time limit of the Lambda function"), "{result}");
}

#[tokio::test]
async fn the_whole_group_is_ended() {
    let mut function = Function::start(&[]).await;
    let result =
        function.result_of(json!({"task_key": "k", "command": "sleep 600 & echo $!; wait", "timeout_ms": 200})).await;
    assert_eq!(result["reason"], "timeout");
    let pid = result["output_tail"].as_str().unwrap().lines().next().unwrap().to_owned();
    wait_for_end_of(&pid).await;
}

#[tokio::test]
async fn a_limit_that_is_not_reached_changes_nothing() {
    let mut function = Function::start(&[]).await;
    let result = function
        .result_of(json!({"task_key": "k", "command": ["false"], "timeout_ms": 30_000, "attempt_id": "a"}))
        .await;
    assert_eq!(reason(&result), (&json!("exit"), &json!(1), &Value::Null));
}
