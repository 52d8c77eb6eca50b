//! Receiving, deleting and hiding, as SQS writes its answers.

use super::*;
use crate::executor::ports::{EntryOutcome, Message, Queues, ReceiveRequest};

fn json(body: &str) -> Answer {
    Answer::Reply(200, vec![("content-type", "application/x-amz-json-1.0".into())], body.to_owned())
}

#[tokio::test]
async fn messages_come_with_their_attributes() {
    let server = FakeServer::start(|_, _| {
        json(
            r#"{"Messages":[
              {"MessageId":"m1","ReceiptHandle":"r1","Body":"{}","Attributes":{"ApproximateReceiveCount":"3",
               "SentTimestamp":"1700000000001","ApproximateFirstReceiveTimestamp":"1700000000002"},
               "MessageAttributes":{"RequestID":{"DataType":"String","StringValue":"q1"},
                 "ErrorCode":{"DataType":"Number","StringValue":"200"},
                 "ErrorMessage":{"DataType":"String","StringValue":"broken"}}},
              {"MessageId":"m2","ReceiptHandle":"r2","Body":"x"}]}"#,
        )
    })
    .await;
    let request = ReceiveRequest { queue: 1, max_messages: 10, wait_s: 20, visibility_s: 60 };
    let messages = aws(&server).receive(request).await.unwrap();
    assert_eq!(messages.len(), 2);
    let Message { message_id, receipt, body, receive_count, sent_at_ms, first_received_at_ms, .. } = &messages[0];
    assert_eq!((message_id.as_str(), receipt.as_str(), body.as_str()), ("m1", "r1", "{}"));
    assert_eq!((*receive_count, *sent_at_ms, *first_received_at_ms), (3, 1_700_000_000_001, 1_700_000_000_002));
    assert_eq!(messages[0].dead_request_id.as_deref(), Some("q1"));
    assert_eq!(messages[0].dead_error_code.as_deref(), Some("200"));
    assert_eq!(messages[0].dead_error_message.as_deref(), Some("broken"));
    assert_eq!((messages[1].receive_count, messages[1].sent_at_ms), (1, 0));
    assert_eq!(messages[1].dead_request_id, None);

    let seen = &server.seen()[0];
    assert_eq!(seen.header("x-amz-target"), Some("AmazonSQS.ReceiveMessage"));
    let asked: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(asked["QueueUrl"], DEAD);
    assert_eq!(asked["MaxNumberOfMessages"], 10);
    assert_eq!(asked["WaitTimeSeconds"], 20);
    assert_eq!(asked["VisibilityTimeout"], 60);
    assert_eq!(asked["MessageAttributeNames"][0], "All");
    assert_eq!(asked["MessageSystemAttributeNames"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn an_empty_answer_is_no_message() {
    let server = FakeServer::start(|_, _| json("{}")).await;
    let request = ReceiveRequest { queue: 0, max_messages: 10, wait_s: 0, visibility_s: 60 };
    assert!(aws(&server).receive(request).await.unwrap().is_empty());
}

const PARTLY: &str = r#"{"Successful":[{"Id":"2"}],"Failed":[
    {"Id":"0","Code":"ReceiptHandleIsInvalid","SenderFault":true},
    {"Id":"1","Code":"InternalError","SenderFault":false},
    {"Id":"3","Code":"AWS.SimpleQueueService.MessageNotInflight","SenderFault":true},
    {"Id":"4","Code":"InvalidParameterValue","SenderFault":true},
    {"Id":"99","Code":"Nonsense","SenderFault":true}]}"#;

/// The outcomes of [`PARTLY`] for six entries: the sixth is not in the answer.
fn partly() -> Vec<EntryOutcome> {
    let gone = |code: &str| EntryOutcome::Gone { code: code.into() };
    let retry = |code: &str| EntryOutcome::Retry { code: code.into() };
    vec![
        gone("ReceiptHandleIsInvalid"),
        retry("InternalError"),
        EntryOutcome::Done,
        gone("MessageNotInflight"),
        gone("InvalidParameterValue"),
        retry("NotAnswered"),
    ]
}

#[tokio::test]
async fn deletes_have_an_outcome_each() {
    let server = FakeServer::start(|_, _| json(PARTLY)).await;
    let receipts: Vec<String> = (0..6).map(|n| format!("r{n}")).collect();
    assert_eq!(aws(&server).delete(0, receipts).await.unwrap(), partly());
    let asked: serde_json::Value = serde_json::from_str(&server.seen()[0].body).unwrap();
    assert_eq!(asked["Entries"][5]["Id"], "5");
    assert_eq!(asked["Entries"][5]["ReceiptHandle"], "r5");
}

#[tokio::test]
async fn changes_of_visibility_have_an_outcome_each() {
    let server = FakeServer::start(|_, _| json(PARTLY)).await;
    let entries: Vec<(String, u32)> = (0..6).map(|n| (format!("r{n}"), n * 60)).collect();
    assert_eq!(aws(&server).change_visibility(0, entries).await.unwrap(), partly());
    let asked: serde_json::Value = serde_json::from_str(&server.seen()[0].body).unwrap();
    assert_eq!(asked["Entries"][0]["VisibilityTimeout"], 0);
    assert_eq!(asked["Entries"][5]["VisibilityTimeout"], 300);
}

#[tokio::test]
async fn empty_batches_make_no_call() {
    let server = FakeServer::start(|_, _| json("{}")).await;
    let aws = aws(&server);
    assert_eq!(aws.delete(0, vec![]).await.unwrap(), []);
    assert_eq!(aws.change_visibility(0, vec![]).await.unwrap(), []);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_queue_that_is_not_configured_is_an_error() {
    let server = FakeServer::start(|_, _| json("{}")).await;
    let error = aws(&server).delete(7, vec!["r".into()]).await.unwrap_err();
    assert_eq!(error.fault, Fault::Route);
}
