"""Receives messages from a queue."""

from typing import TYPE_CHECKING

import servers

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef


def messages(server: servers.Server, queue_url: str, number: int, seconds: float = 20) -> list["MessageTypeDef"]:
    """Receives and deletes `number` messages. Fails if fewer or more arrive."""
    sqs = server.sqs()
    taken: list[MessageTypeDef] = []

    def enough() -> bool | None:
        answer = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            taken.append(message)
        return True if len(taken) >= number else None

    try:
        servers.until(f"{number} messages in {queue_url}", enough, seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}, found {len(taken)}") from None
    assert len(taken) == number
    return taken
