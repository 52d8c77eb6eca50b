"""CreateQueue, GetQueueUrl, GetQueueAttributes, SetQueueAttributes, PurgeQueue, and their errors."""

import json

import pytest
from errors import refused
from mypy_boto3_sqs import SQSClient

from .conftest import MakeQueue

NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", 400)


def test_url_is_found_by_name(sqs: SQSClient, queue: str) -> None:
    name = queue.rsplit("/", 1)[-1]
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == queue


def test_creating_the_same_queue_again_returns_the_same_url(sqs: SQSClient, make_queue: MakeQueue) -> None:
    queue = make_queue(VisibilityTimeout="7")
    name = queue.rsplit("/", 1)[-1]
    assert sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "7"})["QueueUrl"] == queue


def test_creating_it_again_with_other_attributes_is_refused(sqs: SQSClient, make_queue: MakeQueue) -> None:
    name = make_queue(VisibilityTimeout="7").rsplit("/", 1)[-1]
    assert refused(sqs.create_queue, QueueName=name, Attributes={"VisibilityTimeout": "8"}) == (
        "QueueAlreadyExists",
        400,
    )


def test_unknown_queue_by_name(sqs: SQSClient) -> None:
    assert refused(sqs.get_queue_url, QueueName="no-such-queue") == NO_QUEUE


def test_unknown_queue_by_url(sqs: SQSClient, queue: str) -> None:
    url = queue.rsplit("/", 1)[0] + "/no-such-queue"
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x") == NO_QUEUE
    assert refused(sqs.receive_message, QueueUrl=url) == NO_QUEUE
    assert refused(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["All"]) == NO_QUEUE
    assert refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={"VisibilityTimeout": "1"}) == NO_QUEUE
    assert refused(sqs.purge_queue, QueueUrl=url) == NO_QUEUE
    assert refused(sqs.delete_message, QueueUrl=url, ReceiptHandle="x") == NO_QUEUE


@pytest.mark.parametrize(
    "name",
    [
        "with space",
        "dots.inside",
        "a" * 81,
        pytest.param("not-fifo.fifo", marks=pytest.mark.moto_differs("creates a standard queue of that name")),
    ],
)
def test_bad_queue_names(sqs: SQSClient, name: str) -> None:
    assert refused(sqs.create_queue, QueueName=name) == ("InvalidParameterValue", 400)


def test_fifo_needs_the_suffix(sqs: SQSClient) -> None:
    answer = refused(sqs.create_queue, QueueName="no-suffix", Attributes={"FifoQueue": "true"})
    assert answer == ("InvalidParameterValue", 400)


def test_defaults(sqs: SQSClient, queue: str) -> None:
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    expected = {
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "DelaySeconds": "0",
        "MessageRetentionPeriod": "345600",
        "ReceiveMessageWaitTimeSeconds": "0",
        "VisibilityTimeout": "30",
    }
    assert {name: attributes.get(name) for name in expected} == expected  # type: ignore[call-overload]
    assert attributes["QueueArn"].startswith("arn:aws:sqs:")
    assert attributes["QueueArn"].endswith(":" + queue.rsplit("/", 1)[-1])
    # moto returns fractions of a second.
    assert float(attributes["CreatedTimestamp"]) > 1_700_000_000
    assert float(attributes["LastModifiedTimestamp"]) > 1_700_000_000
    assert "FifoQueue" not in attributes


def test_default_message_size_is_a_mebibyte(sqs: SQSClient, queue: str) -> None:
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["MaximumMessageSize"])["Attributes"]
    assert attributes == {"MaximumMessageSize": "1048576"}


def test_only_the_attributes_asked_for(sqs: SQSClient, queue: str) -> None:
    answer = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout", "DelaySeconds"])
    assert answer["Attributes"] == {"VisibilityTimeout": "30", "DelaySeconds": "0"}


def test_no_attribute_asked_for(sqs: SQSClient, queue: str) -> None:
    assert not sqs.get_queue_attributes(QueueUrl=queue).get("Attributes")


def test_unknown_attribute(sqs: SQSClient, queue: str) -> None:
    answer = refused(sqs.get_queue_attributes, QueueUrl=queue, AttributeNames=["NoSuchAttribute"])
    assert answer == ("InvalidAttributeName", 400)


def test_attributes_given_at_creation_and_changed(sqs: SQSClient, make_queue: MakeQueue) -> None:
    queue = make_queue(VisibilityTimeout="5", DelaySeconds="2")
    sqs.set_queue_attributes(
        QueueUrl=queue, Attributes={"DelaySeconds": "0", "MessageRetentionPeriod": "60", "MaximumMessageSize": "2048"}
    )
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "5"
    assert attributes["DelaySeconds"] == "0"
    assert attributes["MessageRetentionPeriod"] == "60"
    assert attributes["MaximumMessageSize"] == "2048"


@pytest.mark.moto_differs("accepts any value")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VisibilityTimeout", "43201"),
        ("VisibilityTimeout", "many"),
        ("DelaySeconds", "901"),
        ("MessageRetentionPeriod", "59"),
        ("ReceiveMessageWaitTimeSeconds", "21"),
        ("MaximumMessageSize", "1023"),
    ],
)
def test_attribute_out_of_range(sqs: SQSClient, queue: str, name: str, value: str) -> None:
    answer = refused(sqs.set_queue_attributes, QueueUrl=queue, Attributes={name: value})
    assert answer == ("InvalidAttributeValue", 400)


def test_redrive_policy_is_kept(sqs: SQSClient, make_queue: MakeQueue) -> None:
    dead_letters = make_queue()
    arn = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    queue = make_queue(RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3}))
    answer = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])["Attributes"]
    policy = json.loads(answer["RedrivePolicy"])
    assert policy["deadLetterTargetArn"] == arn
    assert int(policy["maxReceiveCount"]) == 3


def test_purge_empties_the_queue(sqs: SQSClient, queue: str) -> None:
    for body in ("waits", "in flight"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    assert sqs.receive_message(QueueUrl=queue)["Messages"]
    sqs.purge_queue(QueueUrl=queue)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]  # type: ignore[arg-type]
    assert answer == dict.fromkeys(names, "0")
    assert not sqs.receive_message(QueueUrl=queue).get("Messages")


def test_purging_twice_in_a_minute_is_refused(sqs: SQSClient, queue: str) -> None:
    sqs.purge_queue(QueueUrl=queue)
    code, _ = refused(sqs.purge_queue, QueueUrl=queue)
    assert code == "AWS.SimpleQueueService.PurgeQueueInProgress"


def test_queues_are_listed_by_prefix(sqs: SQSClient, queue: str) -> None:
    name = queue.rsplit("/", 1)[-1]
    assert queue in sqs.list_queues(QueueNamePrefix=name)["QueueUrls"]
    assert not sqs.list_queues(QueueNamePrefix="no-such-prefix").get("QueueUrls")


def test_deleted_queue_is_gone(sqs: SQSClient) -> None:
    url = sqs.create_queue(QueueName="short-lived")["QueueUrl"]
    sqs.delete_queue(QueueUrl=url)
    assert refused(sqs.get_queue_url, QueueName="short-lived") == NO_QUEUE
