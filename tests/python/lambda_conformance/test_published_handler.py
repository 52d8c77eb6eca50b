"""The handler file that Airflow publishes for its executor runs unchanged, with the library as its scheduler.

It answers only with key and return code; the library adds all other
details itself.
"""

import json
from pathlib import Path
from typing import Any

import published_handler
import pytest
import servers
from library import run_tasks
from messages import messages

from .conftest import QUICK, Start

# A key of Airflow below 3.4; it must come back byte for byte.
KEY = '{"dag_id": "d\\u00fc", "task_id": "t", "run_id": "manual__1", "try_number": 1, "map_index": -1}'


@pytest.fixture(scope="module")
def handler() -> Path:
    return published_handler.find()


@pytest.fixture
def options(handler: Path, tmp_path: Path) -> dict[str, Any]:
    return {
        **QUICK,
        **published_handler.options(handler, tmp_path / "home"),
        "handler_output": str(tmp_path / "handler.log"),
    }


def config(server: servers.LocalServer) -> dict[str, Any]:
    return {
        "function_name": server.function_name,
        "queue_url": server.queue_url,
        "dead_letter_queue_url": server.dead_letter_queue_url,
    }


def final_of(server: servers.LocalServer, command: object) -> dict[str, Any]:
    """The final event of a task with this command."""
    return run_tasks(server, config(server), [{"task_key": KEY, "command": command}], check_health=True)[KEY]


def test_each_ends_as_its_command(start: Start, options: dict[str, Any], tmp_path: Path) -> None:
    """Success, failure, signal, no such program; lists and strings."""
    server = start(**options)
    commands: dict[str, tuple[object, int]] = {
        KEY: (["true"], 0),
        "failure": (["sh", "-c", "exit 3"], 3),
        "string": ("[ $((1 + 1)) = 2 ] && exit 4", 4),
        "string that succeeds": ("true && true", 0),
        "signal": (["sh", "-c", "kill -9 $$"], -9),
        "no such program": (["/no/such/program"], 1),
        # Its result for output that is not UTF-8 (row E4), although the command exited with 0.
        "not UTF-8": ("printf '\\377'", 1),
    }
    tasks = [{"task_key": key, "command": command} for key, (command, _) in commands.items()]
    finals = run_tasks(server, config(server), tasks, check_health=True)
    for key, (_, code) in commands.items():
        final = finals[key]
        assert final["state"] == ("failed" if code else "succeeded"), key
        assert (final["has_return_code"], final["return_code"]) == (1, code), key
        # Python's representation of a signal.
        assert (final["reason"], final["signal"]) == (("signal", -code) if code < 0 else ("exit", 0)), key
        # Its answer has no such fields; the request id is that of the Invoke.
        assert (final["output_tail"], final["log_stream"], final["started_at_ms"]) == ("", "", 0), key
        assert final["request_id"], key
    assert server.stats()["dead_letters"] == 0
    assert Path(tmp_path / "home").is_dir(), "the published file must have run"
    assert b"Received event" in (tmp_path / "handler.log").read_bytes()


@pytest.mark.parametrize("variables", [{"QUEUE_URL": ""}, {"AIRFLOW__AWS_LAMBDA_EXECUTOR__QUEUE_URL": ""}])
def test_without_a_queue_a_dead_letter_reports_it(
    start: Start, options: dict[str, Any], tmp_path: Path, variables: dict[str, str]
) -> None:
    """The handler fails after the command has run, so the command runs in each of Lambda's tries (row E10)."""
    server = start(**{**options, "env": {**options["env"], **variables}})
    runs = tmp_path / "runs"
    final = final_of(server, f"echo run >> {runs}")
    assert (final["state"], final["reason"]) == ("failed", "dead_letter")
    assert (final["has_return_code"], final["return_code"]) == (0, 0)
    assert "No Queue URL detected" in final["message"]
    assert final["request_id"]
    assert runs.read_text().split() == ["run"] * 3


def test_a_handler_that_is_killed_is_a_dead_letter(start: Start, options: dict[str, Any]) -> None:
    server = start(**options, maximum_retry_attempts=0)
    final = final_of(server, "kill -9 $PPID")
    assert (final["state"], final["reason"]) == ("failed", "dead_letter")
    assert "signal: 9" in final["message"]
    # A new process handles the next event.
    assert final_of(server, ["true"])["state"] == "succeeded"


def test_a_handler_over_its_time_is_a_dead_letter(start: Start, options: dict[str, Any]) -> None:
    """Lambda ends the sandbox: the handler has no time limit of its own (row E7)."""
    server = start(**options, maximum_retry_attempts=0, timeout_ms=1500)
    final = final_of(server, ["sleep", "60"])
    assert (final["state"], final["reason"]) == ("failed", "dead_letter")
    assert "timed out" in final["message"]


def test_several_tasks_in_one_event_run_nothing_and_are_then_sent_one_by_one(
    start: Start, options: dict[str, Any], tmp_path: Path
) -> None:
    """A route that is configured for batches by mistake: no task is run in part, twice, or not at all."""
    server = start(**options)
    runs = tmp_path / "runs"
    tasks = [{"task_key": f"k{n}", "command": f"echo {n} >> {runs}; exit {n}"} for n in range(3)]
    batches = {"batch_size": 3, "batch_wait_ms": 60_000}
    finals = run_tasks(server, {**config(server), **batches}, tasks, check_health=True)
    assert [finals[f"k{n}"]["return_code"] for n in range(3)] == [0, 1, 2]
    assert sorted(runs.read_text().split()) == ["0", "1", "2"]
    assert server.stats()["invocations"] == 4


def test_by_boto3(start: Start, options: dict[str, Any]) -> None:
    """Its answer has two fields, as in the contract."""
    server = start(**options)
    event = {"task_key": KEY, "command": ["sh", "-c", "exit 3"], "executor_config": {}, "attempt_id": "ignored"}
    server.awslambda().invoke(
        FunctionName=server.function_name, InvocationType="Event", Payload=json.dumps(event).encode()
    )
    assert json.loads(messages(server, server.queue_url, 1)[0]["Body"]) == {"task_key": KEY, "return_code": 3}
