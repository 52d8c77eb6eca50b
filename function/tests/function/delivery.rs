//! Sending of results (rows E1 and E11), and the choice of the queue (`reply_to`).

use crate::support::{Function, QUEUE_URL, Reply};
use serde_json::json;
use std::time::Duration;

const UNAVAILABLE: Reply = Reply::Fail(503, "ServiceUnavailable");

#[tokio::test]
async fn a_result_is_sent_again_until_sqs_takes_it() {
    let mut function = Function::start(&[]).await;
    // With pauses of 100, 200, 400 and 800 ms, less jitter.
    function.next_replies(&[UNAVAILABLE, UNAVAILABLE, Reply::Fail(403, "RequestThrottled"), UNAVAILABLE]);
    function.run(json!(["true"])).await;
    let tries = function.tries();
    assert_eq!(tries.len(), 5);
    for (index, least_ms) in [75, 150, 300, 600].into_iter().enumerate() {
        let pause = tries[index + 1] - tries[index];
        assert!(pause >= Duration::from_millis(least_ms), "pause {index} was {pause:?}");
    }
}

#[tokio::test]
async fn when_sqs_stays_away_the_invocation_fails_in_time() {
    for reply in [UNAVAILABLE, Reply::Hang] {
        let mut function = Function::start(&[]).await;
        function.always_reply(reply);
        function.time_limit = Duration::from_millis(2_000);
        let start = std::time::Instant::now();
        let answer = function.invoke(json!({"task_key": "k", "command": ["true"]})).await;
        assert!(start.elapsed() < Duration::from_millis(2_000), "{:?}", start.elapsed());
        assert!(answer.error().contains("the result was not sent"), "{answer:?}");
        assert!(answer.error().contains(QUEUE_URL), "{answer:?}");
    }
}

#[tokio::test]
async fn a_closed_port_is_an_outage_too() {
    let mut function = Function::start(&[("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:1")]).await;
    function.time_limit = Duration::from_millis(1_500);
    let answer = function.invoke(json!({"task_key": "k", "command": ["true"]})).await;
    assert!(answer.error().contains("until the function's time was up"), "{answer:?}");
}

#[tokio::test]
async fn permanent_errors_fail_at_once() {
    for (status, code, expected) in [
        (400, "QueueDoesNotExist", "NonExistentQueue"),
        (403, "AccessDeniedException", "AccessDeniedException"),
        (400, "KmsDisabled", "KmsDisabled"),
    ] {
        let mut function = Function::start(&[]).await;
        function.always_reply(Reply::Fail(status, code));
        let answer = function.invoke(json!({"task_key": "k", "command": ["true"]})).await;
        assert!(answer.error().contains("rejects it permanently"), "{answer:?}");
        assert!(answer.error().contains(expected), "{answer:?}");
        assert_eq!(function.tries().len(), 1);
    }
}

#[tokio::test]
async fn a_standard_queue_gets_no_group() {
    let mut function = Function::start(&[]).await;
    function.run(json!(["true"])).await;
    let request = &function.requests()[0];
    assert_eq!(request["QueueUrl"], QUEUE_URL);
    assert_eq!((request.get("MessageGroupId"), request.get("MessageDeduplicationId")), (None, None));
}

#[tokio::test]
async fn a_fifo_queue_gets_group_and_deduplication_id() {
    let mut function = Function::start(&[("QUEUE_URL", "http://127.0.0.1:9/000000000000/results.fifo")]).await;
    function
        .send_as(&json!({"task_key": "a", "command": ["true"], "attempt_id": "attempt-1"}).to_string(), "request-x");
    function.answer().await;
    function.send_as(&json!({"task_key": "a", "command": ["true"]}).to_string(), "request-y");
    function.answer().await;
    function.send_as(&json!({"task_key": "b", "command": ["true"]}).to_string(), "request-z");
    function.answer().await;
    let requests = function.requests();
    let ids: Vec<_> = requests.iter().map(|request| request["MessageDeduplicationId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["attempt-1", "request-y", "request-z"]);
    let groups: Vec<_> = requests.iter().map(|request| request["MessageGroupId"].as_str().unwrap()).collect();
    assert!(groups[0] == groups[1] && groups[1] != groups[2], "{groups:?}");
    assert!(groups.iter().all(|group| (1..=128).contains(&group.len())), "{groups:?}");
}

#[tokio::test]
async fn an_event_may_name_an_allowed_queue() {
    let other = "http://127.0.0.1:9/000000000000/other";
    let mut function = Function::start(&[("LAMBDA_EXECUTOR_REPLY_TO_ALLOW", other)]).await;
    for queue in [other, QUEUE_URL] {
        function.result_of(json!({"task_key": "k", "command": ["true"], "reply_to": queue})).await;
        assert_eq!(function.requests().last().unwrap()["QueueUrl"], queue);
    }
}

#[tokio::test]
async fn another_queue_fails_the_invocation_and_nothing_runs() {
    let allowed = "http://127.0.0.1:9/000000000000/allowed";
    let mut function = Function::start(&[("LAMBDA_EXECUTOR_REPLY_TO_ALLOW", allowed)]).await;
    let witness = function.path("witness");
    let queue = "http://127.0.0.1:9/000000000000/stolen";
    let event = json!({"task_key": "k", "command": ["touch", witness], "reply_to": queue, "attempt_id": "a"});
    // Lambda's retries fail the same way: the submission was not recorded as started.
    for _ in 0..3 {
        let answer = function.invoke(event.clone()).await;
        assert_eq!(answer.error_type(), "LambdaExecutor.ReplyToRefused");
        for part in [queue, QUEUE_URL, "QUEUE_URL", "LAMBDA_EXECUTOR_REPLY_TO_ALLOW", "nothing was run"] {
            assert!(answer.error().contains(part), "{answer:?}");
        }
    }
    let log = function.log();
    assert_eq!(log.lines().filter(|line| line.contains("ReplyToRefused")).count(), 3, "{log}");
    assert_eq!(log.lines().count(), 3, "{log}");
    assert!(log.contains(r#""task_key":"k""#), "{log}");
    assert!(function.tries().is_empty() && !witness.exists());
    // An event that is also invalid fails the same way: its result cannot be sent either.
    let answer = function.invoke(json!({"task_key": "k", "command": 5, "reply_to": queue})).await;
    assert_eq!(answer.error_type(), "LambdaExecutor.ReplyToRefused");
    // Lambda keeps the first 1 KB in a dead letter.
    let answer = function.invoke(json!({"task_key": "k", "command": 5, "reply_to": "ä".repeat(100_000)})).await;
    assert!(answer.error().len() <= 1_024 && answer.error().contains("(cut)"), "{answer:?}");
    assert_eq!(function.run(json!(["true"])).await["return_code"], 0);
}
