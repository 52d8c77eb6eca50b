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
    """Runs tests with the argument `python` under every interpreter found."""
    if "python" in metafunc.fixturenames:
        found = interpreters.pythons()
        names = ["this" if python == sys.executable else os.path.basename(python) for python in found]
        metafunc.parametrize("python", found, ids=names)


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
