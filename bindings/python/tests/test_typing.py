"""The types that a type checker infers in programs that use the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from processes import ROOT, SOURCES

TYPED = """
from collections.abc import Iterator
from concurrent.futures import Future

from lambda_executor import Completed, LambdaFuture, LambdaPool, Summary, as_completed, wait

with LambdaPool({"local": {}}, retries=1, retry_on=(OSError, LookupError)) as pool:
    commands: dict[LambdaFuture[Completed], str] = {}
    for command in ("true", "false"):
        commands[pool.submit(command)] = command
    names = {pool.submit(command): command for command in ("true", "false")}
    for future in as_completed(names, timeout=3):
        text: str = names[future] + future.key + future.result().output
    done, not_done = wait(names)
    keys: list[str] = [names[future] + future.attempt_id for future in done | not_done]
    options = pool.options(env={"A": "1"}, retry_on=lambda error: "net" in str(error))
    number: LambdaFuture[int] = options.submit(pow, 2, 3)
    number.add_running_callback(lambda future: print(future.attempt_id))
    lines: Iterator[Completed] = pool.map(["true"])
    numbers: Iterator[int] = pool.map(len, ["a"], chunksize=3)
    summary: Summary = pool.summary()
    plain: list[Future[Completed]] = list(as_completed([Future[Completed]()]))
"""

WRONG = """
from lambda_executor import LambdaPool, as_completed

with LambdaPool({"local": {}}) as pool:
    names = {pool.submit(command): command for command in ("true", "false")}
    for future in as_completed(names):
        names[future].no_such_method()
        future.result().no_such_field
"""


def checked(program: str, folder: Path) -> str:
    """mypy's output for a program."""
    pytest.importorskip("mypy", reason="mypy is not installed in this environment")
    file = folder / "program.py"
    file.write_text(program)
    command = [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.10", "--no-error-summary"]
    command += ["--cache-dir", str(ROOT / "build" / "mypy-cache"), "--hide-error-context", "program.py"]
    process = subprocess.run(
        command, cwd=folder, env={"MYPYPATH": str(SOURCES), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert not process.stderr, process.stderr
    # cloudpickle may or may not have types.
    return "".join(line for line in process.stdout.splitlines(keepends=True) if line.startswith("program.py"))


def test_futures_as_keys_are_typed_with_as_completed_and_wait(tmp_path: Path) -> None:
    assert checked(TYPED, tmp_path) == ""


def test_mistakes_with_them_are_found(tmp_path: Path) -> None:
    found = checked(WRONG, tmp_path)
    assert 'program.py:7: error: "str" has no attribute "no_such_method"' in found
    assert 'program.py:8: error: "Completed" has no attribute "no_such_field"' in found
