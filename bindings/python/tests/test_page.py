"""docs/python.md: the list of classes and methods is complete, and the commands of the restart recipe always end."""

from __future__ import annotations

import enum
import inspect
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import pytest
from processes import PROGRAMS, ROOT, SOURCES, environment

import lambda_executor
from lambda_executor.aio import AsyncExecutor

PAGE = (ROOT / "docs" / "python.md").read_text()
RESTART = "Restart and adopt"
SECONDS = 60


def section(heading: str) -> str:
    """The text of a section, up to the next heading of the same or a higher level."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,3}} |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[2]


def rows(heading: str) -> list[list[str]]:
    """The first cells of its tables."""
    lines = [line for line in section(heading).splitlines() if line.startswith("| ") and line != "| | |"]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def names(cell: str) -> list[str]:
    """`queue(key, command)`, `wakeup_fd` -> queue, wakeup_fd"""
    return [quoted.partition("(")[0] for quoted in re.findall(r"`([^`]+)`", cell)]


def public(kind: type, *, inherited_from: type = object) -> set[str]:
    """Names of its members, including instance attributes."""
    members = {name for name in dir(kind) if not name.startswith("_") and name not in dir(inherited_from)}
    for base in kind.__mro__:
        if base.__module__.startswith("lambda_executor"):
            members.update(re.findall(r"self\.([a-z]\w*)(?:: [^=]+)? =", inspect.getsource(base)))
    return members


@pytest.mark.parametrize(
    ("kind", "inherited"),
    [
        (lambda_executor.Executor, object),
        (AsyncExecutor, object),
        (lambda_executor.LambdaPool, object),
        (lambda_executor.LambdaFuture, Future),
    ],
    ids=lambda kind: kind.__name__,
)
def test_each_method_is_listed(kind: type, inherited: type) -> None:
    listed = {name for first, *_ in rows(kind.__name__) for name in names(first)}
    expected = public(kind, inherited_from=inherited)
    # Methods of the standard library that do more here.
    expected |= listed & vars(kind).keys()
    assert listed == expected


def test_each_member_of_the_other_classes_is_listed() -> None:
    for first, text in rows("Other classes"):
        for kind in (getattr(lambda_executor, name) for name in names(first)):
            if issubclass(kind, enum.Enum):
                continue
            bases = {list: list, tuple: tuple, BaseException: BaseException}
            inherited = next((base for base in bases if issubclass(kind, base)), object)
            expected = public(kind, inherited_from=inherited)
            if kind is not lambda_executor.BrokenPool:
                assert expected <= set(names(text)), kind.__name__


def test_each_public_name_of_the_package_is_on_the_page() -> None:
    reference = PAGE[PAGE.index("## Reference") :]
    missing = [name for name in lambda_executor.__all__ if not re.search(rf"`{name}[`(]", reference)]
    assert missing == []


def recipe() -> str:
    found = re.findall(r"```sh\n(.*?)```", section(RESTART), re.DOTALL)
    assert len(found) == 1
    commands: str = found[0]
    return commands


def carry_out(folder: Path, shell: str) -> subprocess.CompletedProcess[str]:
    """Runs the page's commands with the page's program."""
    program = re.findall(r"```python\n(.*?)```", section(RESTART), re.DOTALL)
    assert len(program) == 1
    (folder / "program.py").write_text(program[0])
    binaries = folder / "bin"
    binaries.mkdir(exist_ok=True)
    (binaries / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (binaries / "python").chmod(0o755)
    variables = environment() | {
        "PATH": f"{binaries}:{folder / 'server'}:{os.environ['PATH']}",
        "PYTHONPATH": str(SOURCES),
        "TMPDIR": str(folder),
    }
    process = subprocess.Popen(
        [shell, "-c", recipe()],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, said = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        # Ends all processes of its session.
        os.killpg(process.pid, signal.SIGKILL)
        printed, said = process.communicate()
        raise AssertionError(f"the commands do not end: {printed}{said}") from None
    return subprocess.CompletedProcess(shell, process.returncode, printed, said)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_recipe_works_beside_the_file_of_an_earlier_run(tmp_path: Path, shell: str) -> None:
    (tmp_path / "server").symlink_to(PROGRAMS)
    (tmp_path / "local.env").write_text('export LAMBDA_EXECUTOR_CONFIG=\'{"of": "an earlier run"}\'\n')
    done = carry_out(tmp_path, shell)
    expected = "".join(re.findall(r"```text\n(.*?)```", section(RESTART), re.DOTALL))
    assert done.stdout == expected, done.stderr


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_recipe_ends_when_the_server_does_not_start(tmp_path: Path, shell: str) -> None:
    server = tmp_path / "server"
    server.mkdir()
    (server / "lambda-executor-local").write_text("#!/bin/sh\necho 'cannot start' >&2\nexit 1\n")
    (server / "lambda-executor-local").chmod(0o755)
    (tmp_path / "local.env").write_text('export LAMBDA_EXECUTOR_CONFIG=\'{"of": "an earlier run"}\'\n')
    done = carry_out(tmp_path, shell)
    assert "cannot start" in done.stderr
    assert "LAMBDA_EXECUTOR_CONFIG is not set: start lambda-executor-local" in done.stderr
    assert done.stdout == ""
