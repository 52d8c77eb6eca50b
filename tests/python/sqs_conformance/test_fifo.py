"""FIFO queues: order within a group, a group locked while in flight, deduplication."""

import pytest
from errors import refused
from mypy_boto3_sqs import SQSClient
from mypy_boto3_sqs.type_defs import MessageTypeDef

from .conftest import MakeQueue


def send(sqs: SQSClient, queue: str, body: str, group: str, deduplication: str | None = None) -> str:
    answer = sqs.send_message(
        QueueUrl=queue, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=deduplication or body
    )
    assert answer["SequenceNumber"].isdigit()
    return answer["MessageId"]


def receive(sqs: SQSClient, queue: str, number: int = 10) -> list[MessageTypeDef]:
    answer = sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=number, MessageSystemAttributeNames=["All"], WaitTimeSeconds=0
    )
    return answer.get("Messages", [])


def bodies(messages: list[MessageTypeDef]) -> list[str]:
    return [message["Body"] for message in messages]


def test_order_within_a_group(sqs: SQSClient, fifo: str) -> None:
    for number in range(5):
        send(sqs, fifo, str(number), "g")
    messages = receive(sqs, fifo)
    assert bodies(messages) == ["0", "1", "2", "3", "4"]
    assert messages[0]["Attributes"]["MessageGroupId"] == "g"
    assert messages[0]["Attributes"]["MessageDeduplicationId"] == "0"


@pytest.mark.moto_differs("random numbers")
def test_sequence_numbers_rise(sqs: SQSClient, fifo: str) -> None:
    for number in range(5):
        send(sqs, fifo, str(number), "g")
    numbers = [int(message["Attributes"]["SequenceNumber"]) for message in receive(sqs, fifo)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 5


def test_a_group_is_locked_while_one_of_it_is_in_flight(sqs: SQSClient, fifo: str) -> None:
    send(sqs, fifo, "a1", "a")
    send(sqs, fifo, "a2", "a")
    send(sqs, fifo, "b1", "b")
    first = receive(sqs, fifo, 1)
    assert bodies(first) == ["a1"]
    assert bodies(receive(sqs, fifo)) == ["b1"]
    assert receive(sqs, fifo) == []
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=first[0]["ReceiptHandle"])
    assert bodies(receive(sqs, fifo)) == ["a2"]


def test_a_released_message_is_the_next_of_its_group(sqs: SQSClient, fifo: str) -> None:
    send(sqs, fifo, "1", "g")
    send(sqs, fifo, "2", "g")
    first = receive(sqs, fifo, 1)[0]
    sqs.change_message_visibility(QueueUrl=fifo, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    assert bodies(receive(sqs, fifo)) == ["1", "2"]


def test_the_same_deduplication_id_is_one_message(sqs: SQSClient, fifo: str) -> None:
    send(sqs, fifo, "first", "g", "same")
    send(sqs, fifo, "second", "g", "same")
    assert bodies(receive(sqs, fifo)) == ["first"]


@pytest.mark.moto_differs("gives the second message another id")
def test_a_duplicate_gets_the_id_of_the_first(sqs: SQSClient, fifo: str) -> None:
    assert send(sqs, fifo, "first", "g", "same") == send(sqs, fifo, "second", "g", "same")


@pytest.mark.moto_differs("forgets a deduplication id when its message is deleted")
def test_deduplication_outlives_the_delete(sqs: SQSClient, fifo: str) -> None:
    send(sqs, fifo, "first", "g", "same")
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=receive(sqs, fifo)[0]["ReceiptHandle"])
    send(sqs, fifo, "second", "g", "same")
    assert receive(sqs, fifo) == []


def test_deduplication_by_content(sqs: SQSClient, make_queue: MakeQueue) -> None:
    queue = make_queue(fifo=True, ContentBasedDeduplication="true")
    for body in ("same", "same", "other"):
        sqs.send_message(QueueUrl=queue, MessageBody=body, MessageGroupId="g")
    assert bodies(receive(sqs, queue)) == ["same", "other"]


def test_a_group_is_needed(sqs: SQSClient, fifo: str) -> None:
    answer = refused(sqs.send_message, QueueUrl=fifo, MessageBody="x", MessageDeduplicationId="d")
    assert answer == ("MissingParameter", 400)


def test_a_deduplication_id_is_needed(sqs: SQSClient, fifo: str) -> None:
    answer = refused(sqs.send_message, QueueUrl=fifo, MessageBody="x", MessageGroupId="g")
    assert answer == ("InvalidParameterValue", 400)


def test_no_delay_of_one_message(sqs: SQSClient, fifo: str) -> None:
    answer = refused(
        sqs.send_message,
        QueueUrl=fifo,
        MessageBody="x",
        MessageGroupId="g",
        MessageDeduplicationId="d",
        DelaySeconds=1,
    )
    assert answer == ("InvalidParameterValue", 400)


def test_attributes_have_the_kind(sqs: SQSClient, fifo: str) -> None:
    answer = sqs.get_queue_attributes(QueueUrl=fifo, AttributeNames=["FifoQueue", "ContentBasedDeduplication"])
    assert answer["Attributes"] == {"FifoQueue": "true", "ContentBasedDeduplication": "false"}


@pytest.mark.parametrize(
    "group",
    [
        "",
        pytest.param("a" * 129, marks=pytest.mark.moto_differs("accepts any group")),
        pytest.param("with space", marks=pytest.mark.moto_differs("accepts any group")),
    ],
)
def test_bad_groups(sqs: SQSClient, fifo: str, group: str) -> None:
    code, status = refused(
        sqs.send_message, QueueUrl=fifo, MessageBody="x", MessageGroupId=group, MessageDeduplicationId="d"
    )
    assert code in {"InvalidParameterValue", "MissingParameter"}
    assert status == 400
