//! Fault injection: faults of requests, functions and messages.

mod support;

use lambda_executor_local::{Options, start};
use serde_json::{Value, json};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use support::{Client, DEADLINE, builtin, eventually, local, read_answer};

fn visible(client: &Client) -> u32 {
    let attributes = json!({"QueueUrl": client.queue_url, "AttributeNames": ["ApproximateNumberOfMessages"]});
    let count = client.sqs("GetQueueAttributes", &attributes).json();
    count["Attributes"]["ApproximateNumberOfMessages"].as_str().unwrap().parse().unwrap()
}

#[test]
fn credentials_expire_by_fault() {
    let (_running, client) = builtin();
    client.set_faults(&json!({"expire_credentials_after_ms": 0}));
    assert_eq!(client.invoke("Event", &json!({})).error(), (403, "ExpiredTokenException"));
    let answer = client.sqs("ListQueues", &json!({}));
    assert_eq!(answer.header("x-amzn-query-error"), "ExpiredToken;Sender");
    client.set_faults(&json!({}));
    assert_eq!(client.sqs("ListQueues", &json!({})).status, 200);
}

#[test]
fn lasting_credentials_do_not_expire() {
    let options = r#"{"handler": "builtin", "lasting_access_key_id": "AKIALASTING", "lasting_secret_access_key": "s2",
        "faults": {"expire_credentials_after_ms": 0}}"#;
    let running = start(Options::from_json(options).unwrap()).unwrap();
    let client = Client::of(&running);
    assert_eq!(client.invoke("Event", &json!({})).error(), (403, "ExpiredTokenException"));
    let lasting = Client { access_key_id: "AKIALASTING".into(), secret_access_key: "s2".into(), ..client.clone() };
    assert_eq!(lasting.invoke("Event", &json!({})).status, 202);
    assert_eq!(lasting.sqs("ListQueues", &json!({})).status, 200);
    let mixed = Client { access_key_id: "AKIALASTING".into(), ..client };
    assert_eq!(mixed.sqs("ListQueues", &json!({})).header("x-amzn-query-error"), "SignatureDoesNotMatch;Sender");
}

#[test]
fn faults_throttle_fail_and_drop() {
    let (_running, client) = builtin();
    client.set_faults(&json!({"throttle": 1}));
    let answer = client.invoke("Event", &json!({}));
    assert_eq!(answer.error(), (429, "TooManyRequestsException"));
    assert_eq!((&answer.json()["Reason"], answer.header("retry-after")), (&json!("CallerRateLimitExceeded"), "1"));
    let answer = client.sqs("ListQueues", &json!({}));
    assert_eq!(answer.header("x-amzn-query-error"), "RequestThrottled;Sender");
    client.set_faults(&json!({"error": 1}));
    assert_eq!(client.invoke("Event", &json!({})).error(), (500, "ServiceException"));
    let answer = client.sqs("ListQueues", &json!({}));
    assert_eq!((answer.status, answer.header("x-amzn-query-error")), (500, "InternalError;Receiver"));
    client.set_faults(&json!({"drop": 1, "seed": 1}));
    let request = client.sqs_request("SendMessage", &json!({"QueueUrl": client.queue_url, "MessageBody": "m"}));
    for _ in 0..20 {
        assert!(client.send(&request).is_err());
    }
    client.set_faults(&json!({}));
    let count = visible(&client);
    assert!((1..20).contains(&count), "{count} of 20 dropped requests took effect");
}

#[test]
fn latency_can_apply_to_one_service() {
    let running = local(json!({"handler": "builtin", "faults": {"lambda": {"latency_ms": 300}}}));
    let client = Client::of(&running);
    let start = Instant::now();
    client.sqs("ListQueues", &json!({}));
    let quick = start.elapsed();
    client.invoke("Event", &json!({}));
    assert!(start.elapsed() - quick >= Duration::from_millis(300));
}

#[test]
fn an_outage_refuses_connections_and_ends() {
    let (_running, client) = builtin();
    let mut open = TcpStream::connect(&client.address).unwrap();
    open.set_read_timeout(Some(DEADLINE)).unwrap();
    let list = client.sqs_request("ListQueues", &json!({}));
    open.write_all(&list).unwrap();
    let mut reader = BufReader::new(open.try_clone().unwrap());
    assert_eq!(read_answer(&mut reader).unwrap().status, 200);
    client.set_faults_and_lose_connection(&json!({"outages": [{"for_ms": 1500, "kind": "refuse"}]}));
    assert!(read_answer(&mut reader).is_err(), "the open connection must be closed");
    assert!(TcpStream::connect(&client.address).is_err(), "a new connection must be refused");
    eventually("the outage ends", || client.send(&list).is_ok_and(|answer| answer.status == 200));
}

#[test]
fn an_outage_can_answer_503() {
    let (_running, client) = builtin();
    client.set_faults(&json!({"outages": [{"for_ms": 60_000, "kind": "error"}]}));
    assert_eq!(client.invoke("Event", &json!({})).error(), (503, "ServiceUnavailableException"));
    assert_eq!(client.sqs("ListQueues", &json!({})).status, 503);
    client.set_faults(&json!({}));
    assert_eq!(client.sqs("ListQueues", &json!({})).status, 200);
}

#[test]
fn messages_are_lost_and_duplicated_by_fault() {
    let (_running, client) = builtin();
    client.set_faults(&json!({"messages": {"duplicate": 1}}));
    client.invoke("RequestResponse", &json!({"task_key": "twice"}));
    assert_eq!(client.result()["task_key"], "twice");
    assert_eq!(client.result()["task_key"], "twice");
    client.set_faults(&json!({"messages": {"lose": 1}}));
    client.invoke("RequestResponse", &json!({"task_key": "lost"}));
    client.set_faults(&json!({}));
    client.invoke("RequestResponse", &json!({"task_key": "next"}));
    assert_eq!(client.result()["task_key"], "next");
}

#[test]
fn a_hanging_request_gets_no_answer_and_may_take_effect() {
    let (_running, client) = builtin();
    client.set_faults(&json!({"hang": 1, "seed": 1}));
    let request = client.sqs_request("SendMessage", &json!({"QueueUrl": client.queue_url, "MessageBody": "m"}));
    let open: Vec<_> = (0..20).map(|_| client.begin(&request)).collect();
    eventually("all requests hang", || client.stats()["faults"] == 20);
    for connection in &open {
        let stream = connection.get_ref();
        stream.set_nonblocking(true).unwrap();
        let nothing = (&*stream).read(&mut [0]).unwrap_err();
        assert_eq!(nothing.kind(), ErrorKind::WouldBlock, "the connection must stay open");
    }
    client.set_faults(&json!({}));
    let count = visible(&client);
    assert!((1..20).contains(&count), "{count} of 20 requests took effect");
}

#[test]
fn idle_connections_are_closed() {
    let (_running, client) = builtin();
    client.set_faults(&json!({"idle_close_ms": 200}));
    let begun = Instant::now();
    // A connection with a request in flight is not idle.
    let poll = client.sqs_request("ReceiveMessage", &json!({"QueueUrl": client.queue_url, "WaitTimeSeconds": 1}));
    let mut connection = client.begin(&poll);
    assert_eq!(read_answer(&mut connection).unwrap().status, 200);
    assert_eq!(connection.read(&mut [0]).unwrap(), 0, "closed");
    assert!(begun.elapsed() >= Duration::from_millis(1150), "{:?}", begun.elapsed());
    let unused = TcpStream::connect(&client.address).unwrap();
    unused.set_read_timeout(Some(DEADLINE)).unwrap();
    assert_eq!((&unused).read(&mut [0]).unwrap(), 0, "a connection without a request must be closed, too");
}

#[test]
fn a_limit_for_idle_connections_holds_for_open_ones() {
    let (_running, client) = builtin();
    let mut connection = client.begin(&client.sqs_request("ListQueues", &json!({})));
    assert_eq!(read_answer(&mut connection).unwrap().status, 200);
    client.set_faults(&json!({"idle_close_ms": 1}));
    assert_eq!(connection.read(&mut [0]).unwrap(), 0);
}

fn state(client: &Client) -> Value {
    client.lambda("GET", "/2015-03-31/functions/lambda-executor-local/configuration", &[], b"").json()["State"].clone()
}

#[test]
fn a_function_is_in_another_state_for_a_time() {
    let faults = json!({"lambda_states": [{"for_ms": 60_000, "state": "Pending"}]});
    let running = local(json!({"handler": "builtin", "faults": faults}));
    let client = Client::of(&running);
    let answer = client.invoke("Event", &json!({"task_key": "k"}));
    assert_eq!(answer.error(), (409, "ResourceConflictException"));
    let text =
        "The operation cannot be performed at this time. The function is currently in the following state: Pending";
    assert_eq!(answer.json()["message"], text);
    assert_eq!(client.invoke("DryRun", &json!({"task_key": "k"})).status, 409);
    assert_eq!(state(&client), "Pending");
    client.set_faults(&json!({"lambda_states": [{"for_ms": 50, "state": "Pending"}]}));
    eventually("it is active", || client.invoke("DryRun", &json!({"task_key": "k"})).status == 204);
    assert_eq!(state(&client), "Active");
    assert_eq!(client.stats()["events_accepted"], 0);
}

#[test]
fn an_invoke_of_an_inactive_function_makes_it_pending() {
    let (_running, client) = builtin();
    client.set_faults(&json!({"lambda_states": [{"for_ms": 60_000, "state": "Inactive"}]}));
    assert_eq!(client.invoke("DryRun", &json!({"task_key": "k"})).status, 409);
    assert_eq!(state(&client), "Inactive");
    let answer = client.invoke("Event", &json!({"task_key": "k"}));
    assert!(answer.json()["message"].as_str().unwrap().ends_with("state: Inactive"));
    assert_eq!(state(&client), "Pending");
    client.set_faults(&json!({}));
    assert_eq!(client.invoke("Event", &json!({"task_key": "k"})).status, 202);
}
