"""A message received too often moves to the dead letter queue that the redrive policy names."""

import json

import pytest
from errors import refused
from mypy_boto3_sqs import SQSClient

from .conftest import MakeQueue


def arn(sqs: SQSClient, queue: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


@pytest.mark.parametrize("count", [2, "2"])
def test_moves_after_the_last_receive(sqs: SQSClient, make_queue: MakeQueue, count: object) -> None:
    dead_letters = make_queue()
    policy = {"deadLetterTargetArn": arn(sqs, dead_letters), "maxReceiveCount": count}
    queue = make_queue(VisibilityTimeout="0", RedrivePolicy=json.dumps(policy))
    attributes = {"a": {"DataType": "String", "StringValue": "kept"}}
    sent = sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes=attributes)  # type: ignore[arg-type]
    for _ in range(2):
        assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    moved = sqs.receive_message(
        QueueUrl=dead_letters, WaitTimeSeconds=5, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert [(message["Body"], message["MessageId"]) for message in moved] == [("x", sent["MessageId"])]
    assert moved[0]["MessageAttributes"]["a"]["StringValue"] == "kept"


@pytest.mark.moto_differs("does not return it")
def test_a_dead_letter_has_its_source(sqs: SQSClient, make_queue: MakeQueue) -> None:
    dead_letters = make_queue()
    policy = {"deadLetterTargetArn": arn(sqs, dead_letters), "maxReceiveCount": 1}
    queue = make_queue(VisibilityTimeout="0", RedrivePolicy=json.dumps(policy))
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    for _ in range(2):
        sqs.receive_message(QueueUrl=queue)
    moved = sqs.receive_message(QueueUrl=dead_letters, WaitTimeSeconds=5, MessageSystemAttributeNames=["All"])
    assert moved["Messages"][0]["Attributes"]["DeadLetterQueueSourceArn"] == arn(sqs, queue)


def test_the_policy_can_come_later(sqs: SQSClient, make_queue: MakeQueue) -> None:
    dead_letters, queue = make_queue(), make_queue(VisibilityTimeout="0")
    policy = {"deadLetterTargetArn": arn(sqs, dead_letters), "maxReceiveCount": 1}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(policy)})
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    assert len(sqs.receive_message(QueueUrl=dead_letters, WaitTimeSeconds=5)["Messages"]) == 1


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param("not json", marks=pytest.mark.moto_differs("answers 500")),
        '{"maxReceiveCount": 3}',
        '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:none"}',
    ],
)
def test_bad_policies(sqs: SQSClient, queue: str, policy: str) -> None:
    code, status = refused(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"RedrivePolicy": policy})
    assert code in {"InvalidParameterValue", "InvalidAttributeValue"}
    assert status == 400
