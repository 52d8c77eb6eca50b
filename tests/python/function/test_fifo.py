"""A FIFO results queue: one group for each key, and one result for each submission."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers

from .conftest import Function, options


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[tuple[Function, str]]:
    """A function that sends its results to this queue."""
    folder = tmp_path / "function"
    with servers.local(tmp_path / "local", **options(folder, {})) as server:
        queue_url = server.sqs().create_queue(QueueName="results.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        server.awslambda().update_function_configuration(
            FunctionName=server.function_name, Environment={"Variables": {"QUEUE_URL": queue_url}}
        )
        yield Function(server, folder), queue_url


@pytest.mark.parametrize("key", ["k", "schlüssel/" * 700])
@pytest.mark.parametrize("attempt_id", ["an-attempt", None])
def test_group_and_deduplication(fifo: tuple[Function, str], key: str, attempt_id: str | None) -> None:
    """E11: the message in the queue has both. A key may be longer than a group's name."""
    function, queue_url = fifo
    request = function.send({"task_key": key, "command": ["true"], "attempt_id": attempt_id})
    [message] = function.messages(queue_url, 1)
    assert json.loads(message["Body"])["task_key"] == key
    attributes = message["Attributes"]
    assert attributes["MessageGroupId"] == hashlib.sha256(key.encode()).hexdigest()
    assert attributes["MessageDeduplicationId"] == (attempt_id or request)


def test_delivered_twice_is_one_result(fifo: tuple[Function, str]) -> None:
    """E11, E8: SQS drops the second."""
    function, queue_url = fifo
    event = {"task_key": "k", "command": "echo run >> runs", "attempt_id": "an-attempt"}
    for _ in range(2):
        assert function.call(event)["result_sent_to"] == queue_url
    assert len(function.messages(queue_url, 1)) == 1
    assert function.left(queue_url) == 0
    assert function.lines("runs") == ["run"]


def test_groups_do_not_wait_for_each_other(fifo: tuple[Function, str]) -> None:
    """E11: a message in flight blocks only its own group."""
    function, queue_url = fifo
    for number in range(3):
        function.call({"task_key": f"k-{number}", "command": ["true"]})
    answers = [function.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=1) for _ in range(3)]
    bodies = [json.loads(message["Body"]) for answer in answers for message in answer.get("Messages", [])]
    assert sorted(body["task_key"] for body in bodies) == ["k-0", "k-1", "k-2"]
