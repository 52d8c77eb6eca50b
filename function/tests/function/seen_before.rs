//! The same submission delivered again (row E8).

use crate::support::{Function, Reply, wait_for};
use serde_json::{Value, json};

/// A command that leaves one line in the file `runs` each time it runs.
fn counting(function: &Function, attempt_id: Option<&str>) -> Value {
    let command = format!("echo run >> {}; echo out; exit 5", function.path("runs").display());
    json!({"task_key": "k", "command": command, "attempt_id": attempt_id})
}

fn runs(function: &Function) -> usize {
    std::fs::read_to_string(function.path("runs")).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn a_finished_submission_is_not_run_again_and_its_result_sent_again() {
    let mut function = Function::start(&[]).await;
    let event = counting(&function, Some("attempt-1"));
    let first = function.result_of(event.clone()).await;
    let second = function.result_of(event).await;
    assert_eq!(first, second);
    assert_eq!(runs(&function), 1);
    // A new submission of the same task runs.
    let event = counting(&function, Some("attempt-2"));
    assert_eq!(function.result_of(event).await["attempt_id"], "attempt-2");
    assert_eq!(runs(&function), 2);
}

#[tokio::test]
async fn a_result_that_could_not_be_sent_is_sent_by_lambdas_next_try() {
    let mut function = Function::start(&[]).await;
    // Airflow's executor sends no attempt id; Lambda's own retries have the same request id.
    for attempt_id in [Some("attempt-1"), None] {
        let event = counting(&function, attempt_id);
        let before = runs(&function);
        function.next_replies(&[Reply::Fail(403, "AccessDenied")]);
        function.send_as(&event.to_string(), "the-request");
        assert!(!function.answer().await.is_response());
        function.send_as(&event.to_string(), "the-request");
        assert!(function.answer().await.is_response());
        assert_eq!(runs(&function), before + 1);
    }
    let codes: Vec<_> = function.results().iter().map(|result| result["return_code"].clone()).collect();
    assert_eq!(codes, [json!(5), json!(5)]);
}

#[tokio::test]
async fn a_submission_that_another_process_runs_is_not_run_again() {
    let mut function = Function::start(&[]).await;
    let command = "echo run >> runs; until [ -e go-on ]; do sleep 0.01; done; echo fine";
    let event = json!({"task_key": "k", "command": command, "attempt_id": "attempt-1"});
    function.send(event.clone());
    wait_for("the command to start", || runs(&function) == 1).await;
    function.start_another();
    // Lambda must neither retry it nor send it to the dead letter queue: the task will succeed.
    assert!(function.invoke(event.clone()).await.is_response());
    assert!(function.requests().is_empty());
    std::fs::write(function.path("go-on"), "").unwrap();
    assert!(function.answer().await.is_response());
    let codes: Vec<_> = function.results().iter().map(|result| result["return_code"].clone()).collect();
    assert_eq!(codes, [json!(0)]);
    // A process that receives it from now on has the result.
    assert_eq!(function.result_of(event).await["return_code"], 0);
    assert_eq!(runs(&function), 1);
}

#[tokio::test]
async fn after_a_crash_of_the_function_an_unknown_outcome_is_not_run_again() {
    let mut function = Function::start(&[]).await;
    let event = json!({"task_key": "k", "command": "echo run >> runs; exec sleep 600", "attempt_id": "attempt-1"});
    function.send(event.clone());
    wait_for("the command to start", || runs(&function) == 1).await;
    function.kill_and_restart();
    let answer = function.invoke(event).await;
    assert!(answer.error().contains("its outcome is unknown"), "{answer:?}");
    assert!(answer.error().contains("attempt-1"), "{answer:?}");
    assert_eq!((runs(&function), function.requests().len()), (1, 0));
    // Other submissions are not affected.
    assert_eq!(function.run(json!(["true"])).await["return_code"], 0);
}

#[tokio::test]
async fn after_a_restart_a_finished_submission_is_still_known() {
    let mut function = Function::start(&[]).await;
    let event = counting(&function, Some("attempt-1"));
    let first = function.result_of(event.clone()).await;
    // Killed while it runs another submission.
    function.send(json!({"task_key": "k2", "command": "touch started; exec sleep 600"}));
    wait_for("the command to start", || function.path("started").exists()).await;
    function.kill_and_restart();
    assert_eq!(function.result_of(event).await, first);
    assert_eq!(runs(&function), 1);
}
