//! Checks before the first event (row E10).

use crate::support::{Answer, Function};
use serde_json::json;

async fn fails_with(environment: &[(&str, &str)], expected: &str) {
    let mut function = Function::start(environment).await;
    // Must not be answered: the function must end before it asks for an event.
    function.send(json!({"task_key": "k", "command": ["true"]}));
    let answer = function.answer().await;
    assert!(matches!(answer, Answer::InitError(_)), "{answer:?}");
    assert!(answer.error().contains(expected), "{answer:?}");
    assert_eq!(function.exit_code().await, Some(1));
    assert!(function.log().contains(expected), "{}", function.log());
}

#[tokio::test]
async fn without_a_queue_the_function_does_not_start() {
    fails_with(&[("QUEUE_URL", "")], "no results queue is configured").await;
    fails_with(&[("QUEUE_URL", "results")], "QUEUE_URL: `results` is not the URL of a queue").await;
}

#[tokio::test]
async fn an_empty_variable_does_not_hide_the_fallback() {
    let mut function = Function::start(&[]).await;
    assert!(function.run(json!(["true"])).await.is_object());
    let first = "http://127.0.0.1:9/000000000000/first";
    let mut function = Function::start(&[("AIRFLOW__AWS_LAMBDA_EXECUTOR__QUEUE_URL", first)]).await;
    function.run(json!(["true"])).await;
    assert_eq!(function.requests()[0]["QueueUrl"], first);
    let mut function = Function::start(&[("AIRFLOW__LAMBDA_EXECUTOR__QUEUE_URL", first)]).await;
    function.run(json!(["true"])).await;
    assert_eq!(function.requests()[0]["QueueUrl"], first);
}

#[tokio::test]
async fn a_wrong_option_is_named() {
    fails_with(
        &[("LAMBDA_EXECUTOR_KILL_GRACE_MS", "5s")],
        "LAMBDA_EXECUTOR_KILL_GRACE_MS: `5s` is not allowed (expected a whole number from 0 to 900000)",
    )
    .await;
    fails_with(&[("S3_URI", "bucket/dags")], "S3_URI: `bucket/dags` is not a place in S3 (expected s3://").await;
    fails_with(&[("PRE_COMMAND", r#"["a", 1]"#)], "PRE_COMMAND: command is neither a list").await;
    fails_with(&[("POST_COMMAND", "[]")], "POST_COMMAND: command is empty (expected a line for /bin/sh").await;
    fails_with(&[("AWS_REGION", "")], "no AWS region is configured").await;
    fails_with(&[("TMPDIR", "/nonexistent")], "cannot write below /nonexistent").await;
}

#[tokio::test]
async fn outside_lambda_the_error_names_lambda() {
    let mut function = Function::start(&[("AWS_LAMBDA_RUNTIME_API", "")]).await;
    assert_eq!(function.exit_code().await, Some(1));
    assert!(function.log().contains("this program runs inside AWS Lambda"), "{}", function.log());
}

#[tokio::test]
async fn home_is_there_where_the_image_wants_it_in_the_empty_tmp() {
    let temporary = std::env::temp_dir().join(format!("lambda-executor-function-home-{}", std::process::id()));
    std::fs::create_dir(&temporary).unwrap();
    let [tmp, home, airflow] = ["", "home/user", "airflow"].map(|name| temporary.join(name).display().to_string());
    let elsewhere = "/nonexistent/airflow";
    for airflow_home in [airflow.as_str(), elsewhere] {
        let mut function = Function::start(&[("TMPDIR", &tmp), ("HOME", &home), ("AIRFLOW_HOME", airflow_home)]).await;
        let result = function.run(json!("test -w \"$HOME\" && ls -d \"$AIRFLOW_HOME\"")).await;
        assert_eq!(result["return_code"] == 0, airflow_home != elsewhere, "{result}");
    }
    std::fs::remove_dir_all(temporary).unwrap();
}

/// Answers every request with `answer`.
async fn runtime_api(answer: &'static str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn a_runtime_api_without_events_is_one_line_of_the_log() {
    for answer in [
        "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\nconnection: close\r\n\r\noops",
        "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
    ] {
        let address = runtime_api(answer).await;
        let mut function = Function::start(&[("AWS_LAMBDA_RUNTIME_API", &address)]).await;
        assert_eq!(function.exit_code().await, Some(1), "{answer}");
        let log = function.log();
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!(lines.len(), 1, "{log}");
        let line: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(line["level"], "ERROR");
        let message = line["message"].as_str().unwrap();
        assert!(message.contains(&format!("the Lambda Runtime API at {address}")), "{message}");
        assert!(!message.contains(".cargo") && !message.contains("/src/"), "{message}");
    }
}
