"""A received message is hidden until it is deleted or released, or until its visibility timeout ends."""

from typing import Final

import pytest
from errors import refused
from mypy_boto3_sqs import SQSClient
from mypy_boto3_sqs.type_defs import MessageTypeDef

from .conftest import MakeQueue

RECEIVE_COUNT: Final = "ApproximateReceiveCount"


def receive(sqs: SQSClient, queue: str, *, wait: int = 0, visibility: int | None = None) -> list[MessageTypeDef]:
    more = {} if visibility is None else {"VisibilityTimeout": visibility}
    answer = sqs.receive_message(
        QueueUrl=queue,
        WaitTimeSeconds=wait,
        MaxNumberOfMessages=10,
        MessageSystemAttributeNames=[RECEIVE_COUNT],
        **more,  # type: ignore[arg-type]
    )
    return answer.get("Messages", [])


@pytest.fixture
def loaded(sqs: SQSClient, queue: str) -> str:
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    return queue


def test_hidden_while_in_flight(sqs: SQSClient, loaded: str) -> None:
    assert len(receive(sqs, loaded)) == 1
    assert receive(sqs, loaded) == []
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = sqs.get_queue_attributes(QueueUrl=loaded, AttributeNames=names)["Attributes"]  # type: ignore[arg-type]
    assert answer == {names[0]: "0", names[1]: "1"}


def test_visible_again_after_the_timeout(sqs: SQSClient, loaded: str) -> None:
    first = receive(sqs, loaded, visibility=1)[0]
    second = receive(sqs, loaded, wait=10)[0]
    assert second["MessageId"] == first["MessageId"]
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    assert second["Attributes"][RECEIVE_COUNT] == "2"


def test_visibility_zero_hides_nothing(sqs: SQSClient, loaded: str) -> None:
    assert len(receive(sqs, loaded, visibility=0)) == 1
    assert len(receive(sqs, loaded, visibility=0)) == 1


def test_released(sqs: SQSClient, loaded: str) -> None:
    handle = receive(sqs, loaded)[0]["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=loaded, ReceiptHandle=handle, VisibilityTimeout=0)
    again = receive(sqs, loaded)
    assert [message["Attributes"][RECEIVE_COUNT] for message in again] == ["2"]


def test_extended(sqs: SQSClient, loaded: str) -> None:
    handle = receive(sqs, loaded, visibility=1)[0]["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=loaded, ReceiptHandle=handle, VisibilityTimeout=60)
    assert receive(sqs, loaded, wait=2) == []


def test_shortened(sqs: SQSClient, loaded: str) -> None:
    handle = receive(sqs, loaded, visibility=300)[0]["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=loaded, ReceiptHandle=handle, VisibilityTimeout=1)
    assert len(receive(sqs, loaded, wait=10)) == 1


@pytest.mark.moto_differs("takes it")
def test_not_in_flight(sqs: SQSClient, loaded: str) -> None:
    handle = receive(sqs, loaded, visibility=0)[0]["ReceiptHandle"]
    answer = refused(sqs.change_message_visibility, QueueUrl=loaded, ReceiptHandle=handle, VisibilityTimeout=1)
    assert answer == ("AWS.SimpleQueueService.MessageNotInflight", 400)


@pytest.mark.moto_differs("has no record of a deleted message")
def test_visibility_of_a_deleted_message(sqs: SQSClient, loaded: str) -> None:
    handle = receive(sqs, loaded)[0]["ReceiptHandle"]
    sqs.delete_message(QueueUrl=loaded, ReceiptHandle=handle)
    answer = refused(sqs.change_message_visibility, QueueUrl=loaded, ReceiptHandle=handle, VisibilityTimeout=1)
    assert answer == ("InvalidParameterValue", 400)


def test_not_a_receipt_handle(sqs: SQSClient, loaded: str) -> None:
    answer = refused(sqs.change_message_visibility, QueueUrl=loaded, ReceiptHandle="no", VisibilityTimeout=1)
    assert answer == ("ReceiptHandleIsInvalid", 400)
    assert refused(sqs.delete_message, QueueUrl=loaded, ReceiptHandle="no") == ("ReceiptHandleIsInvalid", 400)


@pytest.mark.parametrize("seconds", [pytest.param(-1, marks=pytest.mark.moto_differs("accepts negative times")), 43201])
def test_at_most_twelve_hours(sqs: SQSClient, loaded: str, seconds: int) -> None:
    handle = receive(sqs, loaded)[0]["ReceiptHandle"]
    answer = refused(sqs.change_message_visibility, QueueUrl=loaded, ReceiptHandle=handle, VisibilityTimeout=seconds)
    assert answer == ("InvalidParameterValue", 400)
    answer = refused(sqs.receive_message, QueueUrl=loaded, VisibilityTimeout=seconds)
    assert answer == ("InvalidParameterValue", 400)


def test_the_queue_sets_the_default(sqs: SQSClient, make_queue: MakeQueue) -> None:
    queue = make_queue(VisibilityTimeout="1")
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert len(receive(sqs, queue)) == 1
    assert receive(sqs, queue) == []
    assert len(receive(sqs, queue, wait=10)) == 1
