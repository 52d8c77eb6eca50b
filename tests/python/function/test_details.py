"""Details of a run in the final event."""

import json
import time

import pytest

from .conftest import Function


def test_request_and_log_stream(shared: Function) -> None:
    """E9: the final event has what is needed to find the log in CloudWatch."""
    final = shared.run_one("echo $AWS_LAMBDA_LOG_STREAM_NAME")
    assert final["log_stream"] == final["output_tail"].strip()
    assert "[$LATEST]" in final["log_stream"]
    lines = [json.loads(line) for line in shared.log.splitlines() if line.startswith(b'{"level')]
    assert final["request_id"] in [line.get("request_id") for line in lines]


def test_request_id_of_the_invocation(shared: Function) -> None:
    """E9: the request id is that of Invoke's answer."""
    request = shared.send({"task_key": "k", "command": ["true"]})
    assert shared.results(1)[0]["request_id"] == request


@pytest.mark.parametrize(("name", "number"), [("KILL", 9), ("TERM", 15), ("SEGV", 11)])
def test_signal(shared: Function, name: str, number: int) -> None:
    """E9"""
    final = shared.run_one(f"echo last words; kill -{name} $$")
    assert (final["state"], final["reason"]) == ("failed", "signal")
    assert (final["signal"], final["return_code"]) == (number, -number)
    assert final["output_tail"] == "last words\n"
    # The library can derive it from the return code; other readers need it in the message.
    shared.send({"task_key": "k", "command": f"kill -{name} $$"})
    [result] = shared.results(1)
    assert (result["reason"], result["signal"], result["return_code"]) == ("signal", number, -number)


def test_duration(shared: Function) -> None:
    """E9: only the command's time, by the clock of the function, which is this machine's here."""
    before = time.time() * 1000
    final = shared.run_one(["sleep", "0.7"])
    after = time.time() * 1000
    assert before - 1 <= final["started_at_ms"] <= final["finished_at_ms"] <= after + 1
    assert 695 <= final["finished_at_ms"] - final["started_at_ms"] < 5000


@pytest.mark.parametrize(
    ("write", "length", "why"),
    [
        ("head -c 180001 /dev/zero > $LAMBDA_EXECUTOR_RESULT_FILE", 180_001, "180001 bytes, more than the 180000"),
        ("mkdir $LAMBDA_EXECUTOR_RESULT_FILE", None, "not a regular file"),
    ],
)
def test_a_value_that_cannot_be_sent(shared: Function, write: str, length: int | None, why: str) -> None:
    """E9: no success without the value, not even in the return code."""
    for status, reason, return_code in ((0, "value_too_large", 1), (3, "exit", 3)):
        shared.send({"task_key": "k", "command": f"{write}; exit {status}"})
        [result] = shared.results(1)
        assert (result["reason"], result["return_code"]) == (reason, return_code)
        assert (result["value_dropped"], result.get("value_length"), result.get("value")) == (True, length, None)
        assert why in result["output_tail"]


def test_key_and_value(shared: Function) -> None:
    """E9: the key byte for byte, and the command's value."""
    key = '{"dag_id": "d\\u00fc", "try_number": 1} \u2028 日本 "'
    task = {"task_key": key, "command": 'printf "\\0value" > "$LAMBDA_EXECUTOR_RESULT_FILE"'}
    assert shared.run(task)[key]["value"] == "\0value"
