//! Connections that are refused, dropped, slow or stale, and what that means for the call; regions.

use super::*;
use crate::executor::ports::{Queues, ReceiveRequest};
use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Instant;

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
async fn a_probe_is_a_dry_run_of_the_route() {
    let server = FakeServer::start(|n, _| match n {
        0 => Answer::Reply(204, vec![], String::new()),
        1 => lambda_error(403, "AccessDeniedException"),
        _ => accepted(),
    })
    .await;
    let mut settings = settings(&server);
    settings.functions[0].qualifier = Some("live".into());
    let aws = Aws::new(settings);
    aws.probe(0).await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /2015-03-31/functions/run/invocations?Qualifier=live");
    assert_eq!(seen.header("x-amz-invocation-type"), Some("DryRun"));
    assert_eq!(seen.body, "");
    assert_eq!(aws.probe(0).await.unwrap_err().fault, Fault::Route);
    let error = aws.probe(0).await.unwrap_err();
    assert_eq!((error.fault, error.code.as_str()), (Fault::Service, "UnexpectedAnswer"));
    assert_eq!(aws.probe(1).await.unwrap_err().message, "there is no route 1");
}

/// A failure of the service or of the way to it: its code, and whether AWS may have seen the call.
fn failure(error: &CallError) -> (Fault, Sent, &str) {
    (error.fault, error.sent, error.code.as_str())
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let mut settings = settings(&server);
    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    settings.endpoints = Endpoints::all(&format!("http://{free}"));
    let error = invoke(&Aws::new(settings)).await.unwrap_err();
    assert_eq!(failure(&error), (Fault::Service, Sent::No, "ConnectionFailed"));
    assert_eq!(
        error.message,
        format!("function `run` cannot be reached: Connection refused (os error 111) (connecting to http://{free})")
    );
}

#[tokio::test]
async fn a_host_name_that_does_not_exist_was_not_sent() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let mut settings = settings(&server);
    settings.endpoints = Endpoints::all("http://does-not-exist.invalid");
    let error = invoke(&Aws::new(settings)).await.unwrap_err();
    assert_eq!(failure(&error), (Fault::Service, Sent::No, "ConnectionFailed"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_was_sent_nothing() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let mut settings = settings(&server);
    settings.endpoints = Endpoints::all(&server.url.replace("http://", "https://"));
    settings.invoke_timeout = Duration::from_millis(500);
    let error = invoke(&Aws::new(settings)).await.unwrap_err();
    assert_eq!((error.fault, error.sent), (Fault::Service, Sent::No), "{error}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_server_that_answers_without_tls_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let settings =
        Settings { endpoints: Endpoints::all(&url), ..settings(&FakeServer::start(|_, _| accepted()).await) };
    let error = invoke(&Aws::new(settings)).await.unwrap_err();
    assert_eq!(failure(&error), (Fault::Service, Sent::No, "ConnectionFailed"));
    assert!(
        error.message.ends_with("the server does not speak TLS (is its URL http:// in place of https://?)"),
        "{error}"
    );
    answering.join().unwrap();
}

/// A port that accepts connections, on which the handshake of TLS is never answered.
fn silent() -> (TcpListener, Endpoints) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoints = Endpoints::all(&format!("https://{}", listener.local_addr().unwrap()));
    (listener, endpoints)
}

#[tokio::test]
async fn a_connection_that_is_not_established_in_time_was_not_sent() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let (_listener, endpoints) = silent();
    let mut settings = settings(&server);
    settings.endpoints = endpoints;
    settings.connect_timeout = Duration::from_millis(100);
    let error = invoke(&Aws::new(settings.clone())).await.unwrap_err();
    assert_eq!(failure(&error), (Fault::Service, Sent::No, "ConnectTimedOut"), "{error}");
    // The same where the limit of the whole call is reached first.
    settings.connect_timeout = Duration::from_secs(60);
    settings.invoke_timeout = Duration::from_millis(500);
    let error = invoke(&Aws::new(settings)).await.unwrap_err();
    assert_eq!(failure(&error), (Fault::Service, Sent::No, "TimedOut"), "{error}");
}

#[tokio::test]
async fn an_invocation_without_answer_ends_in_time_and_may_have_been_sent() {
    let server = FakeServer::start(|_, _| Answer::Hang).await;
    let mut settings = settings(&server);
    settings.invoke_timeout = Duration::from_millis(100);
    let error = invoke(&Aws::new(settings)).await.unwrap_err();
    assert_eq!(failure(&error), (Fault::Service, Sent::Maybe, "TimedOut"));
    assert_eq!(error.message, "function `run`: no answer within 100 ms");
}

#[tokio::test]
async fn an_answer_that_is_cut_may_have_been_sent() {
    let server = FakeServer::start(|_, _| Answer::Cut(202)).await;
    let error = invoke(&aws(&server)).await.unwrap_err();
    assert_eq!(failure(&error), (Fault::Service, Sent::Maybe, "UnreadableAnswer"), "{error}");
}

#[tokio::test]
async fn a_new_connection_that_ends_may_have_been_sent_and_is_not_sent_again() {
    let server = FakeServer::start(|_, _| Answer::Drop).await;
    let aws = aws(&server);
    let error = invoke(&aws).await.unwrap_err();
    assert_eq!(failure(&error), (Fault::Service, Sent::Maybe, "ConnectionFailed"), "{error}");
    assert!(error.message.starts_with("function `run`: the connection ended before an answer came: "), "{error}");
    assert_eq!(server.seen().len(), 1);
}

/// The first request on each connection is accepted; `then` answers all others.
async fn server_of_one_request(then: Answer) -> FakeServer {
    let used = Mutex::new(HashSet::new());
    FakeServer::start(move |_, seen| {
        if !used.lock().unwrap().insert(seen.connection) {
            return then.clone();
        }
        match seen.header("x-amz-target") {
            Some(_) => Answer::Reply(200, vec![], "{}".into()),
            None => accepted(),
        }
    })
    .await
}

fn connections(server: &FakeServer) -> Vec<usize> {
    server.seen().iter().map(|seen| seen.connection).collect()
}

#[tokio::test]
async fn an_idle_connection_that_ends_is_replaced_at_once() {
    let server = server_of_one_request(Answer::Drop).await;
    let aws = aws(&server);
    for _ in 0..3 {
        invoke(&aws).await.unwrap();
    }
    // The second call met the end of connection 0; the connection that replaced it was used once.
    assert_eq!(connections(&server), [0, 0, 1, 2]);
    let seen = server.seen();
    assert_eq!((&seen[1].line, &seen[1].body, &seen[1].headers), (&seen[2].line, &seen[2].body, &seen[2].headers));
}

#[tokio::test]
async fn an_idle_connection_to_sqs_that_ends_is_replaced_at_once() {
    let server = server_of_one_request(Answer::Drop).await;
    let aws = aws(&server);
    let request = ReceiveRequest { queue: 0, max_messages: 1, wait_s: 0, visibility_s: 1 };
    aws.receive(request).await.unwrap();
    aws.receive(request).await.unwrap();
    assert_eq!(connections(&server), [0, 0, 1]);
}

/// Each call must reach a new connection, not another one that was idle.
#[tokio::test]
async fn all_idle_connections_may_end_at_once() {
    const CALLS: usize = 32;
    let used = Mutex::new(HashSet::new());
    let server = FakeServer::start(move |_, seen| {
        if used.lock().unwrap().insert(seen.connection) { Answer::Late(100, 202, String::new()) } else { Answer::Drop }
    })
    .await;
    let aws = Arc::new(aws(&server));
    for _ in 0..2 {
        let calls: Vec<_> = (0..CALLS)
            .map(|_| {
                let aws = Arc::clone(&aws);
                tokio::spawn(async move { invoke(&aws).await })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    }
    assert_eq!(server.seen().len(), 3 * CALLS);
}

/// The server had the request for a while: it may have taken it.
#[tokio::test]
async fn a_used_connection_that_ends_late_is_not_sent_again() {
    let server = server_of_one_request(Answer::DropLate(1_500)).await;
    let aws = aws(&server);
    invoke(&aws).await.unwrap();
    let error = invoke(&aws).await.unwrap_err();
    assert_eq!(failure(&error), (Fault::Service, Sent::Maybe, "ConnectionFailed"), "{error}");
    assert_eq!(connections(&server), [0, 0]);
}

#[tokio::test]
async fn the_second_connection_is_the_last() {
    let server = FakeServer::start(|n, _| if n == 0 { accepted() } else { Answer::Drop }).await;
    let aws = aws(&server);
    invoke(&aws).await.unwrap();
    let error = invoke(&aws).await.unwrap_err();
    assert_eq!(failure(&error), (Fault::Service, Sent::Maybe, "ConnectionFailed"), "{error}");
    assert_eq!(connections(&server), [0, 0, 1]);
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

/// The connection pool notices, and connects again.
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

#[tokio::test]
async fn a_long_poll_is_not_cut_short() {
    let server = FakeServer::start(|_, _| Answer::Late(6_000, 200, r#"{"Messages":[]}"#.into())).await;
    let started = Instant::now();
    let request = ReceiveRequest { queue: 0, max_messages: 10, wait_s: 20, visibility_s: 60 };
    // Six seconds: the SDK's stalled-stream protection would end it after five.
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

/// The peer began to answer, so it had the request.
#[tokio::test]
async fn a_used_connection_that_ends_in_an_answer_is_not_sent_again() {
    let server = FakeServer::start(|n, _| if n == 0 { accepted() } else { Answer::RawAndClose("HTTP/1.1 20") }).await;
    let aws = aws(&server);
    invoke(&aws).await.unwrap();
    let error = invoke(&aws).await.unwrap_err();
    assert_eq!((error.sent, error.code.as_str()), (Sent::Maybe, "ConnectionFailed"), "{error}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let chunk = "400\r\n".to_owned() + &" ".repeat(1_024) + "\r\n";
    let chunk: &'static str = chunk.leak();
    let server =
        FakeServer::start(move |_, _| Answer::Endless("HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n", chunk))
            .await;
    let request = ReceiveRequest { queue: 0, max_messages: 10, wait_s: 0, visibility_s: 60 };
    let error = aws(&server).receive(request).await.unwrap_err();
    assert_eq!((error.fault, error.code.as_str()), (Fault::Service, "UnreadableAnswer"), "{error}");
    assert!(error.message.ends_with("it is larger than 67108864 bytes"), "{error}");
}

/// Each client has connections of its own: usually each service is called on a runtime of its own.
#[tokio::test]
async fn services_on_one_address_share_no_connection() {
    let server = FakeServer::start(|_, seen| match seen.header("x-amz-target") {
        Some(_) => Answer::Reply(200, vec![], "{}".into()),
        None => accepted(),
    })
    .await;
    let aws = aws(&server);
    for _ in 0..2 {
        invoke(&aws).await.unwrap();
        aws.receive(ReceiveRequest { queue: 0, max_messages: 1, wait_s: 0, visibility_s: 1 }).await.unwrap();
    }
    let connections: Vec<usize> = server.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 1, 0, 1]);
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
async fn no_region_anywhere_is_reported() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let mut settings = settings(&server);
    settings.region = None;
    settings.queue_urls = vec!["http://127.0.0.1:1/0/q".into(), "http://127.0.0.1:1/0/d".into()];
    let error = invoke(&Aws::new(settings)).await.unwrap_err();
    assert_eq!((error.fault, error.code.as_str()), (Fault::Identity, "NoRegion"));
    assert_eq!(error.message, "region_name: not set, and neither AWS_REGION nor the profile names one");
}

#[tokio::test]
async fn calls_use_the_snapshot_of_the_environment() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let mut settings = settings(&server);
    invoke(&Aws::new(settings.clone())).await.unwrap();
    settings.environment = Environment::of([
        ("AWS_EXECUTION_ENV", "a-snapshot"),
        ("AWS_LAMBDA_FUNCTION_NAME", "scheduler"),
        ("_X_AMZN_TRACE_ID", "Root=1-2"),
    ]);
    invoke(&Aws::new(settings)).await.unwrap();
    let seen = server.seen();
    let agent = |n: usize| seen[n].header("x-amz-user-agent").unwrap();
    assert!(agent(0).contains("app/lambda-executor") && !agent(0).contains("exec-env"), "{}", agent(0));
    assert!(agent(1).contains("app/lambda-executor") && agent(1).contains("exec-env/a-snapshot"), "{}", agent(1));
    assert_eq!((seen[0].header("x-amzn-trace-id"), seen[1].header("x-amzn-trace-id")), (None, Some("Root=1-2")));
}

/// A named pipe without a writer stands for a file of a network's file system that does not answer.
#[tokio::test]
async fn a_file_that_hangs_is_within_the_limit_of_the_call() {
    let folder = std::env::temp_dir().join(format!("lambda-executor-hanging-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let pipe = folder.join("ca.pem");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let server = FakeServer::start(|_, _| accepted()).await;
    let mut settings = settings(&server);
    settings.ca_bundle = Some(pipe.clone());
    settings.invoke_timeout = Duration::from_millis(200);
    let aws = Aws::new(settings);
    let error = invoke(&aws).await.unwrap_err();
    assert_eq!(failure(&error), (Fault::Identity, Sent::No, "ConfigurationTimedOut"), "{error}");
    // The file is read once; the next call gets the result.
    std::fs::write(&pipe, "no certificate").unwrap();
    let error = loop {
        let error = invoke(&aws).await.unwrap_err();
        if error.code != "ConfigurationTimedOut" {
            break error;
        }
    };
    assert_eq!(error.code, "NoCaBundle", "{error}");
    std::fs::remove_dir_all(&folder).unwrap();
}
