//! The check of functions and queues.

use super::*;
use crate::executor::QueueKind;
use std::sync::{Condvar, Mutex};

const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:run";

/// The answer of GetFunction.
fn function(arn: &str, more: &str) -> Answer {
    let body = format!(r#"{{"Configuration":{{"FunctionName":"run","FunctionArn":"{arn}"{more}}}}}"#);
    Answer::Reply(200, vec![("content-type", "application/json".into())], body)
}

fn queue() -> Answer {
    Answer::Reply(
        200,
        vec![("content-type", "application/x-amz-json-1.0".into())],
        r#"{"Attributes":{"QueueArn":"arn:aws:sqs:eu-west-1:123456789012:results"}}"#.into(),
    )
}

/// The check of a function called `name`, with the answer of GetFunction; both queues exist.
async fn check_named(name: &str, answer: Answer) -> Result<Vec<String>, CallError> {
    let server = FakeServer::start(move |_, seen| match seen.header("x-amz-target") {
        Some(_) => queue(),
        None => answer.clone(),
    })
    .await;
    let mut settings = settings(&server);
    settings.functions[0].name = name.into();
    check(&Aws::new(settings)).await
}

#[tokio::test]
async fn every_form_of_the_name_passes() {
    for name in ["run", "run:live", "123456789012:function:run", "123456789012:function:run:live", ARN] {
        check_named(name, function(ARN, r#","State":"Active","LastUpdateStatus":"Successful""#)).await.unwrap();
    }
    check_named(&format!("{ARN}:live"), function(&format!("{ARN}:live"), "")).await.unwrap();
}

#[tokio::test]
async fn another_function_whose_name_contains_ours_does_not_pass() {
    let error = check_named("run", function(&format!("{ARN}ner"), "")).await.unwrap_err();
    assert_eq!(error.fault, Fault::Route);
    assert_eq!(error.message, format!("function `run`: AWS answered with another function, `{ARN}ner`"));
}

#[tokio::test]
async fn only_an_active_function_is_usable_and_an_inactive_one_may_become_so() {
    let check = |state: &str| {
        let more = format!(r#","State":"{state}","StateReason":"the image is gone""#);
        async move { check_named("run", function(ARN, &more)).await }
    };
    check("Active").await.unwrap();
    let warnings = check("Inactive").await.unwrap();
    assert!(warnings[0].starts_with("function `run` is in state Inactive: the image is gone: Lambda"), "{warnings:?}");
    for state in ["Pending", "Failed", "Deleting", "Deactivated", "ActiveNonInvocable", "SomethingNew"] {
        let error = check(state).await.unwrap_err();
        assert_eq!((error.fault, error.sent), (Fault::Route, Sent::No));
        assert_eq!(error.message, format!("function `run` is in state {state}: the image is gone"));
    }
}

#[tokio::test]
async fn a_failed_update_is_a_warning() {
    let more = r#","State":"Active","LastUpdateStatus":"Failed","LastUpdateStatusReason":"no such image""#;
    let warnings = check_named("run", function(ARN, more)).await.unwrap();
    assert!(warnings[0].starts_with("function `run`: its last update failed (no such image)"), "{warnings:?}");
}

/// Whether the function exists can also be found out with the permission that tasks need anyway.
#[tokio::test]
async fn without_permission_for_getfunction_a_dry_run_decides() {
    for (status, code) in [(204, None), (404, Some("ResourceNotFoundException"))] {
        let server = FakeServer::start(move |_, seen| match (seen.line.starts_with("GET"), code) {
            (true, _) => lambda_error(403, "AccessDeniedException"),
            (false, None) => Answer::Reply(status, vec![], String::new()),
            (false, Some(code)) => lambda_error(status, code),
        })
        .await;
        let checked = aws(&server).check_function(0).await;
        let dry_run = &server.seen()[1];
        assert_eq!(dry_run.line, "POST /2015-03-31/functions/run/invocations");
        assert_eq!(dry_run.header("x-amz-invocation-type"), Some("DryRun"));
        match code {
            None => assert!(checked.unwrap()[0].contains("allow lambda:GetFunction")),
            Some(code) => assert_eq!(checked.unwrap_err().code, code),
        }
    }
}

/// Warnings about a function with these parts of its configuration, which follow a comma.
async fn warnings(more: &str) -> Vec<String> {
    let server = FakeServer::start({
        let answer = function(ARN, &format!(r#","State":"Active"{more}"#));
        move |_, _| answer.clone()
    })
    .await;
    let mut settings = settings(&server);
    settings.queue_needs.kinds = vec![QueueKind::Results, QueueKind::DeadLetters];
    Aws::new(settings).check_function(0).await.unwrap()
}

const DEAD_LETTERS: &str = r#","DeadLetterConfig":{"TargetArn":"arn:aws:sqs:eu-west-1:123456789012:dead"}"#;

fn environment(variables: &str) -> String {
    format!(r#"{DEAD_LETTERS},"Environment":{{"Variables":{{{variables}}}}}"#)
}

#[tokio::test]
async fn a_function_that_fits_causes_no_warning() {
    let none = Vec::<String>::new();
    assert_eq!(warnings(DEAD_LETTERS).await, none);
    assert_eq!(warnings(&environment(&format!(r#""QUEUE_URL":"{RESULTS}""#))).await, none);
    assert_eq!(warnings(&format!(r#"{DEAD_LETTERS},"Timeout":900"#)).await, none);
}

#[tokio::test]
async fn another_results_queue_is_a_warning() {
    let warnings = warnings(&environment(r#""QUEUE_URL":"https://sqs.eu-west-1.amazonaws.com/1/other""#)).await;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("function `run`: its QUEUE_URL is `https://sqs.eu-west-1.amazonaws.com/1/other`, a queue that this executor does not receive from"), "{warnings:?}");
}

#[tokio::test]
async fn a_reply_queue_that_the_function_does_not_allow_is_a_warning() {
    for (allowed, expected) in [("", 1), ("https://x/1/y, https://x/1/replies", 0)] {
        let more = environment(&format!(r#""QUEUE_URL":"{RESULTS}","LAMBDA_EXECUTOR_REPLY_TO_ALLOW":"{allowed}""#));
        let answer = function(ARN, &more);
        let server = FakeServer::start(move |_, _| answer.clone()).await;
        let mut settings = settings(&server);
        settings.queue_urls.insert(1, "https://x/1/replies".into());
        settings.queue_needs.kinds = vec![QueueKind::Results, QueueKind::Results, QueueKind::DeadLetters];
        let warnings = Aws::new(settings).check_function(0).await.unwrap();
        assert_eq!(warnings.len(), expected, "{warnings:?}");
        assert!(warnings.iter().all(|warning| warning.contains("does not contain reply_queue_url")), "{warnings:?}");
    }
}

#[tokio::test]
async fn no_dead_letter_queue_and_another_one_are_warnings() {
    let none = warnings("").await;
    assert_eq!(none.len(), 1, "{none:?}");
    assert!(none[0].contains("it has no dead letter queue (DeadLetterConfig): unless an on-failure destination"));
    let other = warnings(r#","DeadLetterConfig":{"TargetArn":"arn:aws:sqs:eu-west-1:123456789012:other"}"#).await;
    assert_eq!(other.len(), 1, "{other:?}");
    assert!(other[0].contains("is arn:aws:sqs:eu-west-1:123456789012:other, not dead_letter_queue_url"), "{other:?}");
}

#[tokio::test]
async fn the_default_timeout_is_a_warning() {
    let warnings = warnings(&format!(r#"{DEAD_LETTERS},"Timeout":3"#)).await;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("its Timeout is 3 s, Lambda's default"), "{warnings:?}");
}

#[tokio::test]
async fn a_runtime_of_airflows_handler_is_a_warning_where_it_gets_several_tasks() {
    for (gets_batches, runtime, expected) in
        [(true, "python3.12", 1), (true, "provided.al2023", 0), (false, "python3.12", 0)]
    {
        let more = format!(r#","State":"Active","Runtime":"{runtime}"{DEAD_LETTERS}"#);
        let answer = function(ARN, &more);
        let server = FakeServer::start(move |_, _| answer.clone()).await;
        let mut settings = settings(&server);
        settings.queue_needs.kinds = vec![QueueKind::Results, QueueKind::DeadLetters];
        settings.functions[0].gets_batches = gets_batches;
        let warnings = Aws::new(settings).check_function(0).await.unwrap();
        assert_eq!(warnings.len(), expected, "{runtime}: {warnings:?}");
        assert!(warnings.iter().all(|warning| warning.contains("batch_size to 1")), "{warnings:?}");
    }
}

#[tokio::test]
async fn the_qualifier_is_asked_for() {
    let server = FakeServer::start(|_, seen| match seen.header("x-amz-target") {
        Some(_) => queue(),
        None => lambda_error(404, "ResourceNotFoundException"),
    })
    .await;
    let mut settings = settings(&server);
    settings.functions[0].qualifier = Some("live".into());
    let error = check(&Aws::new(settings)).await.unwrap_err();
    assert_eq!(server.seen()[0].line, "GET /2015-03-31/functions/run?Qualifier=live");
    assert_eq!(error.fault, Fault::Route);
    assert_eq!(
        error.message,
        "function `run` with qualifier `live` was not found in eu-west-1 (function `run` with qualifier `live`: the message of AWS)"
    );
}

#[tokio::test]
async fn every_queue_is_checked_and_every_failure_reported() {
    let server = FakeServer::start(|_, seen| match seen.header("x-amz-target") {
        Some(_) if seen.body.contains("/dead") => sqs_error(400, "QueueDoesNotExist"),
        Some(_) => sqs_error(403, "AccessDeniedException"),
        None => function(ARN, ""),
    })
    .await;
    let error = check(&aws(&server)).await.unwrap_err();
    assert_eq!(error.fault, Fault::Route);
    assert_eq!(
        error.message,
        format!("queue {RESULTS}: the message of AWS; queue {DEAD} does not exist (QueueDoesNotExist)")
    );
}

#[tokio::test]
async fn each_route_has_its_own_check() {
    let server = FakeServer::start(|_, seen| match seen.line.contains("Qualifier=7") {
        true => lambda_error(404, "ResourceNotFoundException"),
        false => function(ARN, ""),
    })
    .await;
    let mut settings = settings(&server);
    let run = settings.functions[0].clone();
    settings.functions.push(Function { qualifier: Some("7".into()), ..run });
    let aws = Aws::new(settings);
    aws.check_function(0).await.unwrap();
    assert_eq!(aws.check_function(1).await.unwrap_err().fault, Fault::Route);
    let asked: Vec<String> = server.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(asked, ["GET /2015-03-31/functions/run", "GET /2015-03-31/functions/run?Qualifier=7"]);
}

/// Each answer waits until both requests have arrived.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn queues_are_checked_at_the_same_time() {
    let arrived = Arc::new((Mutex::new(0), Condvar::new()));
    let server = FakeServer::start(move |_, _| {
        let (count, changed) = &*arrived;
        let mut count = count.lock().unwrap();
        *count += 1;
        changed.notify_all();
        let limit = Duration::from_secs(5);
        // In place: this thread may be the one that waits for the network.
        let waited = tokio::task::block_in_place(|| changed.wait_timeout_while(count, limit, |count| *count < 2));
        let (_count, waited) = waited.unwrap();
        if waited.timed_out() { sqs_error(500, "InternalFailure") } else { queue() }
    })
    .await;
    aws(&server).check_queues().await.unwrap();
}

#[tokio::test]
async fn queues_that_do_not_fit_are_warnings_where_everything_works() {
    let server = FakeServer::start(|_, seen| match seen.header("x-amz-target") {
        Some(_) => Answer::Reply(
            200,
            vec![("content-type", "application/x-amz-json-1.0".into())],
            r#"{"Attributes":{"MaximumMessageSize":"262144","DelaySeconds":"5"}}"#.into(),
        ),
        None => function(ARN, ""),
    })
    .await;
    let mut settings = settings(&server);
    settings.queue_needs = QueueNeeds {
        kinds: vec![QueueKind::Results, QueueKind::DeadLetters],
        max_payload_bytes: 1_000_000,
        result_timeout: Duration::from_secs(60),
    };
    let warnings = Aws::new(settings).check_queues().await.unwrap();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings[0].starts_with(&format!("queue {RESULTS}: its DelaySeconds is 5")), "{warnings:?}");
    assert!(warnings[1].starts_with(&format!("queue {DEAD}: takes messages of up to 262144 bytes")), "{warnings:?}");
}

#[tokio::test]
async fn rejected_credentials_end_the_check() {
    let server = FakeServer::start(|_, _| lambda_error(403, "ExpiredTokenException")).await;
    let error = check(&aws(&server)).await.unwrap_err();
    assert_eq!(error.fault, Fault::Identity);
    assert_eq!(server.seen().len(), 1);
}
