//! Forms of answers that HTTP allows, and what else may come in place of one.

use super::*;
use crate::executor::ports::{Queues, ReceiveRequest};

const RECEIVE: ReceiveRequest = ReceiveRequest { queue: 0, max_messages: 10, wait_s: 0, visibility_s: 60 };

fn connections(server: &FakeServer) -> Vec<usize> {
    server.seen().iter().map(|seen| seen.connection).collect()
}

#[tokio::test]
async fn an_interim_answer_is_not_the_answer() {
    let server = FakeServer::start(|_, _| {
        Answer::Raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 X\r\nx-amzn-requestid: r\r\ncontent-length: 0\r\n\r\n")
    })
    .await;
    let aws = aws(&server);
    for _ in 0..2 {
        assert_eq!(invoke(&aws).await.unwrap().request_id, "r");
    }
    assert_eq!(connections(&server), [0, 0]);
}

#[tokio::test]
async fn an_answer_in_chunks_is_read_to_its_end() {
    let server = FakeServer::start(|_, _| {
        Answer::Raw(
            "HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n\
             c\r\n{\"Messages\":\r\n22\r\n[{\"Body\":\"b\",\"ReceiptHandle\":\"r\"}]\r\n1\r\n}\r\n0\r\nx-trailer: t\r\n\r\n",
        )
    })
    .await;
    let aws = aws(&server);
    for _ in 0..2 {
        let messages = aws.receive(RECEIVE).await.unwrap();
        assert_eq!((messages[0].body.as_str(), messages[0].receipt.as_str()), ("b", "r"));
    }
    assert_eq!(connections(&server), [0, 0]);
}

#[tokio::test]
async fn a_connection_that_the_server_announces_to_close_is_not_used_again() {
    let server =
        FakeServer::start(|_, _| Answer::Raw("HTTP/1.1 202 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")).await;
    let aws = aws(&server);
    for _ in 0..3 {
        invoke(&aws).await.unwrap();
    }
    assert_eq!(connections(&server), [0, 1, 2]);
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_is_read() {
    let server =
        FakeServer::start(|_, _| Answer::RawAndClose("HTTP/1.1 200 X\r\n\r\n{\"Messages\":[{\"Body\":\"b\"}]}")).await;
    let aws = aws(&server);
    for _ in 0..2 {
        assert_eq!(aws.receive(RECEIVE).await.unwrap()[0].body, "b");
    }
    assert_eq!(connections(&server), [0, 1]);
}

/// The peer's bytes after its answer belong to no request.
#[tokio::test]
async fn an_answer_that_nothing_asked_for_is_nobodys_answer() {
    let server = FakeServer::start(|n, _| match n {
        0 => Answer::Raw(
            "HTTP/1.1 202 X\r\nx-amzn-requestid: first\r\ncontent-length: 0\r\n\r\n\
             HTTP/1.1 202 X\r\nx-amzn-requestid: stray\r\ncontent-length: 0\r\n\r\n",
        ),
        _ => Answer::Raw("HTTP/1.1 202 X\r\nx-amzn-requestid: second\r\ncontent-length: 0\r\n\r\n"),
    })
    .await;
    let aws = aws(&server);
    assert_eq!(invoke(&aws).await.unwrap().request_id, "first");
    assert_eq!(invoke(&aws).await.unwrap().request_id, "second");
}

#[tokio::test]
async fn the_page_of_a_captive_portal_is_the_services_fault_and_may_have_been_sent() {
    let server = FakeServer::start(|n, _| match n % 2 {
        0 => Answer::Reply(200, vec![("content-type", "text/html".into())], "<html>Log in</html>".into()),
        _ => Answer::Reply(302, vec![("location", "http://login.example/".into())], String::new()),
    })
    .await;
    let aws = aws(&server);
    for _ in 0..2 {
        let error = invoke(&aws).await.unwrap_err();
        assert_eq!((error.fault, error.sent), (Fault::Service, Sent::Maybe), "{error}");
    }
    for _ in 0..2 {
        let error = aws.receive(RECEIVE).await.unwrap_err();
        assert_eq!((error.fault, error.sent), (Fault::Service, Sent::Maybe), "{error}");
    }
}

#[tokio::test]
async fn what_is_not_http_may_be_an_answer_and_is_not_asked_for_again() {
    let server = FakeServer::start(|_, _| Answer::Raw("220 mail.example ESMTP\r\n")).await;
    let error = invoke(&aws(&server)).await.unwrap_err();
    assert_eq!((error.fault, error.sent), (Fault::Service, Sent::Maybe), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_ends_in_time() {
    for text in ["HTTP/1.1 20", "HTTP/1.1 202 X\r\ncontent-length: 9\r\n\r\nhal"] {
        let server = FakeServer::start(move |_, _| Answer::Raw(text)).await;
        let mut settings = settings(&server);
        settings.invoke_timeout = Duration::from_millis(200);
        let error = invoke(&Aws::new(settings)).await.unwrap_err();
        let found = (error.fault, error.sent, error.code.as_str());
        assert_eq!(found, (Fault::Service, Sent::Maybe, "TimedOut"), "{error}");
    }
}

#[tokio::test]
async fn a_large_event_and_a_large_answer_arrive_whole() {
    let body = format!(r#"{{"Messages":[{{"Body":"{}","ReceiptHandle":"r"}}]}}"#, "x".repeat(1 << 20));
    let server = FakeServer::start(move |_, seen| match seen.header("x-amz-target") {
        Some(_) => Answer::Reply(200, vec![], body.clone()),
        None => accepted(),
    })
    .await;
    let aws = aws(&server);
    let payload: Arc<[u8]> = format!(r#"{{"command":"{}"}}"#, "y".repeat(1_000_000)).into_bytes().into();
    aws.invoke(InvokeRequest { route: 0, qualifier: None, payload: Arc::clone(&payload) }).await.unwrap();
    assert_eq!(server.seen()[0].body.as_bytes(), &payload[..]);
    assert_eq!(aws.receive(RECEIVE).await.unwrap()[0].body.len(), 1 << 20);
}
