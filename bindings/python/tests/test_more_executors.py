"""The wrappers of the package more-executors around a pool: retries, transformed results, a limit, a timeout."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import cloudpickle
import pytest
from pool_support import DEADLINE, Gate, local

from lambda_executor import LambdaPool

# It has no types.
more_executors = importlib.import_module("more_executors")

# Functions of this file are pickled by value.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


@pytest.fixture
def pool() -> Iterator[LambdaPool]:
    with LambdaPool(local(), max_workers=2) as pool:
        yield pool


def succeeds_at_the_third_time(file: Path) -> int:
    attempts = int(file.read_text()) + 1
    file.write_text(str(attempts))
    if attempts < 3:
        raise OSError(f"attempt {attempts}")
    return attempts


def test_retries_and_transformed_results(pool: LambdaPool, tmp_path: Path) -> None:
    file = tmp_path / "attempts"
    file.write_text("0")
    mapped = more_executors.Executors.with_map(pool, lambda attempts: f"{attempts} attempts")
    retrying = mapped.with_retry(max_attempts=5, sleep=0.01, max_sleep=0.01)
    assert retrying.submit(succeeds_at_the_third_time, file).result(DEADLINE) == "3 attempts"
    with pytest.raises(ValueError, match="invalid literal for int"):
        mapped.submit(int, "not a number").result(DEADLINE)


def test_a_limit_and_its_shutdown(pool: LambdaPool) -> None:
    # One at a time. Its shutdown is that of the pool.
    with more_executors.Executors.with_throttle(pool, 1).with_cancel_on_shutdown() as throttled:
        futures = [throttled.submit(pow, 2, exponent) for exponent in range(4)]
        assert [future.result(DEADLINE) for future in futures] == [1, 2, 4, 8]
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        pool.submit("true")


def test_a_timeout_cancels_what_waits(pool: LambdaPool, gate: Gate) -> None:
    limited = more_executors.Executors.with_timeout(pool, 0.1)
    for _ in range(2):
        pool.submit(gate.command())
    with pytest.raises(CancelledError):
        limited.submit("true").result(DEADLINE)
    gate.open()
