"""The examples, run as a user runs them, and their output."""

from __future__ import annotations

import math
import re
import subprocess
import sys

import pytest
from processes import ROOT, SECONDS, environment

EXAMPLES = ROOT / "bindings" / "python" / "examples"


def run(name: str, *arguments: str, text: str = "", status: int = 0) -> str:
    """The output of an example."""
    process = subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments],
        input=text,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=SECONDS,
    )
    assert process.returncode == status, process.stderr
    return process.stdout


def test_commands() -> None:
    printed = run("commands.py", text="# a comment\n\necho one\nexit 3\necho two\n", status=1)
    assert sorted(printed.splitlines()) == [
        "failed  exit 3: exit, return code 3",
        "ok      echo one: one",
        "ok      echo two: two",
    ]
    assert run("commands.py", text="true\n") == "ok      true: \n"


def test_functions() -> None:
    lines = run("functions.py", "20000").splitlines()
    assert abs(float(lines[0].removeprefix("pi is about ")) - math.pi) < 0.05
    assert lines[1:] == [
        "parsing: ValueError: invalid literal for int() with base 10: 'not a number'",
        "raised in parse",
    ]


def test_asyncio() -> None:
    lines = run("asyncio_events.py").splitlines()
    assert sorted(lines) == sorted(
        [
            "task 0: running",
            "task 0: succeeded one",
            "task 1: running",
            "task 1: succeeded two",
            "some other work was done meanwhile",
        ]
    )
    assert run("asyncio_events.py", "exit 3", status=1).splitlines()[:2] == ["task 0: running", "task 0: failed"]


def test_dask() -> None:
    assert run("dask_on_lambda.py").splitlines() == ["4 the", "2 fox", "1 brown"]


def test_joblib() -> None:
    assert run("joblib_on_lambda.py", "2000") == "303 primes, the last is 1999\n"


def test_apscheduler() -> None:
    lines = run("apscheduler_on_lambda.py").splitlines()
    assert lines.count("sum returned 6") == 2
    assert [line for line in lines if line.startswith("wrong failed: TypeError(")]


def test_the_list_of_examples_is_whole() -> None:
    listed = re.findall(r"\]\((\w+\.py)\)", (EXAMPLES / "README.md").read_text())
    assert sorted(listed) == sorted(path.name for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("name", ["dask_on_lambda.py", "joblib_on_lambda.py"])
def test_they_really_use_lambda(name: str) -> None:
    """A function without Python: the example prints nothing and fails."""
    config = '{"local": {"handler": "builtin", "builtin": {"return_code": 9}}}'
    process = subprocess.run(
        [sys.executable, EXAMPLES / name],
        capture_output=True,
        text=True,
        env={**environment(), "LAMBDA_EXECUTOR_CONFIG": config},
        timeout=SECONDS,
    )
    assert process.returncode == 1
    assert "TaskFailed" in process.stderr
