"""Sizes: a message, its attributes, a batch."""

import pytest
from errors import refused
from mypy_boto3_sqs import SQSClient

from .conftest import MakeQueue

MEBIBYTE = 1024 * 1024


def test_a_message_of_one_mebibyte(sqs: SQSClient, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="x" * MEBIBYTE)
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"]) == MEBIBYTE


def test_a_byte_more(sqs: SQSClient, queue: str) -> None:
    answer = refused(sqs.send_message, QueueUrl=queue, MessageBody="x" * (MEBIBYTE + 1))
    assert answer == ("InvalidParameterValue", 400)


@pytest.mark.moto_differs("counts characters")
def test_bytes_count_not_characters(sqs: SQSClient, queue: str) -> None:
    answer = refused(sqs.send_message, QueueUrl=queue, MessageBody="ü" * (MEBIBYTE // 2 + 1))
    assert answer == ("InvalidParameterValue", 400)


@pytest.mark.moto_differs("counts only the body")
def test_attributes_count(sqs: SQSClient, queue: str) -> None:
    answer = refused(
        sqs.send_message,
        QueueUrl=queue,
        MessageBody="x" * (MEBIBYTE - 10),
        MessageAttributes={"name": {"DataType": "String", "StringValue": "value"}},
    )
    assert answer == ("InvalidParameterValue", 400)


def test_the_queue_can_ask_for_less(sqs: SQSClient, make_queue: MakeQueue) -> None:
    queue = make_queue(MaximumMessageSize="1024")
    sqs.send_message(QueueUrl=queue, MessageBody="x" * 1024)
    assert refused(sqs.send_message, QueueUrl=queue, MessageBody="x" * 1025) == ("InvalidParameterValue", 400)


def test_a_batch_of_more_than_one_mebibyte(sqs: SQSClient, queue: str) -> None:
    batch = [{"Id": str(index), "MessageBody": "x" * (MEBIBYTE // 2 + 1)} for index in range(2)]
    answer = refused(sqs.send_message_batch, QueueUrl=queue, Entries=batch)
    assert answer == ("AWS.SimpleQueueService.BatchRequestTooLong", 400)


@pytest.mark.moto_differs("accepts any number")
def test_ten_attributes_at_most(sqs: SQSClient, queue: str) -> None:
    attributes = {f"a{index}": {"DataType": "String", "StringValue": "x"} for index in range(11)}
    answer = refused(sqs.send_message, QueueUrl=queue, MessageBody="x", MessageAttributes=attributes)
    assert answer == ("InvalidParameterValue", 400)
