"""The types that a type checker infers in programs that use the package."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
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


Errors = list[tuple[int, str]]
Check = Callable[[str, Path], Errors]


def mypy(program: str, folder: Path) -> Errors:
    command = ["mypy", "--strict", "--python-version", "3.10"]
    return errors_in(program, folder, [*command, "--cache-dir", str(ROOT / "build" / "mypy-cache")])


def pyright(program: str, folder: Path) -> Errors:
    options = {"typeCheckingMode": "strict", "pythonVersion": "3.10", "extraPaths": [str(SOURCES)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(options))
    return errors_in(program, folder, ["pyright", "--pythonpath", sys.executable])


def errors_in(program: str, folder: Path, command: list[str]) -> Errors:
    """The errors that a type checker finds in a program, with their lines."""
    (folder / "program.py").write_text(program)
    process = subprocess.run(
        [sys.executable, "-m", *command, "program.py"],
        cwd=folder,
        env={"MYPYPATH": str(SOURCES), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert not process.stderr, process.stderr
    # Not those in other files: cloudpickle may or may not have types.
    found = re.findall(r"^(?:.*/)?program\.py:(\d+):.*?error: (.*)", process.stdout, re.MULTILINE)
    # 0 without errors, 1 with errors. With another status it did not work.
    assert process.returncode == min(len(re.findall("error: ", process.stdout)), 1), process.stdout
    return [(int(line), text) for line, text in found]


@pytest.mark.parametrize("check", [mypy, pyright])
def test_futures_as_keys_are_typed_with_as_completed_and_wait(check: Check, tmp_path: Path) -> None:
    assert check(TYPED, tmp_path) == []


@pytest.mark.parametrize(
    ("check", "texts"),
    [
        (mypy, ['"str" has no attribute "no_such_method"', '"Completed" has no attribute "no_such_field"']),
        (
            pyright,
            [
                'Cannot access attribute "no_such_method" for class "str"',
                'Cannot access attribute "no_such_field" for class "Completed"',
            ],
        ),
    ],
)
def test_mistakes_with_them_are_found(check: Check, texts: list[str], tmp_path: Path) -> None:
    found = check(WRONG, tmp_path)
    for line, text in zip([7, 8], texts):
        assert any(where == line and text in said for where, said in found), found
