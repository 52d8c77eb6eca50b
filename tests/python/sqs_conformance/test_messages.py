"""SendMessage, ReceiveMessage and DeleteMessage on a standard queue."""

import hashlib
import threading
import time
from typing import Final

import pytest
from errors import refused
from mypy_boto3_sqs import SQSClient

from .conftest import MakeQueue


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def receive_one(sqs: SQSClient, queue: str, **options: object) -> dict[str, object]:
    messages = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5, **options)["Messages"]  # type: ignore[arg-type]
    assert len(messages) == 1
    return dict(messages[0])


def test_a_message_comes_back_as_sent(sqs: SQSClient, queue: str) -> None:
    body = 'plain, "quoted", ümläut, 日本語, \t tab\r\n, <xml>&amp;'
    sent = sqs.send_message(QueueUrl=queue, MessageBody=body)
    assert sent["MD5OfMessageBody"] == md5(body)
    received = receive_one(sqs, queue)
    assert received["Body"] == body
    assert received["MessageId"] == sent["MessageId"]
    assert received["MD5OfBody"] == md5(body)
    assert received["ReceiptHandle"]
    assert "Attributes" not in received
    assert "MessageAttributes" not in received


def test_an_empty_queue_returns_nothing(sqs: SQSClient, queue: str) -> None:
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)


def test_deleted_means_gone(sqs: SQSClient, make_queue: MakeQueue) -> None:
    queue = make_queue(VisibilityTimeout="0")
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    handle = str(receive_one(sqs, queue)["ReceiptHandle"])
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    # Deleting twice is not an error.
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)


def test_system_attributes(sqs: SQSClient, queue: str) -> None:
    before = int(time.time() * 1000)
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    received = receive_one(sqs, queue, MessageSystemAttributeNames=["All"])
    attributes = received["Attributes"]
    assert isinstance(attributes, dict)
    after = int(time.time() * 1000)
    assert before - 1 <= int(attributes["SentTimestamp"]) <= after + 1
    assert before - 1 <= int(attributes["ApproximateFirstReceiveTimestamp"]) <= after + 1
    assert attributes["ApproximateReceiveCount"] == "1"
    assert attributes["SenderId"]
    assert "MessageGroupId" not in attributes


@pytest.mark.parametrize("parameter", ["AttributeNames", "MessageSystemAttributeNames"])
def test_only_the_system_attributes_asked_for(sqs: SQSClient, queue: str, parameter: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    received = receive_one(sqs, queue, **{parameter: ["ApproximateReceiveCount"]})
    assert received["Attributes"] == {"ApproximateReceiveCount": "1"}


ATTRIBUTES = {
    "text": {"DataType": "String", "StringValue": "a ü"},
    "number": {"DataType": "Number", "StringValue": "200"},
    "labelled": {"DataType": "Number.int", "StringValue": "7"},
    "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    "prefix.one": {"DataType": "String", "StringValue": "1"},
    "prefix.two": {"DataType": "String", "StringValue": "2"},
}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], set()),
        (["All"], set(ATTRIBUTES)),
        ([".*"], set(ATTRIBUTES)),
        (["text", "missing"], {"text"}),
        (["prefix.*"], {"prefix.one", "prefix.two"}),
        (["number", "bytes"], {"number", "bytes"}),
    ],
)
def test_message_attributes(sqs: SQSClient, queue: str, names: list[str], expected: set[str]) -> None:
    # boto3 checks MD5OfMessageAttributes and raises an error if it differs.
    sent = sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes=ATTRIBUTES)  # type: ignore[arg-type]
    assert sent["MD5OfMessageAttributes"]
    received = receive_one(sqs, queue, MessageAttributeNames=names)
    wanted = {name: ATTRIBUTES[name] for name in expected}
    got = received.get("MessageAttributes", {})
    assert isinstance(got, dict)
    assert {
        name: {key: value for key, value in attribute.items() if value != []} for name, attribute in got.items()
    } == wanted


def test_at_most_as_many_as_asked_for(sqs: SQSClient, queue: str) -> None:
    for number in range(12):
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))
    first = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    second = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert len(first) <= 10
    assert sorted(int(message["Body"]) for message in first + second) == list(range(12))


def test_one_message_by_default(sqs: SQSClient, queue: str) -> None:
    for number in range(3):
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1


@pytest.mark.parametrize("number", [0, 11])
def test_one_to_ten_messages(sqs: SQSClient, queue: str, number: int) -> None:
    answer = refused(sqs.receive_message, QueueUrl=queue, MaxNumberOfMessages=number)
    assert answer == ("InvalidParameterValue", 400)


@pytest.mark.parametrize("seconds", [-1, 21])
def test_wait_of_zero_to_twenty_seconds(sqs: SQSClient, queue: str, seconds: int) -> None:
    assert refused(sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=seconds) == ("InvalidParameterValue", 400)


@pytest.mark.moto_differs("takes it")
def test_an_empty_body_is_refused(sqs: SQSClient, queue: str) -> None:
    code, status = refused(sqs.send_message, QueueUrl=queue, MessageBody="")
    assert code in {"MissingParameter", "InvalidParameterValue"}
    assert status == 400


@pytest.mark.moto_differs("accepts them in JSON requests")
@pytest.mark.parametrize("character", ["\x00", "\x0b", "\ufffe"])
def test_characters_that_xml_forbids_are_refused(sqs: SQSClient, queue: str, character: str) -> None:
    answer = refused(sqs.send_message, QueueUrl=queue, MessageBody=f"a{character}b")
    assert answer == ("InvalidMessageContents", 400)


@pytest.mark.parametrize(
    "attribute",
    [
        {"DataType": "Text", "StringValue": "x"},
        pytest.param({"DataType": "String"}, marks=pytest.mark.moto_differs("takes it")),
    ],
)
def test_bad_message_attributes(sqs: SQSClient, queue: str, attribute: dict[str, str]) -> None:
    code, status = refused(sqs.send_message, QueueUrl=queue, MessageBody="x", MessageAttributes={"a": attribute})
    assert (code, status) == ("InvalidParameterValue", 400)


def test_a_long_poll_ends_when_a_message_comes(sqs: SQSClient, queue: str) -> None:
    begun = time.monotonic()
    sender = threading.Timer(0.3, lambda: sqs.send_message(QueueUrl=queue, MessageBody="late"))
    sender.start()
    messages = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=15)["Messages"]
    sender.join()
    assert [message["Body"] for message in messages] == ["late"]
    assert 0.2 < time.monotonic() - begun < 10


def test_a_long_poll_ends_in_time(sqs: SQSClient, queue: str) -> None:
    begun = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)
    assert 0.8 < time.monotonic() - begun < 5


def test_the_queue_can_set_the_wait(sqs: SQSClient, make_queue: MakeQueue) -> None:
    queue = make_queue(ReceiveMessageWaitTimeSeconds="1")
    begun = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    assert 0.8 < time.monotonic() - begun < 5


def test_a_delayed_message_waits(sqs: SQSClient, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=1)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    attribute: Final = "ApproximateNumberOfMessagesDelayed"
    answer = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[attribute])
    assert answer["Attributes"] == {attribute: "1"}
    assert receive_one(sqs, queue)["Body"] == "later"


def test_the_queue_can_set_the_delay(sqs: SQSClient, make_queue: MakeQueue) -> None:
    queue = make_queue(DelaySeconds="1")
    sqs.send_message(QueueUrl=queue, MessageBody="later")
    sqs.send_message(QueueUrl=queue, MessageBody="now", DelaySeconds=0)
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]] == ["now"]
    assert receive_one(sqs, queue)["Body"] == "later"


def test_delay_of_at_most_fifteen_minutes(sqs: SQSClient, queue: str) -> None:
    answer = refused(sqs.send_message, QueueUrl=queue, MessageBody="x", DelaySeconds=901)
    assert answer == ("InvalidParameterValue", 400)
