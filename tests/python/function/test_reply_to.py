"""An event may name the queue for its result, but only one that the function's configuration allows."""

import json

import pytest

from .conftest import Function, Start


@pytest.fixture
def function(start: Start) -> Function:
    return start()


def make(function: Function, name: str) -> str:
    """URL of a new queue."""
    return function.sqs.create_queue(QueueName=name)["QueueUrl"]


def allow(function: Function, *queue_urls: str) -> None:
    function.awslambda.update_function_configuration(
        FunctionName=function.server.function_name,
        Environment={"Variables": {"LAMBDA_EXECUTOR_REPLY_TO_ALLOW": ",".join(queue_urls)}},
    )


def event(queue_url: str) -> dict[str, object]:
    return {"task_key": "k", "command": "touch ran; exit 3", "attempt_id": "an-attempt", "reply_to": queue_url}


@pytest.mark.parametrize("allows", ["none", "others"])
def test_a_queue_that_is_not_allowed(function: Function, allows: str) -> None:
    """Nothing runs, and the queue that is configured gets to know."""
    stranger = make(function, "stranger")
    if allows == "others":
        allow(function, make(function, "one"), make(function, "another"))
    function.send(event(stranger))
    [result] = function.results(1)
    assert (result["task_key"], result["attempt_id"]) == ("k", "an-attempt")
    assert (result["reason"], result["return_code"]) == ("reply_to_refused", 126)
    assert "started_at_ms" not in result
    assert not function.path("ran").exists()
    assert function.left(stranger) == 0


@pytest.mark.parametrize("place", [0, 1])
def test_a_queue_that_is_allowed(function: Function, place: int) -> None:
    """Each one of the list gets the results that are for it, and nobody else does."""
    queues = [make(function, "one"), make(function, "another")]
    allow(function, *queues)
    function.send(event(queues[place]))
    [message] = function.messages(queues[place], 1)
    result = json.loads(message["Body"])
    assert (result["task_key"], result["reason"], result["return_code"]) == ("k", "exit", 3)
    assert function.path("ran").exists()
    assert function.left(queues[1 - place]) == function.left(function.server.queue_url) == 0


def test_the_configured_queue_is_always_allowed(function: Function) -> None:
    function.send(event(function.server.queue_url))
    [result] = function.results(1)
    assert (result["reason"], result["return_code"]) == ("exit", 3)
