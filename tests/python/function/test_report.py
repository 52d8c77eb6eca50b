"""The result reaches the queue after an outage of SQS. If the outage does not end, the dead letter has the reason."""

import time

import pytest
import servers

from .conftest import Function, Start, yes

# Ends when the test creates a file: the outage of SQS begins before there is a result.
COMMAND = "echo run >> runs; until [ -e go-on ]; do sleep 0.02; done; exit 7"
TASK = {"task_key": "k", "command": COMMAND}


def starts(function: Function) -> None:
    servers.until("the command runs", lambda: yes(function.lines("runs")))


def ends(function: Function) -> None:
    function.path("go-on").touch()


@pytest.mark.parametrize("kind", ["refuse", "error"])
def test_sqs_is_down_for_five_seconds(start: Start, kind: str) -> None:
    """E1: no connection, or 503 to every request."""
    function = start()
    lasts = 5.0 if kind == "refuse" else 1.5
    begun = 0.0

    def outage() -> None:
        nonlocal begun
        starts(function)
        begun = time.monotonic()
        function.server.faults(outages=[{"for_ms": int(lasts * 1000), "kind": kind}])
        ends(function)

    final = function.run(TASK, when_running=outage)["k"]
    assert time.monotonic() - begun >= lasts
    assert (final["state"], final["reason"], final["return_code"]) == ("failed", "exit", 7)
    assert final["finished_at_ms"] - final["started_at_ms"] < 1000 * lasts, "times must exclude the report"
    assert b"the result cannot be sent yet" in function.log
    assert function.lines("runs") == ["run"]
    stats = function.server.stats()
    assert (stats["invocations"], stats["function_errors"]) == (1, 0)
    assert function.left(function.server.queue_url) == 0


def failed_invocations(function: Function, number: int) -> None:
    servers.until(f"{number} failed", lambda: yes(function.server.stats()["function_errors"] >= number))


def away_for_one_try(function: Function) -> None:
    """An outage of SQS from before the command's end until the invocation has failed."""
    starts(function)
    function.server.faults(sqs={"error": 1.0})
    ends(function)
    failed_invocations(function, 1)
    function.server.faults()


def test_sqs_stays_away_past_the_functions_time(start: Start) -> None:
    """E1: the invocation fails in time, and the dead letter has the reason."""
    function = start(timeout_ms=2500)

    final = function.run(TASK, when_running=lambda: away_for_one_try(function))["k"]
    assert (final["state"], final["reason"]) == ("failed", "dead_letter")
    assert "the result was not sent" in final["message"]
    assert "until the function's time was up" in final["message"]
    assert function.server.queue_url in final["message"]
    stats = function.server.stats()
    assert (stats["invocations"], stats["timeouts"], stats["dead_letters"]) == (1, 0, 1)
    assert function.lines("runs") == ["run"]


def test_lambdas_next_try_sends_the_result_and_runs_nothing(start: Start) -> None:
    """E1, E8: with Lambda's retries the result arrives."""
    function = start(timeout_ms=5000, maximum_retry_attempts=2)

    final = function.run(TASK, when_running=lambda: away_for_one_try(function))["k"]
    assert (final["state"], final["reason"], final["return_code"]) == ("failed", "exit", 7)
    assert function.lines("runs") == ["run"]
    stats = function.server.stats()
    assert (stats["invocations"], stats["retries"], stats["dead_letters"]) == (2, 1, 0)


def test_a_queue_that_is_not_there_is_not_tried_again(start: Start) -> None:
    """E1: an error that no retry can fix fails the invocation at once."""
    function = start()

    def delete() -> None:
        starts(function)
        function.sqs.delete_queue(QueueUrl=function.server.queue_url)
        ends(function)

    final = function.run(TASK, when_running=delete)["k"]
    assert (final["state"], final["reason"]) == ("failed", "dead_letter")
    assert "rejects it permanently" in final["message"]
    assert b"next try in" not in function.log
