//! The check of functions and queues.

use super::*;
use crate::executor::QueueKind;
use crate::executor::ports::Health;

const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:run";

/// What GetFunction tells of a function.
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

/// The check of a function called `name`, with what AWS tells of it; both queues are there.
async fn check(name: &str, answer: Answer) -> Result<Vec<String>, CallError> {
    let server = FakeServer::start(move |_, seen| match seen.header("x-amz-target") {
        Some(_) => queue(),
        None => answer.clone(),
    })
    .await;
    let mut settings = settings(&server);
    settings.functions[0].name = name.into();
    Aws::new(settings).check().await
}

#[tokio::test]
async fn every_form_of_the_name_passes() {
    for name in ["run", "run:live", "123456789012:function:run", "123456789012:function:run:live", ARN] {
        check(name, function(ARN, r#","State":"Active","LastUpdateStatus":"Successful""#)).await.unwrap();
    }
    check(&format!("{ARN}:live"), function(&format!("{ARN}:live"), "")).await.unwrap();
}

#[tokio::test]
async fn another_function_whose_name_contains_ours_does_not_pass() {
    let error = check("run", function(&format!("{ARN}ner"), "")).await.unwrap_err();
    assert_eq!(error.class, FailureClass::Permanent);
    assert_eq!(error.message, format!("function `run`: AWS answered with another function, `{ARN}ner`"));
}

#[tokio::test]
async fn states_that_heal_pass_and_others_do_not() {
    for state in ["Active", "Pending", "Inactive"] {
        check("run", function(ARN, &format!(r#","State":"{state}""#))).await.unwrap();
    }
    for state in ["Failed", "Deleting", "Deactivated", "ActiveNonInvocable", "SomethingNew"] {
        let more = format!(r#","State":"{state}","StateReason":"the image is gone""#);
        let error = check("run", function(ARN, &more)).await.unwrap_err();
        assert_eq!(error.class, FailureClass::Permanent);
        assert_eq!(error.message, format!("function `run` is in state {state}: the image is gone"));
    }
}

#[tokio::test]
async fn a_failed_update_leaves_the_version_before_it() {
    check("run", function(ARN, r#","State":"Active","LastUpdateStatus":"Failed""#)).await.unwrap();
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
    let error = Aws::new(settings).check().await.unwrap_err();
    assert_eq!(server.seen()[0].line, "GET /2015-03-31/functions/run?Qualifier=live");
    assert_eq!(error.class, FailureClass::Permanent);
    assert_eq!(
        error.message,
        "function `run` with qualifier `live` was not found in eu-west-1 (function `run` with qualifier `live`: as told by AWS)"
    );
}

#[tokio::test]
async fn every_queue_is_checked_and_every_failure_told() {
    let server = FakeServer::start(|_, seen| match seen.header("x-amz-target") {
        Some(_) if seen.body.contains("/dead") => sqs_error(400, "QueueDoesNotExist"),
        Some(_) => sqs_error(403, "AccessDeniedException"),
        None => function(ARN, ""),
    })
    .await;
    let error = aws(&server).check().await.unwrap_err();
    assert_eq!(error.class, FailureClass::Permanent);
    assert_eq!(
        error.message,
        format!("queue {RESULTS}: as told by AWS; queue {DEAD} does not exist (QueueDoesNotExist)")
    );
}

#[tokio::test]
async fn a_function_of_several_routes_is_asked_for_once() {
    let server = FakeServer::start(|_, seen| match seen.header("x-amz-target") {
        Some(_) => queue(),
        None => function(ARN, ""),
    })
    .await;
    let mut settings = settings(&server);
    let run = settings.functions[0].clone();
    settings.functions.extend([run.clone(), Function { qualifier: Some("7".into()), ..run.clone() }, run]);
    Aws::new(settings).check().await.unwrap();
    let asked: Vec<String> =
        server.seen().into_iter().map(|seen| seen.line).filter(|line| line.contains("GET")).collect();
    assert_eq!(asked, ["GET /2015-03-31/functions/run", "GET /2015-03-31/functions/run?Qualifier=7"]);
}

#[tokio::test]
async fn queues_that_do_not_fit_are_told_where_all_else_is_well() {
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
    let told = Aws::new(settings).check().await.unwrap();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with(&format!("queue {RESULTS}: its DelaySeconds is 5")), "{told:?}");
    assert!(told[1].starts_with(&format!("queue {DEAD}: takes messages of up to 262144 bytes")), "{told:?}");
}

#[tokio::test]
async fn refused_credentials_end_the_check() {
    let server = FakeServer::start(|_, _| lambda_error(403, "ExpiredTokenException")).await;
    let error = aws(&server).check().await.unwrap_err();
    assert_eq!(error.class, FailureClass::Credentials);
    assert_eq!(server.seen().len(), 1);
}
