//! Event-invoke configurations, one for each qualifier.

mod support;

use serde_json::{Value, json};
use support::{Client, builtin};

const URI: &str = "/2019-09-25/functions/lambda-executor-local/event-invoke-config";
const LETTERS: &str = "arn:aws:sqs:us-east-1:000000000000:lambda-executor-dead-letters";

fn change(client: &Client, method: &str, query: &str, config: &Value) -> Value {
    client.lambda(method, &format!("{URI}{query}"), &[], config.to_string().as_bytes()).json()
}

/// Makes version 1 and the alias `live`.
fn publish(client: &Client) {
    let function = "/2015-03-31/functions/lambda-executor-local";
    client.lambda("POST", &format!("{function}/versions"), &[], b"{}");
    let alias = json!({"Name": "live", "FunctionVersion": "1"}).to_string();
    assert_eq!(client.lambda("POST", &format!("{function}/aliases"), &[], alias.as_bytes()).status, 201);
}

#[test]
fn an_update_of_the_event_config_keeps_what_it_does_not_mention() {
    let (_running, client) = builtin();
    let change = |method: &str, config: Value| change(&client, method, "", &config);
    let destination = json!({"OnFailure": {"Destination": LETTERS}});
    let all = json!({
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": 100,
        "DestinationConfig": destination,
    });
    assert_eq!(change("PUT", all)["MaximumRetryAttempts"], 0);
    let updated = change("POST", json!({"MaximumEventAgeInSeconds": 200}));
    assert_eq!((&updated["MaximumRetryAttempts"], &updated["MaximumEventAgeInSeconds"]), (&json!(0), &json!(200)));
    assert_eq!(updated["DestinationConfig"]["OnFailure"]["Destination"], LETTERS);
    let updated = change("POST", json!({"DestinationConfig": {"OnFailure": {}}}));
    assert_eq!(updated["DestinationConfig"]["OnFailure"], json!({}));
    let replaced = change("PUT", json!({"MaximumRetryAttempts": 1}));
    assert_eq!((&replaced["MaximumRetryAttempts"], &replaced["MaximumEventAgeInSeconds"]), (&json!(1), &json!(21_600)));
}

#[test]
fn each_qualifier_has_its_own_configuration() {
    let (_running, client) = builtin();
    publish(&client);
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:lambda-executor-local";
    let set = change(&client, "PUT", "?Qualifier=live", &json!({"MaximumRetryAttempts": 0}));
    assert_eq!(set["FunctionArn"], format!("{arn}:live"));
    change(&client, "PUT", "?Qualifier=1", &json!({"MaximumRetryAttempts": 1}));
    for (query, retries) in [("", 2), ("?Qualifier=%24LATEST", 2), ("?Qualifier=1", 1), ("?Qualifier=live", 0)] {
        assert_eq!(change(&client, "GET", query, &Value::Null)["MaximumRetryAttempts"], retries, "{query}");
    }
    let listed = client.lambda("GET", &format!("{URI}/list"), &[], b"").json();
    let arns: Vec<_> =
        listed["FunctionEventInvokeConfigs"].as_array().unwrap().iter().map(|it| &it["FunctionArn"]).collect();
    assert_eq!(arns, [&json!(format!("{arn}:1")), &json!(format!("{arn}:live"))]);
    assert_eq!(client.lambda("DELETE", &format!("{URI}?Qualifier=live"), &[], b"").status, 204);
    assert_eq!(change(&client, "GET", "?Qualifier=live", &Value::Null)["MaximumRetryAttempts"], 2);
    let missing = client.lambda("PUT", &format!("{URI}?Qualifier=other"), &[], b"{}");
    assert_eq!(missing.error(), (404, "ResourceNotFoundException"));
}

#[test]
fn an_event_follows_the_configuration_of_its_qualifier() {
    let running = support::local(json!({"handler": "builtin", "retry_base_ms": 1}));
    let client = Client::of(&running);
    publish(&client);
    let queue = client.sqs("CreateQueue", &json!({"QueueName": "failures"})).json()["QueueUrl"].clone();
    let destination = json!({"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:failures"}});
    let config = json!({"MaximumRetryAttempts": 0, "DestinationConfig": destination});
    change(&client, "PUT", "?Qualifier=live", &config);
    let event = |key: &str| json!({"task_key": key, "executor_config": {"builtin": {"crash": true}}});
    client.invoke_of("lambda-executor-local:live", "Event", &event("alias"));
    let record: Value =
        serde_json::from_str(client.receive(queue.as_str().unwrap())["Body"].as_str().unwrap()).unwrap();
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 1);
    assert_eq!(client.receive(&client.dead_letter_queue_url)["Body"], event("alias").to_string());
    client.invoke("Event", &event("latest"));
    assert_eq!(client.receive(&client.dead_letter_queue_url)["Body"], event("latest").to_string());
    let stats = client.stats();
    assert_eq!((&stats["invocations"], &stats["dead_letters"]), (&json!(4), &json!(3)));
}
