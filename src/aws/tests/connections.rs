//! Connections that are refused, dropped, slow or stale; regions; the making of clients.

use super::*;
use crate::executor::ports::{Queues, ReceiveRequest};
use std::time::Instant;

const NO_SERVICE: FailureClass = FailureClass::Transient { no_service: true };

#[tokio::test]
async fn an_invocation_is_sent_as_lambda_expects_it() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let mut settings = settings(&server);
    settings.functions[0].qualifier = Some("live".into());
    let answer = invoke(&Aws::new(settings)).await.unwrap();
    assert_eq!(answer.request_id, "0001");
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /2015-03-31/functions/run/invocations?Qualifier=live");
    assert_eq!(seen.header("x-amz-invocation-type"), Some("Event"));
    assert_eq!(seen.body, r#"{"task_key":"k"}"#);
    assert!(seen.header("authorization").is_some_and(|text| text.contains("AKIDEXAMPLE/")), "{seen:?}");
}

#[tokio::test]
async fn nobody_there_is_no_service() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let mut settings = settings(&server);
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    settings.endpoints = Endpoints::all(&format!("http://{free}"));
    let error = invoke(&Aws::new(settings)).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (NO_SERVICE, "ConnectionFailed"));
    assert!(error.message.contains("onnection refused"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_not_taken_for_one_with() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let mut settings = settings(&server);
    settings.endpoints = Endpoints::all(&server.url.replace("http://", "https://"));
    settings.invoke_timeout = Duration::from_millis(500);
    let error = invoke(&Aws::new(settings)).await.unwrap_err();
    assert_eq!(error.class, NO_SERVICE, "{error}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_dropped_connection_is_no_service_and_not_tried_again() {
    let server = FakeServer::start(|_, _| Answer::Drop).await;
    let error = invoke(&aws(&server)).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (NO_SERVICE, "ConnectionFailed"), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_invocation_without_answer_ends_in_time() {
    let server = FakeServer::start(|_, _| Answer::Hang).await;
    let mut settings = settings(&server);
    settings.invoke_timeout = Duration::from_millis(100);
    let error = invoke(&Aws::new(settings)).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (NO_SERVICE, "TimedOut"));
    assert_eq!(error.message, "function `run`: no answer within 100 ms");
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let aws = aws(&server);
    for _ in 0..5 {
        invoke(&aws).await.unwrap();
    }
    assert!(server.seen().iter().all(|seen| seen.connection == 0));
}

/// The SDK's pool notices, and connects anew.
#[tokio::test]
async fn a_connection_closed_between_calls_costs_no_attempt() {
    let server = FakeServer::start(|_, _| Answer::ReplyAndClose(202, String::new())).await;
    let aws = aws(&server);
    for call in 0..10 {
        invoke(&aws).await.unwrap_or_else(|error| panic!("call {call}: {error}"));
        server.closed().await;
    }
    assert_eq!(server.seen().len(), 10);
}

/// Whether Lambda took the event nobody can tell: one try is lost, and only one.
#[tokio::test]
async fn a_connection_closed_on_a_request_costs_that_try_alone() {
    let server = FakeServer::start(|n, _| if n == 1 { Answer::Drop } else { accepted() }).await;
    let aws = aws(&server);
    invoke(&aws).await.unwrap();
    let error = invoke(&aws).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (NO_SERVICE, "ConnectionFailed"), "{error}");
    invoke(&aws).await.unwrap();
    let connections: Vec<usize> = server.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 0, 1]);
}

#[tokio::test]
async fn a_long_poll_is_not_cut_short() {
    let server = FakeServer::start(|_, _| Answer::Late(6_000, 200, r#"{"Messages":[]}"#.into())).await;
    let started = Instant::now();
    let request = ReceiveRequest { queue: 0, max_messages: 10, wait_s: 20, visibility_s: 60 };
    // Six seconds: longer than the five after which the SDK's stalled-stream protection would end it.
    assert!(aws(&server).receive(request).await.unwrap().is_empty());
    assert!(started.elapsed() >= Duration::from_secs(6));
}

#[tokio::test]
async fn many_calls_at_once_have_a_connection_each() {
    let server = FakeServer::start(|_, _| Answer::Late(200, 202, String::new())).await;
    let aws = Arc::new(aws(&server));
    let calls: Vec<_> = (0..128)
        .map(|_| {
            let aws = Arc::clone(&aws);
            tokio::spawn(async move { invoke(&aws).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(server.seen().len(), 128);
}

#[tokio::test]
async fn regions_come_from_arn_and_queue_url() {
    let server = FakeServer::start(|_, seen| match seen.header("x-amz-target") {
        Some(_) => Answer::Reply(200, vec![], "{}".into()),
        None => accepted(),
    })
    .await;
    let mut settings = settings(&server);
    settings.region = Some("eu-west-1".into());
    settings.functions[0].name = "arn:aws:lambda:us-east-2:123456789012:function:run".into();
    settings.queue_urls = vec!["https://sqs.ap-south-1.amazonaws.com/1/q".into(), "http://127.0.0.1:1/0/q".into()];
    let aws = Aws::new(settings);
    invoke(&aws).await.unwrap();
    aws.receive(ReceiveRequest { queue: 0, max_messages: 1, wait_s: 0, visibility_s: 1 }).await.unwrap();
    aws.receive(ReceiveRequest { queue: 1, max_messages: 1, wait_s: 0, visibility_s: 1 }).await.unwrap();
    let signed: Vec<String> = server
        .seen()
        .iter()
        .map(|seen| seen.header("authorization").unwrap().split('/').nth(2).unwrap().to_owned())
        .collect();
    assert_eq!(signed, ["us-east-2", "ap-south-1", "eu-west-1"]);
    assert!(server.seen()[1].body.contains(r#""QueueUrl":"https://sqs.ap-south-1.amazonaws.com/1/q""#));
}

#[tokio::test]
async fn a_function_without_region_takes_the_queues() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let mut settings = settings(&server);
    settings.region = None;
    invoke(&Aws::new(settings)).await.unwrap();
    assert!(server.seen()[0].header("authorization").unwrap().contains("/eu-west-1/lambda/"));
}

#[tokio::test]
async fn no_region_anywhere_is_told() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let mut settings = settings(&server);
    settings.region = None;
    settings.queue_urls = vec!["http://127.0.0.1:1/0/q".into(), "http://127.0.0.1:1/0/d".into()];
    let error = invoke(&Aws::new(settings)).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (FailureClass::Credentials, "NoRegion"));
    assert_eq!(error.message, "region_name: not set, and neither AWS_REGION nor the profile names one");
}
