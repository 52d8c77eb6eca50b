use crate::sqs::{MessageAttribute, MessageFaults, Sqs, SqsSettings};
use serde_json::{Value, json};
use std::time::Duration;

const BASE: &str = "http://127.0.0.1:4566";

fn sqs() -> Sqs {
    Sqs::new(SqsSettings {
        base_url: BASE.into(),
        account: "000000000000".into(),
        region: "us-east-1".into(),
        message_faults: MessageFaults::default(),
    })
}

fn url(name: &str) -> String {
    format!("{BASE}/000000000000/{name}")
}

/// The answer, or the error code that SDKs show.
async fn call(sqs: &Sqs, operation: &str, request: Value) -> Result<Value, String> {
    let reply = sqs.call(operation, request.to_string().as_bytes()).await;
    assert!(reply.headers.contains(&("content-type", "application/x-amz-json-1.0".to_owned())));
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    match reply.status {
        200 => Ok(body),
        400 => {
            assert!(body["__type"].is_string() && body["message"].is_string(), "{body}");
            let (_, code) = reply.headers.iter().find(|(name, _)| *name == "x-amzn-query-error").unwrap();
            Err(code.strip_suffix(";Sender").unwrap().to_owned())
        }
        other => panic!("status {other}"),
    }
}

async fn ok(sqs: &Sqs, operation: &str, request: Value) -> Value {
    call(sqs, operation, request).await.unwrap()
}

async fn code(sqs: &Sqs, operation: &str, request: Value) -> String {
    call(sqs, operation, request).await.unwrap_err()
}

async fn with_queue(attributes: &[(&str, &str)]) -> (Sqs, String) {
    let sqs = sqs();
    let address = sqs.create_queue("q", attributes).unwrap();
    assert_eq!((address.url.as_str(), address.arn.as_str()), (&*url("q"), "arn:aws:sqs:us-east-1:000000000000:q"));
    (sqs, address.url)
}

#[tokio::test]
async fn a_message_is_sent_and_received() {
    let (sqs, url) = with_queue(&[]).await;
    let sent = ok(
        &sqs,
        "SendMessage",
        json!({"QueueUrl": url, "MessageBody": "hi",
            "MessageAttributes": {"n": {"DataType": "Number", "StringValue": "5"},
                                  "b": {"DataType": "Binary", "BinaryValue": "AAE="}},
            "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}}}),
    )
    .await;
    assert_eq!(sent["MD5OfMessageBody"], "49f68a5c8493ec2c0bf489821c21fc3b");
    assert_eq!(sent["MD5OfMessageAttributes"], "323ff500ae4fab048bad3edfdb23e904");
    assert!(sent["MD5OfMessageSystemAttributes"].is_string());
    assert_eq!(sent.get("SequenceNumber"), None);

    let received = ok(
        &sqs,
        "ReceiveMessage",
        json!({"QueueUrl": url, "MessageAttributeNames": ["All"], "AttributeNames": ["All"]}),
    )
    .await;
    let message = &received["Messages"][0];
    assert_eq!(message["MessageId"], sent["MessageId"]);
    assert_eq!(message["Body"], "hi");
    assert_eq!(message["MD5OfBody"], sent["MD5OfMessageBody"]);
    assert_eq!(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    assert_eq!(
        message["MessageAttributes"],
        json!({"b": {"DataType": "Binary", "BinaryValue": "AAE="}, "n": {"DataType": "Number", "StringValue": "5"}})
    );
    let attributes = message["Attributes"].as_object().unwrap();
    let names: Vec<_> = attributes.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["AWSTraceHeader", "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "SenderId", "SentTimestamp"]
    );
    assert_eq!(attributes["ApproximateReceiveCount"], "1");
    assert_eq!(attributes["AWSTraceHeader"], "Root=1");

    let handle = &message["ReceiptHandle"];
    ok(&sqs, "DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": handle})).await;
    let left = ok(&sqs, "GetQueueAttributes", json!({"QueueUrl": url, "AttributeNames": ["All"]})).await;
    assert_eq!(left["Attributes"]["ApproximateNumberOfMessages"], "0");
    assert_eq!(left["Attributes"]["ApproximateNumberOfMessagesNotVisible"], "0");
}

#[tokio::test]
async fn receivers_choose_attributes_by_name_and_prefix() {
    let (sqs, url) = with_queue(&[]).await;
    let text = |value: &str| json!({"DataType": "String", "StringValue": value});
    ok(
        &sqs,
        "SendMessage",
        json!({"QueueUrl": url, "MessageBody": "x",
            "MessageAttributes": {"bar.a": text("1"), "bar.b": text("2"), "foo": text("3")}}),
    )
    .await;
    for (wanted, expected) in [
        (json!([]), json!(null)),
        (json!(["nothing"]), json!(null)),
        (json!(["foo"]), json!({"foo": text("3")})),
        (json!(["bar.*"]), json!({"bar.a": text("1"), "bar.b": text("2")})),
        (json!([".*"]), json!({"bar.a": text("1"), "bar.b": text("2"), "foo": text("3")})),
    ] {
        let request = json!({"QueueUrl": url, "MessageAttributeNames": wanted, "VisibilityTimeout": 0,
            "MessageSystemAttributeNames": ["SentTimestamp"]});
        let message = ok(&sqs, "ReceiveMessage", request).await["Messages"][0].clone();
        assert_eq!(message["MessageAttributes"], expected, "{wanted}");
        assert_eq!(message["MD5OfMessageAttributes"].is_string(), expected.is_object());
        assert_eq!(message["Attributes"].as_object().unwrap().len(), 1);
    }
    let odd = json!({"QueueUrl": url, "MessageSystemAttributeNames": ["Odd"]});
    assert_eq!(code(&sqs, "ReceiveMessage", odd).await, "InvalidAttributeName");
}

#[tokio::test]
async fn parameters_out_of_range_are_refused() {
    let (sqs, url) = with_queue(&[]).await;
    for (operation, name, bad) in [
        ("ReceiveMessage", "MaxNumberOfMessages", vec![0, 11, -1]),
        ("ReceiveMessage", "WaitTimeSeconds", vec![-1, 21]),
        ("ReceiveMessage", "VisibilityTimeout", vec![-1, 43_201]),
        ("SendMessage", "DelaySeconds", vec![-1, 901]),
        ("ChangeMessageVisibility", "VisibilityTimeout", vec![-1, 43_201]),
    ] {
        for value in bad {
            let mut request = json!({"QueueUrl": url, "MessageBody": "x", "ReceiptHandle": "x"});
            request[name] = json!(value);
            assert_eq!(code(&sqs, operation, request).await, "InvalidParameterValue", "{operation} {name} {value}");
        }
    }
}

#[tokio::test]
async fn parameters_that_are_missing_are_named() {
    let (sqs, url) = with_queue(&[]).await;
    for (operation, request) in [
        ("SendMessage", json!({"MessageBody": "x"})),
        ("SendMessage", json!({"QueueUrl": url})),
        ("SendMessage", json!({"QueueUrl": url, "MessageBody": ""})),
        ("ReceiveMessage", json!({})),
        ("DeleteMessage", json!({"QueueUrl": url})),
        ("ChangeMessageVisibility", json!({"QueueUrl": url, "ReceiptHandle": "x"})),
        ("CreateQueue", json!({})),
        ("GetQueueUrl", json!({})),
        ("SetQueueAttributes", json!({"QueueUrl": url})),
        ("PurgeQueue", json!({})),
        ("DeleteMessageBatch", json!({"QueueUrl": url, "Entries": [{"ReceiptHandle": "x"}]})),
    ] {
        assert_eq!(code(&sqs, operation, request.clone()).await, "MissingParameter", "{operation} {request}");
    }
    let reply = sqs.call("SendMessage", json!({"QueueUrl": url}).to_string().as_bytes()).await;
    assert!(String::from_utf8_lossy(&reply.body).contains("The request must contain the parameter MessageBody."));
}

#[tokio::test]
async fn missing_queues_are_reported() {
    let (sqs, _) = with_queue(&[]).await;
    for (address, expected) in [
        (url("other"), "AWS.SimpleQueueService.NonExistentQueue"),
        (format!("{BASE}/111111111111/q"), "AWS.SimpleQueueService.NonExistentQueue"),
        ("q".to_owned(), "InvalidAddress"),
        (format!("{BASE}/q"), "InvalidAddress"),
    ] {
        assert_eq!(code(&sqs, "ReceiveMessage", json!({"QueueUrl": address})).await, expected, "{address}");
    }
    let missing = code(&sqs, "GetQueueUrl", json!({"QueueName": "other"})).await;
    assert_eq!(missing, "AWS.SimpleQueueService.NonExistentQueue");
    // Clients may reach the server under another host name.
    ok(&sqs, "ReceiveMessage", json!({"QueueUrl": "http://localhost:1/000000000000/q"})).await;
}

#[tokio::test]
async fn queues_are_created_listed_and_deleted() {
    let sqs = sqs();
    for name in ["b-2", "a-1", "b-1"] {
        let made = ok(&sqs, "CreateQueue", json!({"QueueName": name, "tags": {"k": "v"}})).await;
        assert_eq!(made["QueueUrl"], url(name));
        assert_eq!(ok(&sqs, "GetQueueUrl", json!({"QueueName": name})).await, made);
    }
    let all = ok(&sqs, "ListQueues", json!({})).await;
    assert_eq!(all, json!({"QueueUrls": [url("a-1"), url("b-1"), url("b-2")]}));
    let first = ok(&sqs, "ListQueues", json!({"QueueNamePrefix": "b", "MaxResults": 1})).await;
    assert_eq!(first, json!({"QueueUrls": [url("b-1")], "NextToken": "b-1"}));
    let next = json!({"QueueNamePrefix": "b", "MaxResults": 1, "NextToken": first["NextToken"]});
    assert_eq!(ok(&sqs, "ListQueues", next).await, json!({"QueueUrls": [url("b-2")]}));
    ok(&sqs, "DeleteQueue", json!({"QueueUrl": url("a-1")})).await;
    let gone = code(&sqs, "DeleteQueue", json!({"QueueUrl": url("a-1")})).await;
    assert_eq!(gone, "AWS.SimpleQueueService.NonExistentQueue");
    assert_eq!(ok(&sqs, "ListQueues", json!({"QueueNamePrefix": "a"})).await, json!({}));
}

#[tokio::test]
async fn creating_a_queue_again_needs_the_same_attributes() {
    let (sqs, url) = with_queue(&[("VisibilityTimeout", "40")]).await;
    let again = |value: &str| json!({"QueueName": "q", "Attributes": {"VisibilityTimeout": value}});
    assert_eq!(ok(&sqs, "CreateQueue", again("40")).await["QueueUrl"], url);
    assert_eq!(ok(&sqs, "CreateQueue", json!({"QueueName": "q"})).await["QueueUrl"], url);
    assert_eq!(code(&sqs, "CreateQueue", again("41")).await, "QueueAlreadyExists");
    assert_eq!(code(&sqs, "CreateQueue", again("x")).await, "InvalidAttributeValue");
    let odd = json!({"QueueName": "other", "Attributes": {"Odd": "1"}});
    assert_eq!(code(&sqs, "CreateQueue", odd).await, "InvalidAttributeName");
    for name in ["", "a b", "a.fifo", &"x".repeat(81), "é"] {
        let expected = if name.is_empty() { "MissingParameter" } else { "InvalidParameterValue" };
        assert_eq!(code(&sqs, "CreateQueue", json!({"QueueName": name})).await, expected, "{name}");
    }
    let no_suffix = json!({"QueueName": "f", "Attributes": {"FifoQueue": "true"}});
    assert_eq!(code(&sqs, "CreateQueue", no_suffix).await, "InvalidParameterValue");
}

#[tokio::test]
async fn attributes_are_set_and_shown() {
    let (sqs, url) = with_queue(&[]).await;
    let set = |name: &str, value: &str| json!({"QueueUrl": url, "Attributes": {name: value}});
    ok(&sqs, "SetQueueAttributes", set("VisibilityTimeout", "99")).await;
    assert_eq!(code(&sqs, "SetQueueAttributes", set("VisibilityTimeout", "-1")).await, "InvalidAttributeValue");
    assert_eq!(code(&sqs, "SetQueueAttributes", set("QueueArn", "x")).await, "InvalidAttributeName");
    let get = |names: Value| json!({"QueueUrl": url, "AttributeNames": names});
    let shown = ok(&sqs, "GetQueueAttributes", get(json!(["VisibilityTimeout", "QueueArn"]))).await;
    assert_eq!(
        shown["Attributes"],
        json!({"QueueArn": "arn:aws:sqs:us-east-1:000000000000:q", "VisibilityTimeout": "99"})
    );
    assert_eq!(ok(&sqs, "GetQueueAttributes", json!({"QueueUrl": url})).await, json!({}));
    assert_eq!(code(&sqs, "GetQueueAttributes", get(json!(["Odd"]))).await, "InvalidAttributeName");
}

#[tokio::test]
async fn batches_have_rules() {
    let (sqs, url) = with_queue(&[]).await;
    let entry = |id: &str| json!({"Id": id, "MessageBody": "x", "ReceiptHandle": "x", "VisibilityTimeout": 1});
    let eleven: Vec<_> = (0..11).map(|n| entry(&n.to_string())).collect();
    let long = "x".repeat(81);
    for operation in ["SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"] {
        for (entries, expected) in [
            (json!([]), "EmptyBatchRequest"),
            (json!(eleven), "TooManyEntriesInBatchRequest"),
            (json!([entry("a"), entry("a")]), "BatchEntryIdsNotDistinct"),
            (json!([entry("a b")]), "InvalidBatchEntryId"),
            (json!([entry(&long)]), "InvalidBatchEntryId"),
        ] {
            let code = code(&sqs, operation, json!({"QueueUrl": url, "Entries": entries})).await;
            assert_eq!(code, format!("AWS.SimpleQueueService.{expected}"), "{operation}");
        }
    }
}

#[tokio::test]
async fn one_bad_entry_does_not_stop_the_others() {
    let (sqs, url) = with_queue(&[]).await;
    let sent = ok(
        &sqs,
        "SendMessageBatch",
        json!({"QueueUrl": url, "Entries": [
            {"Id": "good", "MessageBody": "x"},
            {"Id": "control", "MessageBody": "\u{1}"},
            {"Id": "late", "MessageBody": "x", "DelaySeconds": 901},
            {"Id": "fine", "MessageBody": "y"}]}),
    )
    .await;
    let ids = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|entry| entry["Id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&sent["Successful"]), ["good", "fine"]);
    assert_eq!(ids(&sent["Failed"]), ["control", "late"]);
    assert_eq!(sent["Failed"][0]["Code"], "InvalidMessageContents");
    assert_eq!(sent["Failed"][0]["SenderFault"], true);

    let received = ok(&sqs, "ReceiveMessage", json!({"QueueUrl": url, "MaxNumberOfMessages": 10})).await;
    let handle = |n: usize| received["Messages"][n]["ReceiptHandle"].clone();
    let entries = json!([{"Id": "a", "ReceiptHandle": handle(0), "VisibilityTimeout": 60},
        {"Id": "b", "ReceiptHandle": "odd", "VisibilityTimeout": 60},
        {"Id": "c", "ReceiptHandle": handle(1), "VisibilityTimeout": 99_999}]);
    let changed = ok(&sqs, "ChangeMessageVisibilityBatch", json!({"QueueUrl": url, "Entries": entries})).await;
    assert_eq!(ids(&changed["Successful"]), ["a"]);
    assert_eq!(changed["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
    assert_eq!(changed["Failed"][0]["Message"], "The input receipt handle \"odd\" is not a valid receipt handle.");
    assert_eq!(changed["Failed"][1]["Code"], "InvalidParameterValue");
    let deleted = ok(&sqs, "DeleteMessageBatch", json!({"QueueUrl": url, "Entries": entries})).await;
    assert_eq!(
        (ids(&deleted["Successful"]), ids(&deleted["Failed"])),
        (vec!["a".into(), "c".into()], vec!["b".into()])
    );
}

#[tokio::test]
async fn sizes_are_limited() {
    let (sqs, url) = with_queue(&[("MaximumMessageSize", "2048")]).await;
    let send = |size: usize| json!({"QueueUrl": url, "MessageBody": "x".repeat(size)});
    ok(&sqs, "SendMessage", send(2_048)).await;
    assert_eq!(code(&sqs, "SendMessage", send(2_049)).await, "InvalidParameterValue");
    let mut with_attribute = send(2_040);
    with_attribute["MessageAttributes"] = json!({"abc": {"DataType": "String", "StringValue": "x"}});
    assert_eq!(code(&sqs, "SendMessage", with_attribute).await, "InvalidParameterValue");

    let big = sqs.create_queue("big", &[]).unwrap().url;
    let half = "x".repeat(524_288);
    let entries = |second: &str| json!({"QueueUrl": big, "Entries": [{"Id": "a", "MessageBody": half}, {"Id": "b", "MessageBody": second}]});
    ok(&sqs, "SendMessageBatch", entries(&half)).await;
    let code = code(&sqs, "SendMessageBatch", entries(&format!("{half}x"))).await;
    assert_eq!(code, "AWS.SimpleQueueService.BatchRequestTooLong");
}

#[tokio::test]
async fn fifo_queues_have_their_own_rules() {
    let sqs = sqs();
    let plain = sqs.create_queue("f.fifo", &[("FifoQueue", "true")]).unwrap().url;
    let by_content = [("FifoQueue", "true"), ("ContentBasedDeduplication", "true")];
    let by_content = sqs.create_queue("c.fifo", &by_content).unwrap().url;
    let standard = sqs.create_queue("q", &[]).unwrap().url;
    let send = |url: &str, more: Value| {
        let mut request = json!({"QueueUrl": url, "MessageBody": "x"});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    assert_eq!(code(&sqs, "SendMessage", send(&plain, json!({}))).await, "MissingParameter");
    let group = json!({"MessageGroupId": "g"});
    assert_eq!(code(&sqs, "SendMessage", send(&plain, group.clone())).await, "InvalidParameterValue");
    let delayed = json!({"MessageGroupId": "g", "DelaySeconds": 1});
    assert_eq!(code(&sqs, "SendMessage", send(&by_content, delayed)).await, "InvalidParameterValue");
    let odd = json!({"MessageGroupId": "a b"});
    assert_eq!(code(&sqs, "SendMessage", send(&by_content, odd)).await, "InvalidParameterValue");
    let deduplication = json!({"MessageDeduplicationId": "d"});
    assert_eq!(code(&sqs, "SendMessage", send(&standard, deduplication)).await, "InvalidParameterValue");
    ok(&sqs, "SendMessage", send(&standard, group.clone())).await;

    let first = ok(&sqs, "SendMessage", send(&by_content, group.clone())).await;
    let again = ok(&sqs, "SendMessage", send(&by_content, group)).await;
    assert_eq!(first, again);
    assert_eq!(first["SequenceNumber"].as_str().unwrap().len(), 20);
    let request = json!({"QueueUrl": by_content, "MaxNumberOfMessages": 10, "AttributeNames": ["All"]});
    let received = ok(&sqs, "ReceiveMessage", request).await;
    assert_eq!(received["Messages"].as_array().unwrap().len(), 1);
    let attributes = &received["Messages"][0]["Attributes"];
    assert_eq!(attributes["SequenceNumber"], first["SequenceNumber"]);
    assert_eq!(attributes["MessageGroupId"], "g");
    assert_eq!(
        attributes["MessageDeduplicationId"],
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    );
}

#[tokio::test]
async fn a_redrive_policy_moves_dead_letters() {
    let (sqs, url) = with_queue(&[("VisibilityTimeout", "0")]).await;
    let letters = sqs.create_queue("letters", &[]).unwrap();
    let policy = |target: &str| json!({"deadLetterTargetArn": target, "maxReceiveCount": 1}).to_string();
    let set = |policy: &str| json!({"QueueUrl": url, "Attributes": {"RedrivePolicy": policy}});
    let nowhere = policy("arn:aws:sqs:us-east-1:000000000000:nowhere");
    assert_eq!(code(&sqs, "SetQueueAttributes", set(&nowhere)).await, "InvalidParameterValue");
    let fifo = sqs.create_queue("f.fifo", &[("FifoQueue", "true")]).unwrap();
    assert_eq!(code(&sqs, "SetQueueAttributes", set(&policy(&fifo.arn))).await, "InvalidParameterValue");
    ok(&sqs, "SetQueueAttributes", set(&policy(&letters.arn))).await;
    let sources = ok(&sqs, "ListDeadLetterSourceQueues", json!({"QueueUrl": letters.url})).await;
    assert_eq!(sources, json!({"queueUrls": [url]}));

    let sent = ok(&sqs, "SendMessage", json!({"QueueUrl": url, "MessageBody": "x"})).await;
    let receive = |url: &str| json!({"QueueUrl": url, "AttributeNames": ["All"]});
    assert!(ok(&sqs, "ReceiveMessage", receive(&url)).await["Messages"].is_array());
    assert_eq!(ok(&sqs, "ReceiveMessage", receive(&url)).await, json!({}));
    let letter = ok(&sqs, "ReceiveMessage", receive(&letters.url)).await["Messages"][0].clone();
    assert_eq!(letter["MessageId"], sent["MessageId"]);
    assert_eq!(letter["Attributes"]["DeadLetterQueueSourceArn"], "arn:aws:sqs:us-east-1:000000000000:q");
    assert_eq!(letter["Attributes"]["ApproximateReceiveCount"], "2");
    ok(&sqs, "SetQueueAttributes", set("")).await;
    let shown = ok(&sqs, "GetQueueAttributes", json!({"QueueUrl": url, "AttributeNames": ["RedrivePolicy"]})).await;
    assert_eq!(shown, json!({}));
}

#[tokio::test]
async fn a_queue_is_purged_once_a_minute() {
    let (sqs, url) = with_queue(&[]).await;
    ok(&sqs, "SendMessage", json!({"QueueUrl": url, "MessageBody": "x"})).await;
    ok(&sqs, "PurgeQueue", json!({"QueueUrl": url})).await;
    assert_eq!(ok(&sqs, "ReceiveMessage", json!({"QueueUrl": url})).await, json!({}));
    let again = code(&sqs, "PurgeQueue", json!({"QueueUrl": url})).await;
    assert_eq!(again, "AWS.SimpleQueueService.PurgeQueueInProgress");
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_waits_and_a_dropped_one_takes_nothing() {
    let (sqs, url) = with_queue(&[]).await;
    let request = json!({"QueueUrl": url, "WaitTimeSeconds": 20}).to_string();
    let start = tokio::time::Instant::now();
    let dropped = tokio::time::timeout(Duration::from_secs(3), sqs.call("ReceiveMessage", request.as_bytes())).await;
    assert!(dropped.is_err());
    ok(&sqs, "SendMessage", json!({"QueueUrl": url, "MessageBody": "x", "DelaySeconds": 4})).await;
    let reply = sqs.call("ReceiveMessage", request.as_bytes()).await;
    assert!(String::from_utf8_lossy(&reply.body).contains("\"Body\":\"x\""));
    assert_eq!(start.elapsed(), Duration::from_secs(7));
}

#[tokio::test]
async fn invalid_json_and_unknown_operations_are_refused() {
    let (sqs, url) = with_queue(&[]).await;
    for bad in ["", "[]", "{", r#"{"QueueUrl": 5}"#, "\u{1}", r#"{"QueueUrl":"x","MaxNumberOfMessages":"1"}"#] {
        let reply = sqs.call("ReceiveMessage", bad.as_bytes()).await;
        assert_eq!(reply.status, 400);
        assert!(String::from_utf8_lossy(&reply.body).contains("SerializationException"), "{bad}");
    }
    let not_base64 = json!({"QueueUrl": url, "MessageBody": "x",
        "MessageAttributes": {"b": {"DataType": "Binary", "BinaryValue": "?"}}});
    assert_eq!(code(&sqs, "SendMessage", not_base64).await, "SerializationException");
    assert_eq!(code(&sqs, "TagQueue", json!({})).await, "AWS.SimpleQueueService.UnsupportedOperation");
    assert_eq!(code(&sqs, "Odd", json!({})).await, "UnknownOperationException");
}

#[tokio::test]
async fn lambda_delivers_by_arn_and_url() {
    let (sqs, url) = with_queue(&[]).await;
    let attributes = || vec![MessageAttribute::string("RequestID", "r"), MessageAttribute::number("ErrorCode", "200")];
    sqs.deliver("arn:aws:sqs:us-east-1:000000000000:q", "one".into(), attributes()).unwrap();
    sqs.deliver(&url, "two".into(), Vec::new()).unwrap();
    assert!(sqs.deliver("arn:aws:sqs:eu-west-1:000000000000:q", "x".into(), Vec::new()).is_err());
    assert!(sqs.deliver(&url, "\u{1}".into(), Vec::new()).is_err());
    let request = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]});
    let received = ok(&sqs, "ReceiveMessage", request).await;
    assert_eq!(received["Messages"][0]["MessageAttributes"]["ErrorCode"]["StringValue"], "200");
    assert_eq!(received["Messages"][1]["Body"], "two");
}

#[tokio::test(start_paused = true)]
async fn faults_lose_duplicate_and_delay_messages() {
    let (sqs, url) = with_queue(&[]).await;
    let count = async |sqs: &Sqs| {
        let request = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 100});
        let received = ok(sqs, "ReceiveMessage", request).await;
        received["Messages"].as_array().map_or(0, Vec::len)
    };
    let send = async |sqs: &Sqs| ok(sqs, "SendMessage", json!({"QueueUrl": url, "MessageBody": "x"})).await;
    sqs.set_message_faults(MessageFaults { lose: 1.0, ..MessageFaults::default() });
    send(&sqs).await;
    assert_eq!(count(&sqs).await, 0);
    sqs.set_message_faults(MessageFaults { duplicate: 1.0, ..MessageFaults::default() });
    send(&sqs).await;
    assert_eq!(count(&sqs).await, 2);
    sqs.set_message_faults(MessageFaults { delay: 1.0, delay_ms: 1_500, ..MessageFaults::default() });
    send(&sqs).await;
    assert_eq!(count(&sqs).await, 0);
    tokio::time::advance(Duration::from_millis(1_500)).await;
    assert_eq!(count(&sqs).await, 1);
}
