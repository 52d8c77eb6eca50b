//! Requests whose client closes the connection before the answer.

mod support;

use lambda_executor_local::Running;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{Client, builtin, eventually, local};

/// Begins a long poll, closes its connection, and waits until the server has seen both.
fn abort_poll(client: &Client, wait_s: u64, visibility_s: u64) {
    let ask = json!({"QueueUrl": client.queue_url, "WaitTimeSeconds": wait_s, "VisibilityTimeout": visibility_s});
    let before = polls(client);
    let connection = client.begin(&client.sqs_request("ReceiveMessage", &ask));
    eventually("the poll has begun", || polls(client) > before);
    drop(connection);
    eventually("the connection is closed", || client.stats()["aborted_requests"] == 1);
}

fn polls(client: &Client) -> u64 {
    client.stats()["requests"]["ReceiveMessage"].as_u64().unwrap_or(0)
}

fn send(client: &Client) {
    let message = json!({"QueueUrl": client.queue_url, "MessageBody": "m"});
    assert_eq!(client.sqs("SendMessage", &message).status, 200);
}

fn hidden_messages(client: &Client) -> Value {
    let name = "ApproximateNumberOfMessagesNotVisible";
    let ask = json!({"QueueUrl": client.queue_url, "AttributeNames": [name]});
    client.sqs("GetQueueAttributes", &ask).json()["Attributes"][name].clone()
}

fn receive(client: &Client, wait_s: u64) -> Value {
    let ask = json!({
        "QueueUrl": client.queue_url,
        "WaitTimeSeconds": wait_s,
        "AttributeNames": ["ApproximateReceiveCount"],
    });
    client.sqs("ReceiveMessage", &ask).json()["Messages"][0].clone()
}

#[test]
fn an_aborted_poll_takes_what_arrives_and_hides_it() {
    let (_running, client) = builtin();
    abort_poll(&client, 20, 2);
    let sent = Instant::now();
    send(&client);
    eventually("the aborted poll has taken it", || hidden_messages(&client) == "1");
    let message = receive(&client, 20);
    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], "2");
    let hidden = sent.elapsed();
    assert!(hidden >= Duration::from_millis(1950), "{hidden:?}: expected the visibility of the aborted poll");
}

#[test]
fn an_aborted_poll_ends_with_its_wait_time() {
    let (_running, client) = builtin();
    abort_poll(&client, 1, 60);
    assert_eq!(receive(&client, 2), Value::Null, "this poll ends later than the aborted one");
    send(&client);
    assert_eq!(receive(&client, 20)["Attributes"]["ApproximateReceiveCount"], "1");
}

#[test]
fn an_outage_ends_aborted_polls() {
    let (_running, client) = builtin();
    abort_poll(&client, 20, 60);
    client.set_faults_and_lose_connection(&json!({"outages": [{"for_ms": 100}]}));
    let list = client.sqs_request("ListQueues", &json!({}));
    eventually("the outage ends", || client.send(&list).is_ok_and(|answer| answer.status == 200));
    send(&client);
    assert_eq!(receive(&client, 20)["Attributes"]["ApproximateReceiveCount"], "1");
}

#[test]
fn a_request_takes_effect_when_its_client_does_not_wait() {
    let running: Running = local(json!({"handler": "builtin", "faults": {"lambda": {"latency_ms": 500}}}));
    let client = Client::of(&running);
    let uri = format!("/2015-03-31/functions/{}/invocations", client.function_name);
    let body = json!({"task_key": "k"}).to_string();
    let request = client.signed("lambda", "POST", &uri, &[("x-amz-invocation-type", "Event")], body.as_bytes());
    drop(client.begin(&request));
    assert_eq!(client.result()["task_key"], "k");
}
