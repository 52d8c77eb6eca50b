//! Events through the built-in handler: from Invoke to the message in the results queue or the dead letter queue.

mod support;

use serde_json::{Value, json};
use support::{Client, local};

#[test]
fn an_event_becomes_a_result() {
    let running = local(json!({"handler": "builtin"}));
    let client = Client::of(&running);
    let event = json!({"task_key": "k", "command": ["true"], "executor_config": {}, "attempt_id": "a-1"});
    let answer = client.invoke("Event", &event);
    assert_eq!((answer.status, answer.body.len()), (202, 0));
    let request_id = answer.header("x-amzn-requestid").to_owned();
    let result = client.result();
    assert_eq!(result["task_key"], "k");
    assert_eq!(result["return_code"], 0);
    assert_eq!(result["attempt_id"], "a-1");
    assert_eq!(result["reason"], "exit");
    assert_eq!(result["request_id"], Value::from(request_id));
}

#[test]
fn an_event_names_the_queue_and_the_outcome() {
    let running = local(json!({"handler": "builtin", "builtin": {"return_code": 3, "output_tail": "bye"}}));
    let client = Client::of(&running);
    let created = client.sqs("CreateQueue", &json!({"QueueName": "mine"})).json();
    let mine = created["QueueUrl"].as_str().unwrap();
    client.invoke("Event", &json!({"task_key": "one", "reply_to": mine}));
    let body: Value = serde_json::from_str(client.receive(mine)["Body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["return_code"], &body["output_tail"]), (&json!(3), &json!("bye")));
    let config = json!({"builtin": {"return_code": -9, "duration_ms": 5}});
    client.invoke("Event", &json!({"task_key": "two", "executor_config": config}));
    let result = client.result();
    assert_eq!((&result["reason"], &result["signal"]), (&json!("signal"), &json!(9)));
}

#[test]
fn an_event_that_keeps_crashing_becomes_a_dead_letter() {
    let running = local(json!({"handler": "builtin", "retry_base_ms": 1}));
    let client = Client::of(&running);
    let event = json!({"task_key": "k", "executor_config": {"builtin": {"crash": true}}});
    let answer = client.invoke("Event", &event);
    let letter = client.receive(&client.dead_letter_queue_url);
    assert_eq!(letter["Body"].as_str().unwrap(), event.to_string());
    let attributes = &letter["MessageAttributes"];
    assert_eq!(attributes["RequestID"]["StringValue"], answer.header("x-amzn-requestid"));
    assert_eq!(attributes["ErrorCode"], json!({"DataType": "Number", "StringValue": "200"}));
    assert!(attributes["ErrorMessage"]["StringValue"].as_str().unwrap().contains("exit status: 1"));
    let stats = client.stats();
    assert_eq!((&stats["invocations"], &stats["retries"], &stats["dead_letters"]), (&json!(3), &json!(2), &json!(1)));
}

#[test]
fn a_destination_gets_a_record_of_the_failure() {
    let running = local(json!({"handler": "builtin", "on_failure": "destination", "maximum_retry_attempts": 0}));
    let client = Client::of(&running);
    let event = json!({"task_key": "k", "executor_config": {"builtin": {"crash": true}}});
    let answer = client.invoke("Event", &event);
    let record: Value =
        serde_json::from_str(client.receive(&client.dead_letter_queue_url)["Body"].as_str().unwrap()).unwrap();
    assert_eq!(record["version"], "1.0");
    assert_eq!(record["requestContext"]["requestId"], answer.header("x-amzn-requestid"));
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 1);
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:lambda-executor-local:$LATEST";
    assert_eq!(record["requestContext"]["functionArn"], arn);
    assert_eq!(record["requestPayload"], event);
    assert_eq!(
        record["responseContext"],
        json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"})
    );
    assert_eq!(record["responsePayload"]["errorType"], "Runtime.ExitError");
}

#[test]
fn without_concurrency_events_go_straight_to_the_dead_letter_queue() {
    let running = local(json!({"handler": "builtin", "concurrency": 0}));
    let client = Client::of(&running);
    client.invoke("Event", &json!({"task_key": "k"}));
    let letter = client.receive(&client.dead_letter_queue_url);
    assert_eq!(letter["MessageAttributes"]["ErrorCode"]["StringValue"], "429");
    assert_eq!(client.stats()["invocations"], 0);
    let throttled = client.invoke("RequestResponse", &json!({"task_key": "k"}));
    assert_eq!(throttled.error(), (429, "TooManyRequestsException"));
    assert_eq!(throttled.json()["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
    assert_eq!(throttled.header("retry-after"), "1");
}

#[test]
fn an_event_too_old_is_given_up() {
    let running = local(json!({"handler": "builtin", "maximum_event_age_ms": 50, "retry_base_ms": 60_000}));
    let client = Client::of(&running);
    client.invoke("Event", &json!({"task_key": "k", "executor_config": {"builtin": {"crash": true}}}));
    let letter = client.receive(&client.dead_letter_queue_url);
    assert!(letter["MessageAttributes"]["ErrorMessage"]["StringValue"].as_str().unwrap().contains("maximum age"));
}

#[test]
fn reports_can_be_duplicated_or_omitted() {
    let running = local(json!({"handler": "builtin"}));
    let client = Client::of(&running);
    let event = |flag: &str| json!({"task_key": flag, "executor_config": {"builtin": {flag: true}}});
    assert_eq!(client.invoke("RequestResponse", &event("silent")).status, 200);
    client.invoke("Event", &event("duplicate"));
    assert_eq!(client.result()["task_key"], "duplicate");
    assert_eq!(client.result()["task_key"], "duplicate");
}

#[test]
fn results_reach_a_fifo_queue_in_groups() {
    let running = local(json!({"handler": "builtin", "queue_name": "results.fifo"}));
    let client = Client::of(&running);
    client.invoke("Event", &json!({"task_key": "ä key", "attempt_id": "one"}));
    assert_eq!(client.result()["task_key"], "ä key");
}

#[test]
fn the_tasks_of_one_event_are_reported_in_one_message_each_with_its_own_outcome() {
    let running = local(json!({"handler": "builtin"}));
    let client = Client::of(&running);
    let member = |key: &str, config: Value| json!({"task_key": key, "command": ["x"], "attempt_id": key, "executor_config": {"builtin": config}});
    let batch = [
        member("a", json!({})),
        member("b", json!({"return_code": 3, "duration_ms": 2})),
        member("silent", json!({"silent": true})),
    ];
    client.invoke("Event", &json!({"task_key": "batch", "batch": batch}));
    let message = client.result();
    let of =
        |name: &str| message["results"].as_array().unwrap().iter().map(|one| one[name].clone()).collect::<Vec<_>>();
    assert_eq!((of("attempt_id"), of("return_code")), (vec![json!("a"), json!("b")], vec![json!(0), json!(3)]));
    assert_eq!(client.stats()["invocations"], 1);
}

#[test]
fn a_task_that_crashes_takes_the_others_of_its_event_with_it() {
    let running = local(json!({"handler": "builtin", "maximum_retry_attempts": 0}));
    let client = Client::of(&running);
    let member = |key: &str, crash: bool| json!({"task_key": key, "executor_config": {"builtin": {"crash": crash}}});
    let event = json!({"task_key": "batch", "batch": [member("a", false), member("b", true)]});
    client.invoke("Event", &event);
    let letter = client.receive(&client.dead_letter_queue_url);
    assert_eq!(letter["Body"].as_str().unwrap(), event.to_string());
}
