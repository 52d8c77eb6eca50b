"""Secrets of events do not reach the log or the dead letter queue's error."""

import json
from pathlib import Path
from typing import Any

import pytest
import servers

from .conftest import Function, Start, yes

TOKEN = "eyJhbGciOiJIUzI1NiJ9.a-secret-token"
AIRFLOW = ["-m", "airflow.sdk.execution_time.execute_workload", "--json-string"]


def airflow(program: str, padding: int = 0) -> list[str]:
    return [program, *AIRFLOW, json.dumps({"token": TOKEN, "pad": "p" * padding})]


TASKS: list[dict[str, Any]] = [
    {"task_key": "succeeds", "command": airflow("true"), "executor_config": {"token": TOKEN}},
    {"task_key": "fails", "command": airflow("false")},
    {"task_key": "in a file", "command": airflow("true", 200_000)},
    {"task_key": "by the shell", "command": f"TOKEN={TOKEN} true"},
    {"task_key": "no such program", "command": airflow("/no/such/program")},
    {"task_key": "too large", "command": ["true", TOKEN * 10_000]},
    {"task_key": "over time", "command": ["sh", "-c", "exec sleep 60", TOKEN], "timeout_ms": 200},
]


def test_no_event_puts_its_token_into_the_log(start: Start) -> None:
    """E3: with every outcome the log has only the key and the program's name."""
    function = start()
    finals = function.run(*TASKS)
    states = {key: final["return_code"] for key, final in finals.items()}
    assert states == {
        **{"succeeds": 0, "fails": 1, "in a file": 0, "by the shell": 0},
        **{"no such program": 127, "too large": 126, "over time": 124},
    }
    assert TOKEN not in json.dumps(finals)
    lines = [json.loads(line) for line in function.log.splitlines()]
    programs = {line["task_key"]: line["program"] for line in lines if line["message"] == "task received"}
    assert programs["succeeds"] == "true"
    assert programs["no such program"] == "/no/such/program"
    assert TOKEN not in programs["by the shell"]
    assert programs.keys() == finals.keys()
    assert TOKEN.encode() not in function.log


@pytest.mark.parametrize(
    "event",
    [
        {"command": ["true", TOKEN]},
        {"task_key": {"token": TOKEN}, "command": ["true"]},
        {"task_key": 1, TOKEN: TOKEN},
        [TOKEN],
        TOKEN,
    ],
    ids=["no key", "key no string", "key a number", "list", "string"],
)
def test_an_event_without_a_key_leaks_no_token(shared: Function, event: object) -> None:
    """E3, E6: neither the log nor the error in the dead letter has the token."""
    error = shared.call(event)
    assert error["errorType"] == "LambdaExecutor.BadEvent"
    assert TOKEN not in json.dumps(error)
    assert TOKEN.encode() not in shared.log


@pytest.mark.parametrize(
    "fields",
    [
        {"command": TOKEN + "\0"},
        {"command": {"token": TOKEN}},
        {"command": ["true", 5, TOKEN]},
        {"command": ["true"], "executor_config": TOKEN},
        {"command": ["true"], "timeout_ms": TOKEN},
        {"command": ["true"], "attempt_id": TOKEN + " "},
        {"command": ["true"], "reply_to": [TOKEN]},
    ],
    ids=lambda fields: list(fields)[-1],
)
def test_an_invalid_event_leaks_no_token(shared: Function, fields: dict[str, object]) -> None:
    """E3, E6"""
    shared.send({"task_key": "k", **fields})
    [result] = shared.results(1)
    assert result["reason"] == "bad_event"
    assert TOKEN not in json.dumps(result)
    assert TOKEN.encode() not in shared.log


def test_a_failed_report_leaks_no_token(start: Start, tmp_path: Path) -> None:
    """E3, E1: neither the function's log nor the local server's log has the token."""
    function = start(timeout_ms=1500)
    function.server.faults(sqs={"error": 1.0})
    function.send({"task_key": "k", "command": airflow("true")})
    servers.until("failed", lambda: yes(function.server.stats()["function_errors"]))
    function.server.faults()
    event, error = function.dead_letter()
    assert TOKEN in event
    assert "the result was not sent" in error
    assert TOKEN not in error
    assert b"cannot be sent yet" in function.log
    assert TOKEN.encode() not in function.log
    assert TOKEN not in (tmp_path / "local" / "local.log").read_text()
