"""Shared by the tests of LambdaPool: configurations, gates for tasks, and a wait for a condition."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from processes import SOURCES

from lambda_executor import Completed, LambdaFuture

#: Deadline of every wait in seconds, for a busy machine. It has no effect on tests that pass.
DEADLINE = 60.0


def local(**options: Any) -> dict[str, Any]:  # noqa: ANN401 - options of `local`, whatever they are
    """Real commands and functions on this machine. Functions import the package that is tested."""
    return {"local": {"env": {"PYTHONPATH": str(SOURCES)}, **options}}


def builtin(**options: Any) -> dict[str, Any]:  # noqa: ANN401 - options of `local`, whatever they are
    """Without processes: each task succeeds immediately, unless `builtin` in its executor_config says otherwise."""
    return {"local": {"handler": "builtin", **options}}


class Gate:
    """Commands that wait until the test opens the gate."""

    def __init__(self, folder: Path) -> None:
        self._opened = folder / "opened"
        self._folder = folder

    def command(self, after: str = "true") -> str:
        """A command that waits, then runs `after`. It has a time limit, for tests that fail."""
        return (
            f"i=0; until [ -e '{self._opened}' ]; do sleep 0.02; i=$((i+1)); [ $i -lt 10000 ] || exit 9; done; {after}"
        )

    def open(self) -> None:
        self._opened.touch()


def wait_until(condition: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    """Waits until the condition is true. Fails after the deadline."""
    pause = threading.Event()
    for _ in range(int(DEADLINE * 100)):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail(otherwise())


def wait_until_running(future: LambdaFuture[Completed]) -> None:
    wait_until(future.running, lambda: f"{future} does not run")
