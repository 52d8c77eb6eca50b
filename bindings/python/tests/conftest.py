"""What most tests start from."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import processes
import pytest

# Before anything imports the package.
os.environ["LAMBDA_EXECUTOR_LIBRARY"] = str(processes.LIBRARY)

from pool_support import Gate

from lambda_executor import Executor

# Programs started in the background of a script ignore Ctrl-C, and so would those that they start. One that is handled
# here has its default there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

BUILTIN: dict[str, Any] = {"local": {"handler": "builtin"}}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that ask for `python` run under every interpreter that is at hand."""
    if "python" in metafunc.fixturenames:
        found = processes.pythons()
        names = ["this" if python == sys.executable else os.path.basename(python) for python in found]
        metafunc.parametrize("python", found, ids=names)


@pytest.fixture
def builtin() -> Iterator[Executor]:
    """An executor whose tasks need no process: they take and return what their executor_config says."""
    with Executor(BUILTIN) as executor:
        yield executor


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(tmp_path)
    yield gate
    gate.open()
