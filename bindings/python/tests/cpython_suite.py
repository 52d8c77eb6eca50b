"""Runs the tests of concurrent.futures that come with this interpreter against LambdaPool.

cpython_suite.py MIXIN: prints a line of JSON with the outcome of each test of the mixin: "passed", "skipped: ..." or
the traceback.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import sys
import time
import unittest
from types import ModuleType
from typing import Any

import interpreters
from cpython_deviations import NOT_RUN

from lambda_executor import LambdaPool, TaskFailed

#: The module of each mixin since Python 3.12. Before, all are in one module.
MODULES = {
    "ExecutorTest": "executor",
    "AsCompletedTests": "test_as_completed",
    "WaitTests": "test_wait",
    "ExecutorShutdownTest": "test_shutdown",
    "ExecutorDeadlockTest": "test_deadlock",
}

BEGIN_SECONDS = 60


class LocalPool(LambdaPool):
    """A pool with the constructor that the tests call. It ignores the context of multiprocessing."""

    def __init__(self, max_workers: int | None = None, mp_context: object = None) -> None:
        # Each sandbox has one Python process, which forks a process for each task.
        env = {"PYTHONPATH": os.environ["PYTHONPATH"], "LAMBDA_EXECUTOR_PRELOAD": "lambda_executor.run"}
        super().__init__({"local": {"env": env}}, max_workers=max_workers)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Acts only after a task has begun. A test expects that one does before it cancels the others. Here tasks
        begin on a thread of the library, which may come to them late on a busy machine."""
        futures = list(self._loop._pending.values()) if cancel_futures else []
        deadline = time.monotonic() + BEGIN_SECONDS
        while futures and not any(future.running() or future.done() for future in futures):
            if time.monotonic() > deadline:
                raise AssertionError(f"no task has begun within {BEGIN_SECONDS} s: {self.executor.counts()}")
            time.sleep(0.01)
        super().shutdown(wait, cancel_futures=cancel_futures)


class Outcomes(unittest.TestResult):
    """The outcome of each test."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: dict[str, str] = {}

    def addSuccess(self, test: unittest.TestCase) -> None:
        self.outcomes.setdefault(test._testMethodName, "passed")

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ANN401 - sys.exc_info()
        self.outcomes[test._testMethodName] = self._exc_info_to_string(err, test)  # type: ignore[attr-defined]

    addFailure = addError

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self.outcomes[test._testMethodName] = f"skipped: {reason}"

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:  # noqa: ANN401
        if err is not None:
            self.addError(test, err)


def module_of(mixin: str) -> ModuleType:
    package = importlib.import_module(interpreters.TESTS)
    return package if hasattr(package, mixin) else importlib.import_module(f"{interpreters.TESTS}.{MODULES[mixin]}")


def adapt(module: ModuleType) -> None:
    """Replaces exceptions, see cpython_deviations, and makes the tests' programs import our pool."""
    vars(module).update(
        BrokenProcessPool=TaskFailed, SystemExit=TaskFailed, PicklingError=(pickle.PicklingError, TaskFailed)
    )
    started = getattr(module, "assert_python_ok", None)
    if started is not None:
        variables = {name: os.environ[name] for name in ("PYTHONPATH", "LAMBDA_EXECUTOR_LIBRARY")}

        def assert_python_ok(option: str, program: str) -> Any:  # noqa: ANN401 - a tuple of the helper
            ours = program.replace("from concurrent.futures import", "from cpython_suite import")
            return started(option, ours, **variables)

        vars(module)["assert_python_ok"] = assert_python_ok


def run(mixin: str) -> dict[str, str]:
    module = module_of(mixin)
    adapt(module)

    def set_up(self: Any) -> None:  # noqa: ANN401 - has the attributes that the mixins expect
        self.executor = self.executor_type(max_workers=self.worker_count)

    def tear_down(self: Any) -> None:  # noqa: ANN401 - as above
        self.executor.shutdown(wait=True)

    members = {
        "executor_type": LocalPool,
        "worker_count": 5,
        "setUp": set_up,
        "tearDown": tear_down,
        "get_context": lambda _: None,
    }
    case: Any = type(mixin, (getattr(module, mixin), unittest.TestCase), members)
    names = [name for name in unittest.TestLoader().getTestCaseNames(case) if f"{mixin}.{name}" not in NOT_RUN]
    result = Outcomes()
    unittest.TestSuite(map(case, names)).run(result)
    return result.outcomes


if __name__ == "__main__":
    # Programs of the tests import this module by that name.
    sys.modules["cpython_suite"] = sys.modules["__main__"]
    print(json.dumps(run(sys.argv[1])))
