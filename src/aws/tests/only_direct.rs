//! What only the calls without the SDK promise.

use super::*;
use crate::executor::ports::{Queues, ReceiveRequest};

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
