//! Several tasks in one event.

use crate::support::{Function, QUEUE_URL, Reply, wait_for};
use serde_json::{Value, json};
use std::time::Duration;

/// The event of several tasks: key, which is the attempt id too, and command.
fn batch(parallel: usize, tasks: &[(&str, &str)]) -> Value {
    let member = |(key, command): &(&str, &str)| json!({"task_key": key, "attempt_id": key, "command": command});
    json!({"task_key": "batch", "batch_parallel": parallel, "batch": tasks.iter().map(member).collect::<Vec<_>>()})
}

/// The results in all messages so far, in the order in which they were sent.
fn results(function: &Function) -> Vec<Value> {
    let each = |message: Value| match message.get("results") {
        Some(results) => results.as_array().unwrap().clone(),
        None => vec![message],
    };
    function.results().into_iter().flat_map(each).collect()
}

fn members(results: &[Value], name: &str) -> Vec<Value> {
    results.iter().map(|result| result[name].clone()).collect()
}

#[tokio::test]
async fn tasks_run_one_after_another_and_are_reported_in_one_message() {
    let mut function = Function::start(&[]).await;
    let tasks =
        [("a", "echo a >> order; echo out-a"), ("b", "echo b >> order; exit 3"), ("c", "echo c >> order; kill -9 $$")];
    let answer = function.invoke(batch(1, &tasks)).await;
    assert!(answer.is_response(), "{answer:?}");
    assert_eq!(function.requests().len(), 1);
    let results = results(&function);
    assert_eq!(members(&results, "task_key"), ["a", "b", "c"]);
    assert_eq!(members(&results, "attempt_id"), ["a", "b", "c"]);
    assert_eq!(members(&results, "return_code"), [0, 3, -9]);
    assert_eq!(members(&results, "output_tail"), ["out-a\n", "", ""]);
    assert_eq!(std::fs::read_to_string(function.path("order")).unwrap(), "a\nb\nc\n");
}

#[tokio::test]
async fn tasks_run_side_by_side_where_the_event_says_so() {
    let mut function = Function::start(&[]).await;
    // Each waits until the other runs.
    let meet = |own: &str, other: &str| format!("touch {own}; until [ -e {other} ]; do sleep 0.01; done; echo $$");
    let (a, b) = (meet("a", "b"), meet("b", "a"));
    let answer = function.invoke(batch(2, &[("a", &a), ("b", &b), ("c", "echo last")])).await;
    assert!(answer.is_response(), "{answer:?}");
    assert_eq!(members(&results(&function), "return_code"), [0, 0, 0]);
}

#[tokio::test]
async fn each_task_has_its_own_time_limit() {
    let mut function = Function::start(&[]).await;
    let mut event = batch(1, &[("slow", "exec sleep 600"), ("fast", "true")]);
    event["batch"][0]["timeout_ms"] = json!(100);
    assert!(function.invoke(event).await.is_response());
    let results = results(&function);
    assert_eq!(members(&results, "reason"), ["timeout", "exit"]);
    assert_eq!(members(&results, "return_code"), [124, 0]);
}

#[tokio::test]
async fn what_cannot_have_its_whole_time_is_not_started_and_may_be_sent_again() {
    let mut function = Function::start(&[]).await;
    function.time_limit = Duration::from_secs(20);
    let mut event = batch(1, &[("first", "true"), ("long", "touch long"), ("short", "true")]);
    // More than the whole invocation has; the first is run whatever it asks for.
    for member in [0, 1] {
        event["batch"][member]["timeout_ms"] = json!(30_000);
    }
    assert!(function.invoke(event.clone()).await.is_response());
    let first = results(&function);
    assert_eq!(members(&first, "task_key"), ["first", "long", "short"]);
    assert_eq!(members(&first, "not_started"), [Value::Null, json!(true), Value::Null]);
    assert_eq!(members(&first, "return_code"), [0, 126, 0]);
    assert!(!function.path("long").exists());
    // Alone it is run, by the same sandbox: it is not known as begun.
    let alone = function.result_of(event["batch"][1].clone()).await;
    assert_eq!((&alone["return_code"], alone.get("not_started")), (&json!(0), None));
}

#[tokio::test]
async fn a_short_task_is_reported_while_a_long_one_runs() {
    let mut function = Function::start(&[]).await;
    let long = "until [ -e go-on ]; do sleep 0.01; done";
    function.send(batch(1, &[("short", "true"), ("long", long), ("last", "true")]));
    wait_for("the first result", || function.requests().len() == 1).await;
    assert_eq!(members(&results(&function), "task_key"), ["short"]);
    std::fs::write(function.path("go-on"), "").unwrap();
    assert!(function.answer().await.is_response());
    assert_eq!(members(&results(&function), "task_key"), ["short", "long", "last"]);
    assert_eq!(function.requests().len(), 2);
}

#[tokio::test]
async fn results_that_are_too_large_together_are_sent_as_several_messages() {
    let mut function = Function::start(&[("LAMBDA_EXECUTOR_OUTPUT_TAIL_BYTES", "65536")]).await;
    let large = "head -c 60000 /dev/zero | tr '\\0' x";
    let tasks: Vec<(&str, &str)> = ["a", "b", "c", "d", "e", "f"].map(|key| (key, large)).to_vec();
    assert!(function.invoke(batch(1, &tasks)).await.is_response());
    let sizes: Vec<usize> =
        function.requests().iter().map(|request| request["MessageBody"].as_str().unwrap().len()).collect();
    assert!(sizes.len() == 2 && sizes.iter().all(|size| *size <= 262_144), "{sizes:?}");
    let results = results(&function);
    assert_eq!(members(&results, "task_key"), ["a", "b", "c", "d", "e", "f"]);
    assert!(results.iter().all(|result| result["output_tail"].as_str().unwrap().len() == 60_000));
}

#[tokio::test]
async fn one_bad_event_fails_alone_and_an_unreadable_batch_runs_nothing() {
    let mut function = Function::start(&[]).await;
    let mut event = batch(1, &[("a", "true"), ("b", "true")]);
    event["batch"][1]["command"] = json!([]);
    assert!(function.invoke(event.clone()).await.is_response());
    assert_eq!(members(&results(&function), "reason"), ["exit", "bad_event"]);
    let mut event = batch(1, &[("c", "touch ran"), ("d", "touch ran")]);
    event["batch"][1]["attempt_id"] = Value::Null;
    let answer = function.invoke(event).await;
    assert_eq!(answer.error_type(), "LambdaExecutor.BadEvent");
    let mut event = batch(1, &[("c", "touch ran"), ("d", "touch ran")]);
    event["batch"][1]["reply_to"] = json!("http://127.0.0.1:9/0/other");
    let answer = function.invoke(event).await;
    assert_eq!(answer.error_type(), "LambdaExecutor.ReplyToRefused");
    assert!(!function.path("ran").exists());
}

#[tokio::test]
async fn after_a_crash_what_has_ended_is_reported_again_and_only_the_rest_is_run() {
    let mut function = Function::start(&[]).await;
    let run = |name: &str, more: &str| format!("echo run >> {name}; {more}");
    let (a, b, c) = (run("a", "exit 3"), run("b", "touch started; exec sleep 600"), run("c", "true"));
    let event = batch(1, &[("a", &a), ("b", &b), ("c", &c)]);
    function.send(event.clone());
    wait_for("the second to start", || function.path("started").exists()).await;
    function.kill_and_restart();
    let answer = function.invoke(event).await;
    assert_eq!(answer.error_type(), "LambdaExecutor.OutcomeUnknown");
    assert!(answer.error().starts_with("1 of the 3 tasks") && answer.error().ends_with("submissions b"), "{answer:?}");
    let mut results = results(&function);
    results.dedup_by_key(|result| result["task_key"].clone());
    assert_eq!(members(&results, "task_key"), ["a", "c"]);
    assert_eq!(members(&results, "return_code"), [3, 0]);
    let runs = ["a", "b", "c"].map(|name| std::fs::read_to_string(function.path(name)).unwrap().lines().count());
    assert_eq!(runs, [1, 1, 1]);
}

#[tokio::test]
async fn results_that_cannot_be_sent_fail_the_invocation_and_are_sent_by_the_next_without_running_again() {
    let mut function = Function::start(&[]).await;
    function.next_replies(&[Reply::Fail(400, "AccessDenied")]);
    let event = batch(1, &[("a", "echo run >> runs"), ("b", "echo run >> runs")]);
    let answer = function.invoke(event.clone()).await;
    assert_eq!(answer.error_type(), "LambdaExecutor.ResultNotSent");
    assert!(answer.error().contains(QUEUE_URL), "{answer:?}");
    assert!(function.invoke(event).await.is_response());
    assert_eq!(members(&results(&function), "task_key"), ["a", "b"]);
    assert_eq!(std::fs::read_to_string(function.path("runs")).unwrap(), "run\nrun\n");
}

#[tokio::test]
async fn a_fifo_queue_gets_one_message_under_an_id_of_its_own() {
    let queue = "http://127.0.0.1:9/000000000000/results.fifo";
    let mut function = Function::start(&[("QUEUE_URL", queue)]).await;
    assert!(function.invoke(batch(1, &[("a", "true"), ("b", "true")])).await.is_response());
    assert!(function.invoke(batch(1, &[("c", "true"), ("d", "true")])).await.is_response());
    let ids: Vec<Value> = members(&function.requests(), "MessageDeduplicationId");
    assert!(ids.len() == 2 && ids[0] != ids[1] && ids.iter().all(|id| id.as_str().unwrap().len() <= 128), "{ids:?}");
}
