"""SendMessageBatch, DeleteMessageBatch, ChangeMessageVisibilityBatch: up to ten entries, each with its own outcome."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from errors import refused
from mypy_boto3_sqs import SQSClient


def entries(number: int) -> list[dict[str, Any]]:
    return [{"Id": f"id-{index}", "MessageBody": f"body {index}"} for index in range(number)]


@pytest.fixture
def handles(sqs: SQSClient, queue: str) -> list[str]:
    sqs.send_message_batch(QueueUrl=queue, Entries=entries(3))  # type: ignore[arg-type]
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert len(messages) == 3
    return [message["ReceiptHandle"] for message in messages]


def in_flight(sqs: SQSClient, queue: str) -> str:
    name: Final = "ApproximateNumberOfMessagesNotVisible"
    return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"][name]


def test_ten_are_sent(sqs: SQSClient, queue: str) -> None:
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries(10))  # type: ignore[arg-type]
    assert not answer.get("Failed")
    assert sorted(entry["Id"] for entry in answer["Successful"]) == sorted(e["Id"] for e in entries(10))
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert sorted(message["Body"] for message in received) == sorted(e["MessageBody"] for e in entries(10))
    sent = {entry["MessageId"] for entry in answer["Successful"]}
    assert {message["MessageId"] for message in received} == sent


def test_a_batch_carries_attributes_and_delays(sqs: SQSClient, queue: str) -> None:
    attribute = {"DataType": "String", "StringValue": "v"}
    sqs.send_message_batch(
        QueueUrl=queue,
        Entries=[
            {"Id": "1", "MessageBody": "with", "MessageAttributes": {"a": attribute}},  # type: ignore[dict-item]
            {"Id": "2", "MessageBody": "delayed", "DelaySeconds": 60},
        ],
    )
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"])["Messages"]
    assert [message["Body"] for message in messages] == ["with"]
    assert messages[0]["MessageAttributes"]["a"]["StringValue"] == "v"


def test_one_bad_message_does_not_stop_the_others(sqs: SQSClient, queue: str) -> None:
    batch = [*entries(2), {"Id": "bad", "MessageBody": "x", "DelaySeconds": 901}]
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=batch)  # type: ignore[arg-type]
    assert sorted(entry["Id"] for entry in answer["Successful"]) == ["id-0", "id-1"]
    assert [(entry["Id"], entry["SenderFault"]) for entry in answer["Failed"]] == [("bad", True)]


def test_three_are_deleted(sqs: SQSClient, queue: str, handles: list[str]) -> None:
    answer = sqs.delete_message_batch(
        QueueUrl=queue, Entries=[{"Id": str(index), "ReceiptHandle": handle} for index, handle in enumerate(handles)]
    )
    assert sorted(entry["Id"] for entry in answer["Successful"]) == ["0", "1", "2"]
    assert not answer.get("Failed")
    assert in_flight(sqs, queue) == "0"


def test_one_bad_handle_does_not_stop_the_deletes(sqs: SQSClient, queue: str, handles: list[str]) -> None:
    batch = [{"Id": "good", "ReceiptHandle": handles[0]}, {"Id": "bad", "ReceiptHandle": "no"}]
    answer = sqs.delete_message_batch(QueueUrl=queue, Entries=batch)  # type: ignore[arg-type]
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    assert [(e["Id"], e["Code"], e["SenderFault"]) for e in answer["Failed"]] == [
        ("bad", "ReceiptHandleIsInvalid", True)
    ]
    assert in_flight(sqs, queue) == "2"


def test_visibility_of_three(sqs: SQSClient, queue: str, handles: list[str]) -> None:
    batch = [
        {"Id": "back", "ReceiptHandle": handles[0], "VisibilityTimeout": 0},
        {"Id": "longer", "ReceiptHandle": handles[1], "VisibilityTimeout": 60},
        {"Id": "bad", "ReceiptHandle": "no", "VisibilityTimeout": 60},
    ]
    answer = sqs.change_message_visibility_batch(QueueUrl=queue, Entries=batch)  # type: ignore[arg-type]
    assert sorted(entry["Id"] for entry in answer["Successful"]) == ["back", "longer"]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("bad", "ReceiptHandleIsInvalid")]
    assert in_flight(sqs, queue) == "2"


BATCHES: dict[str, Callable[[str], dict[str, Any]]] = {
    "send_message_batch": lambda name: {"Id": name, "MessageBody": "x"},
    "delete_message_batch": lambda name: {"Id": name, "ReceiptHandle": f"handle of {name}"},
    "change_message_visibility_batch": lambda name: {
        "Id": name,
        "ReceiptHandle": f"handle of {name}",
        "VisibilityTimeout": 1,
    },
}


def each_batch(**moto_differs: str) -> pytest.MarkDecorator:
    """One test for each batch operation; `moto_differs` has the reason why moto fails some of them."""

    def parameter(operation: str) -> Any:  # noqa: ANN401 - pytest does not export the type
        why = moto_differs.get(operation)
        return pytest.param(operation, marks=[pytest.mark.moto_differs(why)] if why else [])

    return pytest.mark.parametrize("operation", [parameter(operation) for operation in BATCHES])


@each_batch(change_message_visibility_batch="accepts an empty batch")
def test_empty_batches(sqs: SQSClient, queue: str, operation: str) -> None:
    answer = refused(getattr(sqs, operation), QueueUrl=queue, Entries=[])
    assert answer == ("AWS.SimpleQueueService.EmptyBatchRequest", 400)


@each_batch(delete_message_batch="accepts any number", change_message_visibility_batch="accepts any number")
def test_more_than_ten(sqs: SQSClient, queue: str, operation: str) -> None:
    batch = [BATCHES[operation](f"id-{index}") for index in range(11)]
    answer = refused(getattr(sqs, operation), QueueUrl=queue, Entries=batch)
    assert answer == ("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400)


@each_batch(change_message_visibility_batch="accepts the same id twice")
def test_ids_that_are_not_distinct(sqs: SQSClient, queue: str, operation: str) -> None:
    answer = refused(getattr(sqs, operation), QueueUrl=queue, Entries=[BATCHES[operation]("same")] * 2)
    assert answer == ("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400)


@pytest.mark.parametrize("name", ["with space", "a" * 81, "dot.dot"])
def test_ids_of_other_than_letters_digits_and_hyphens(sqs: SQSClient, queue: str, name: str) -> None:
    answer = refused(sqs.send_message_batch, QueueUrl=queue, Entries=[{"Id": name, "MessageBody": "x"}])
    assert answer == ("AWS.SimpleQueueService.InvalidBatchEntryId", 400)
