"""Tasks of a pool whose process has ended are adopted by a pool of another process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pool_support import DEADLINE, Gate, builtin
from processes import PROGRAMS, SOURCES, environment

from lambda_executor import InvalidArgumentError, LambdaPool, ValueNotSigned, new_attempt_id

SECRET = b"a secret that is kept"

FIRST = """
import sys, time
from lambda_executor import LambdaPool

config, command, secret = sys.argv[1:]

def slow(command):
    import subprocess
    subprocess.run(command, shell=True, check=True)
    return {"from": "the first process"}

pool = LambdaPool(config, python=sys.executable, secret=secret.encode())
for key, future in (
    ("command", pool.options(key="command").submit(command)),
    ("function", pool.options(key="function").submit(slow, command)),
):
    deadline = time.monotonic() + 60
    while not future.running():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    print(key, future.attempt_id, flush=True)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The configuration of a Lambda that outlives a pool."""
    ready = tmp_path / "ready.json"
    process = subprocess.Popen(
        [PROGRAMS / "lambda-executor-local", "--exit-with-stdin", "--ready-file", ready, "--concurrency", "2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=environment() | {"PYTHONPATH": str(SOURCES)},
    )
    try:
        deadline = time.monotonic() + DEADLINE
        while not ready.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        told = json.loads(ready.read_text())
        credentials = {name: told[name] for name in ("access_key_id", "secret_access_key")}
        yield {**told["config"], "credentials": credentials}
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait(DEADLINE)


def leave_tasks_behind(server: dict[str, Any], gate: Gate) -> dict[str, str]:
    """Attempt ids by key."""
    command = [sys.executable, "-c", FIRST, json.dumps(server), gate.command("echo done"), SECRET.decode()]
    first = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=DEADLINE)
    assert first.returncode == 0, first.stderr
    assert "2 continue in Lambda" in first.stderr
    return dict(line.split() for line in first.stdout.splitlines())


def test_command_and_function_are_adopted(server: dict[str, Any], tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    attempts = leave_tasks_behind(server, gate)
    with LambdaPool(server, secret=SECRET) as pool:
        command = pool.adopt("command", attempts["command"])
        function = pool.adopt("function", attempts["function"], function=True)
        assert command.running()
        assert not command.cancel()
        gate.open()
        assert command.result(DEADLINE).output == "done\n"
        assert function.result(DEADLINE) == {"from": "the first process"}


def test_the_result_timeout_of_an_adopted_task(server: dict[str, Any]) -> None:
    with LambdaPool(server) as pool:
        with pytest.raises(InvalidArgumentError, match="result_timeout: 0 s is not more than 0"):
            pool.adopt("k", result_timeout=0)
        future = pool.adopt("k", new_attempt_id(), result_timeout=600)
        # LOST comes a little after the timeout. The option's default is 6.5 h.
        assert 600_000 <= pool.executor.describe("k")["deadline_in_ms"] < 1_000_000
        assert future.abandon()


def test_a_function_is_not_adopted_without_its_attempt_id() -> None:
    with LambdaPool(builtin(), secret=SECRET) as pool, pytest.raises(ValueError, match="attempt_id is required"):
        pool.adopt("function", function=True)  # type: ignore[call-overload]


def test_a_function_is_not_adopted_without_the_secret(server: dict[str, Any], tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    attempts = leave_tasks_behind(server, gate)
    with LambdaPool(server) as pool:
        gate.open()
        error = pool.adopt("function", attempts["function"], function=True).exception(DEADLINE)
        assert isinstance(error, ValueNotSigned), repr(error)
        assert "LambdaPool(secret=...)" in str(error)
        assert pool.adopt("command", attempts["command"]).result(DEADLINE).output == "done\n"


KILLED = """
import os, sys
from lambda_executor import LambdaPool

pool = LambdaPool(sys.argv[1], acknowledge=sys.argv[2])
future = pool.options(key="command").submit("echo done")
assert future.result(60).output == "done\\n"
print(future.attempt_id, flush=True)
os._exit(0)
"""


def test_a_result_that_was_not_acknowledged_outlives_a_killed_process(server: dict[str, Any]) -> None:
    command = [sys.executable, "-c", KILLED, json.dumps(server), "manual"]
    first = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=DEADLINE, check=True)
    with LambdaPool(server) as pool:
        # Within 20 s, for which the message is hidden.
        completed = pool.adopt("command", first.stdout.strip()).result(DEADLINE)
        assert completed.output == "done\n"
