"""Functions of a pool in processes that are forked from one with their modules loaded. Nothing else is different."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from pool_support import DEADLINE
from processes import SOURCES

from lambda_executor import LambdaPool, TaskFailed

# Functions of this file are pickled by value.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

#: A module that is slow to load: each load leaves a line, and the state that tasks must not share.
SLOW = """
import os

with open(os.environ["LOADS"], "a") as file:
    file.write(f"{os.getpid()}\\n")
LOADED_BY = os.getpid()
seen = []
"""


def squares(numbers: list[int]) -> tuple[list[int], list[int], bool]:
    import slow  # type: ignore[import-not-found]

    slow.seen.extend(numbers)
    return [number * number for number in numbers], slow.seen, os.getpid() == slow.LOADED_BY


def fails(text: str) -> None:
    import slow

    raise LookupError(text, slow.seen)


def exits(code: object) -> None:
    import slow

    print("last words", slow.seen)
    sys.exit(code)  # type: ignore[arg-type]


def dies() -> None:
    import slow

    assert slow.seen == []
    os.kill(os.getpid(), signal.SIGKILL)


class Sandbox:
    """A pool whose functions run one after another in one sandbox."""

    def __init__(self, folder: Path, preload: str) -> None:
        folder.mkdir()
        (folder / "slow.py").write_text(SLOW)
        self._loads, self._log = folder / "loads", folder / "log"
        env = {
            "LAMBDA_EXECUTOR_PRELOAD": preload,
            "LOADS": str(self._loads),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": f"{SOURCES}:{folder}",
        }
        local = {"env": env, "handler_output": str(self._log), "concurrency": 1}
        self.pool = LambdaPool({"local": local}, max_workers=1)

    def outcomes(self) -> list[Any]:
        """What becomes of each kind of function."""
        submit = self.pool.submit
        calls = [
            submit(squares, [1, 2]),
            submit(squares, [3]),
            submit(fails, "no such key"),
            submit(exits, 0),
            submit(exits, 3),
            submit(exits, "why"),
            submit(dies),
            submit(squares, [4]),
        ]
        return [_outcome(call) for call in calls]

    def loads(self) -> list[str]:
        return self._loads.read_text().splitlines()

    def log(self) -> str:
        return self._log.read_text()


def _outcome(future: Any) -> Any:  # noqa: ANN401 - of any type
    error = future.exception(DEADLINE)
    if error is None:
        # Without the process that has loaded the module.
        return future.result()[:2]
    if isinstance(error, TaskFailed):
        # Output and errors are two pipes: their pieces arrive in any order. Without the names of task and log stream.
        pieces = "".join(sorted(error.output.replace("/cold/", "/warm/")))
        return error.reason, error.return_code, error.signal, pieces, str(error).split(": ", 1)[1].split(", log")[0]
    return type(error), error.args, str(error.__cause__)


@pytest.fixture
def warm(tmp_path: Path) -> Any:  # noqa: ANN401 - a generator of Sandbox
    sandbox = Sandbox(tmp_path / "warm", "lambda_executor.run,slow")
    with sandbox.pool:
        yield sandbox


@pytest.fixture
def cold(tmp_path: Path) -> Any:  # noqa: ANN401 - a generator of Sandbox
    sandbox = Sandbox(tmp_path / "cold", "")
    with sandbox.pool:
        yield sandbox


def test_a_module_is_loaded_once_for_all_functions(warm: Sandbox) -> None:
    calls = [warm.pool.submit(squares, [number]) for number in range(5)]
    # Each finds the module as it was loaded, by another process.
    assert [call.result(DEADLINE) for call in calls] == [([n * n], [n], False) for n in range(5)]
    assert len(warm.loads()) == 1
    assert "a new interpreter is started" not in warm.log()


def test_functions_end_as_they_would(warm: Sandbox, cold: Sandbox) -> None:
    expected = cold.outcomes()
    assert len(cold.loads()) == 8
    assert expected[0] == ([1, 4], [1, 2])
    assert [outcome[1] for outcome in expected[3:7]] == [0, 3, 1, -9]
    found = warm.outcomes()
    assert [_places_removed(outcome) for outcome in found] == [_places_removed(outcome) for outcome in expected]
    assert len(warm.loads()) == 1
    assert "a new interpreter is started" not in warm.log()


def _places_removed(outcome: Any) -> Any:  # noqa: ANN401 - of any type
    """Where the module is on disk differs between the two sandboxes."""
    return tuple(part.replace("/cold/", "/warm/") if isinstance(part, str) else part for part in outcome)
