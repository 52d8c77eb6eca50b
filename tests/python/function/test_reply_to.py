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
    """Nothing runs and the invocation fails: the dead letter has the reason, and no queue receives a result."""
    refused = make(function, "refused")
    if allows == "others":
        allow(function, make(function, "one"), make(function, "another"))
    function.send(event(refused))
    letter, error = function.dead_letter()
    assert json.loads(letter) == event(refused)
    assert "nothing was run" in error
    assert refused in error
    assert function.server.queue_url in error
    assert "LAMBDA_EXECUTOR_REPLY_TO_ALLOW" in error
    assert not function.path("ran").exists()
    assert function.left(refused) == function.left(function.server.queue_url) == 0


def test_a_function_with_another_queue_than_the_scheduler(function: Function) -> None:
    """The task fails at once with the reason. A result in the function's own queue would leave it LOST after hours."""
    function.awslambda.update_function_configuration(
        FunctionName=function.server.function_name, Environment={"Variables": {"QUEUE_URL": make(function, "own")}}
    )
    final = function.run({"task_key": "k", "command": "touch ran"}, check_health=False)["k"]
    assert (final["state"], final["reason"]) == ("failed", "dead_letter")
    assert "set QUEUE_URL to the scheduler's queue_url" in final["message"]
    assert not function.path("ran").exists()


@pytest.mark.parametrize("place", [0, 1])
def test_a_queue_that_is_allowed(function: Function, place: int) -> None:
    """Each queue of the list gets only the results that name it."""
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
