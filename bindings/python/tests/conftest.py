"""Fixtures of most tests."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import interpreters
import processes
import pytest

# Set before the package is imported.
os.environ["LAMBDA_EXECUTOR_LIBRARY"] = str(processes.LIBRARY)

from pool_support import Gate

from lambda_executor import Executor

# Background programs of a shell script ignore Ctrl-C, and so do their child processes. A signal that has a handler here
# has its default action in child processes.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

BUILTIN: dict[str, Any] = {"local": {"handler": "builtin"}}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a test with the argument `python` under this Python, the oldest and the newest version found, and one with
    the argument `each_python` under each version. For one that is expected and absent, the test is skipped."""
    found = interpreters.pythons()
    if "python" in metafunc.fixturenames:
        chosen = sorted({sys.version_info[:2], min(found), max(found)})
        metafunc.parametrize(
            "python", [found[version] for version in chosen], ids=[_name(version) for version in chosen]
        )
    if "each_python" in metafunc.fixturenames:
        versions = sorted({*found, *interpreters.EXPECTED})
        skipped = {version: pytest.mark.skip(_absent(version)) for version in versions if version not in found}
        metafunc.parametrize(
            "each_python",
            [pytest.param(found.get(version), marks=skipped.get(version, ())) for version in versions],
            ids=[_name(version) for version in versions],
        )


def pytest_terminal_summary(terminalreporter: Any) -> None:  # noqa: ANN401 - pytest has no public type for it
    for version in interpreters.EXPECTED:
        if version not in interpreters.pythons():
            terminalreporter.write_line(_absent(version))


def _name(version: interpreters.Version) -> str:
    return "this" if version == sys.version_info[:2] else ".".join(map(str, version))


def _absent(version: interpreters.Version) -> str:
    return f"no test ran under Python {version[0]}.{version[1]}: it is not on this machine"


@pytest.fixture
def builtin() -> Iterator[Executor]:
    """An executor whose tasks run without a process. Their executor_config sets duration and return code."""
    with Executor(BUILTIN) as executor:
        yield executor


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(tmp_path)
    yield gate
    gate.open()
