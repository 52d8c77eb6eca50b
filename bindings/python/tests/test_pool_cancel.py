"""Cancelling and abandoning futures of LambdaPool."""

from __future__ import annotations

import concurrent.futures
import threading
from pathlib import Path

import pytest
from pool_support import DEADLINE, Gate, builtin, local, wait_until_running

from lambda_executor import Completed, LambdaFuture, LambdaPool, State, TaskCancelled


def test_what_waits_is_cancelled_for_good(gate: Gate, tmp_path: Path) -> None:
    with LambdaPool(local(), max_workers=1) as pool:
        first = pool.submit(gate.command())
        wait_until_running(first)
        second = pool.submit(f"touch '{tmp_path}/ran'")
        called = threading.Event()
        second.add_done_callback(lambda _: called.set())
        assert second.cancel()
        assert second.cancel(), "again is fine"
        assert second.cancelled()
        assert called.is_set()
        # As in the standard library, a wait for it ends, and raises.
        assert concurrent.futures.wait([second], DEADLINE).done == {second}
        with pytest.raises(concurrent.futures.CancelledError):
            second.result(DEADLINE)
        gate.open()
    assert not (tmp_path / "ran").exists()
    assert first.result(0).return_code == 0


def test_what_runs_is_not_cancelled_but_can_be_abandoned(gate: Gate) -> None:
    with LambdaPool(local(), max_workers=1) as pool:
        future = pool.submit(gate.command())
        wait_until_running(future)
        assert not future.cancel()
        assert future.running()
        assert future.abandon()
        error = future.exception(DEADLINE)
        gate.open()
        assert not future.abandon(), "it is done"
    assert isinstance(error, TaskCancelled)
    assert isinstance(error, concurrent.futures.CancelledError)
    assert error.reason == "abandoned"


def test_a_task_that_is_submitted_while_it_is_cancelled_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with LambdaPool(builtin(), max_workers=1) as pool:
        slow = pool.options(executor_config={"builtin": {"duration_ms": 60_000}})
        first, second = slow.submit("true"), slow.submit("true")
        wait_until_running(first)
        state = pool.executor.state

        def late(key: str) -> State:
            answer = state(key)
            pool.executor.cancel(first.key)
            deadline = threading.Event()
            for _ in range(int(DEADLINE * 100)):
                if state(key) is State.RUNNING:
                    return answer
                deadline.wait(0.01)
            raise AssertionError("it does not run")

        with monkeypatch.context() as patch:
            patch.setattr(pool.executor, "state", late)
            assert not second.cancel(), "it may run"
        error = second.exception(DEADLINE)
        assert isinstance(error, TaskCancelled)
        assert error.reason == "abandoned"
        assert not second.cancelled()
        assert not second.abandon()


def test_what_waits_can_be_abandoned_too(gate: Gate) -> None:
    with LambdaPool(local(), max_workers=1) as pool:
        pool.submit(gate.command())
        future = pool.submit("true")
        assert future.abandon()
        assert concurrent.futures.wait([future], DEADLINE).done == {future}
        assert future.cancelled()
        gate.open()


def test_a_task_cancelled_behind_the_pools_back(gate: Gate) -> None:
    with LambdaPool(local(), max_workers=1) as pool:
        pool.submit(gate.command())
        future = pool.submit("true")
        assert pool.executor.cancel(future.key)
        assert concurrent.futures.wait([future], DEADLINE).done == {future}
        assert future.cancelled()
        gate.open()


def test_what_waits_for_the_queue_is_cancelled_for_good(gate: Gate, tmp_path: Path) -> None:
    submitted: list[LambdaFuture[Completed]] = []
    all_submitted = threading.Event()
    with LambdaPool({**local(), "max_queued_tasks": 1}, max_workers=1) as pool:

        def more(_: object) -> None:
            submitted.append(pool.submit(gate.command()))
            submitted.extend(pool.submit(f"touch '{tmp_path}/ran{n}'") for n in range(5))
            all_submitted.set()

        pool.submit("true").add_done_callback(more)
        assert all_submitted.wait(DEADLINE)
        # The first runs, the second is queued, the others are only in the pool.
        assert submitted[4].cancel()
        assert concurrent.futures.wait([submitted[4]], DEADLINE).done == {submitted[4]}
        gate.open()
    assert sorted(path.name for path in tmp_path.glob("ran*")) == ["ran0", "ran1", "ran2", "ran4"]
