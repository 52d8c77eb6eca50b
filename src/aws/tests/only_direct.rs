//! Where connections of our own know more than the SDK's.

use super::*;
use crate::executor::ports::{Queues, ReceiveRequest};

fn aws(server: &FakeServer) -> Aws {
    Aws::new(settings(server, Transport::Direct))
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

/// Each service has connections of its own, since its calls are made on a runtime of its own.
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

/// Rare steps, such as a call by the SDK, are boxed: thousands of calls may be under way at once.
#[tokio::test]
async fn a_call_that_waits_takes_little_memory() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let aws = Aws::new(settings(&server, Transport::Direct));
    let request = InvokeRequest { route: 0, qualifier: None, payload: br#"{}"#.as_slice().into() };
    let receive = ReceiveRequest { queue: 0, max_messages: 10, wait_s: 20, visibility_s: 30 };
    let sizes = [
        size_of_val(&aws.invoke(request)),
        size_of_val(&aws.receive(receive)),
        size_of_val(&aws.delete(0, vec![])),
        size_of_val(&aws.change_visibility(0, vec![])),
    ];
    assert!(sizes.iter().all(|&size| size <= 8_192), "{sizes:?}");
}
