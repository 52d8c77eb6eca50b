"""Many futures of LambdaPool: map, as_completed and wait."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterator
from pathlib import Path

import pytest
from pool_support import DEADLINE, Gate, builtin, local, wait_until_running

from lambda_executor import LambdaPool, PayloadTooLargeError, TaskFailed


def test_map_keeps_the_order(gate: Gate) -> None:
    with LambdaPool(local(concurrency=4)) as pool:
        results = pool.map([gate.command("echo 0"), "echo 1", "echo 2"], timeout=DEADLINE)
        gate.open()
        assert [result.output for result in results] == ["0\n", "1\n", "2\n"]


def test_map_cancels_what_waits_when_one_fails(gate: Gate, tmp_path: Path) -> None:
    with LambdaPool(local(), max_workers=2) as pool:
        waits = gate.command()
        results = pool.map(["exit 3", waits, waits, f"touch '{tmp_path}/ran'"], timeout=DEADLINE)
        with pytest.raises(TaskFailed):
            next(results)
        gate.open()
    assert not (tmp_path / "ran").exists()


def test_map_cancels_what_waits_when_time_is_over(gate: Gate, tmp_path: Path) -> None:
    with LambdaPool(local(), max_workers=1) as pool:
        results = pool.map([gate.command(), f"touch '{tmp_path}/ran'"], timeout=0.1)
        with pytest.raises(concurrent.futures.TimeoutError):
            next(results)
        gate.open()
    assert not (tmp_path / "ran").exists()


def test_map_cancels_also_the_one_whose_result_was_not_there_in_time(gate: Gate, tmp_path: Path) -> None:
    with LambdaPool(local(), max_workers=1) as pool:
        wait_until_running(pool.submit(gate.command()))
        results = pool.map([f"touch '{tmp_path}/ran'"], timeout=0.1)
        with pytest.raises(concurrent.futures.TimeoutError):
            next(results)
        gate.open()
    assert not (tmp_path / "ran").exists()


def test_map_refuses_a_chunksize_for_commands() -> None:
    with LambdaPool(builtin()) as pool:
        with pytest.raises(ValueError, match="map: chunksize is only for functions: each command is a task of its own"):
            pool.map(["true"], chunksize=2)  # type: ignore[call-overload]
        assert len(list(pool.map(["true"], chunksize=1))) == 1  # type: ignore[call-overload]


def test_map_with_a_buffer_takes_no_more_commands_than_it_needs() -> None:
    taken = []

    def commands() -> Iterator[str]:
        for n in range(100):
            taken.append(n)
            yield "true"

    with LambdaPool(builtin()) as pool:
        results = pool.map(commands(), buffersize=5)
        assert len(taken) == 5
        next(results)
        assert len(taken) == 6
        assert sum(1 for _ in results) == 99


def test_map_takes_back_what_it_submitted_when_one_is_refused(gate: Gate, tmp_path: Path) -> None:
    with LambdaPool({**local(), "max_payload_bytes": 1000}, max_workers=1) as pool:
        wait_until_running(pool.submit(gate.command()))
        with pytest.raises(PayloadTooLargeError):
            pool.map([f"touch '{tmp_path}/ran'", ["echo", "x" * 1000]])
        gate.open()
    assert not (tmp_path / "ran").exists()


def test_map_wants_commands_and_not_one_command() -> None:
    with LambdaPool(builtin()) as pool, pytest.raises(TypeError, match="one iterable of commands"):
        pool.map("echo")


def test_as_completed_and_wait(gate: Gate) -> None:
    with LambdaPool(local(concurrency=3)) as pool:
        late = pool.submit(gate.command())
        early = pool.submit("true")
        done, rest = concurrent.futures.wait([late, early], DEADLINE, concurrent.futures.FIRST_COMPLETED)
        assert (done, rest) == ({early}, {late})
        order = concurrent.futures.as_completed([late, early], DEADLINE)
        assert next(order) is early
        gate.open()
        assert next(order) is late
