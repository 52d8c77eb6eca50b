"""Callbacks of LambdaPool: what they may and must not do, and when running callbacks are called."""

from __future__ import annotations

import concurrent.futures
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pool_support import DEADLINE, Gate, builtin, local, wait_until_running

import lambda_executor
from lambda_executor import Completed, LambdaFuture, LambdaPool

Waits = Callable[[LambdaPool, "LambdaFuture[Completed]"], object]

#: Each of these would wait for its own thread.
WAITS: dict[str, Waits] = {
    "result": lambda _, other: other.result(),
    "result with a timeout": lambda _, other: other.result(30),
    "exception": lambda _, other: other.exception(),
    "map": lambda pool, _: list(pool.map(["true"])),
    "as_completed": lambda _, other: list(concurrent.futures.as_completed([other])),
    "as_completed, typed": lambda _, other: list(lambda_executor.as_completed([other])),
    "wait": lambda _, other: concurrent.futures.wait([other]),
    "shutdown": lambda pool, _: pool.shutdown(),
}


@pytest.mark.parametrize("name", WAITS)
def test_a_done_callback_that_waits_for_its_pool_raises(name: str, gate: Gate) -> None:
    raised: list[BaseException] = []
    called = threading.Event()
    with LambdaPool(local()) as pool:
        other, future = pool.submit(gate.command("echo other")), pool.submit("sleep 0.2")

        def waits(_: object) -> None:
            try:
                WAITS[name](pool, other)
            except RuntimeError as error:
                raised.append(error)
            called.set()

        future.add_done_callback(waits)
        assert called.wait(DEADLINE), "it hangs"
        gate.open()
        assert other.result(DEADLINE).output == "other\n"
    assert "a callback of a pool cannot wait" in str(raised[0])


def test_a_done_callback_may_ask_for_what_is_there(gate: Gate) -> None:
    seen: list[Any] = []
    called = threading.Event()
    with LambdaPool(local()) as pool:
        early, late, future = pool.submit("echo early"), pool.submit(gate.command()), pool.submit("sleep 0.3")
        early.result(DEADLINE)

        def asks(_: object) -> None:
            seen.append(early.result().output)
            seen.append(next(concurrent.futures.as_completed([early])) is early)
            seen.append(concurrent.futures.wait([early, late], return_when="FIRST_COMPLETED").done == {early})
            seen.append(concurrent.futures.wait([late], timeout=0).not_done == {late})
            with pytest.raises(concurrent.futures.TimeoutError):
                late.result(timeout=0)
            called.set()

        future.add_done_callback(asks)
        assert called.wait(DEADLINE)
        gate.open()
    assert seen == ["early\n", True, True, True]


def test_a_callback_may_wait_for_another_pool() -> None:
    seen: list[str] = []
    with LambdaPool(local()) as pool, LambdaPool(local()) as other:
        future = pool.submit("sleep 0.2")
        future.add_done_callback(lambda _: seen.append(other.submit("echo other").result(DEADLINE).output))
        future.result(DEADLINE)
    assert seen == ["other\n"]


class Raising(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("the disk is full")


@pytest.fixture
def logging_that_raises() -> Iterator[None]:
    root, handler = logging.getLogger(), Raising()
    root.addHandler(handler)
    yield
    root.removeHandler(handler)


@pytest.mark.usefixtures("logging_that_raises")
@pytest.mark.parametrize("raises", [LookupError, SystemExit])
def test_a_callback_and_a_log_handler_that_raise_leave_no_future_pending(raises: type[BaseException]) -> None:
    def fails(_: object) -> None:
        raise raises("from the callback")

    # The logger's own records go to no handler.
    with LambdaPool(lambda_executor.Executor(builtin(), logger=None)) as pool:
        slow = pool.options(executor_config={"builtin": {"duration_ms": 200}})
        futures = [slow.submit("true") for _ in range(5)]
        for future in futures[:2]:
            future.add_done_callback(fails)
            future.add_running_callback(fails)
        for future in futures:
            assert future.result(DEADLINE).return_code == 0
        assert pool.submit("true").result(DEADLINE).return_code == 0
        pool.executor.close()


@pytest.mark.usefixtures("logging_that_raises")
def test_a_fault_of_the_pool_and_a_log_handler_that_raises_fail_the_futures(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise LookupError("a fault of the pool")

    with LambdaPool(lambda_executor.Executor(builtin(), logger=None)) as pool:
        slow = pool.options(executor_config={"builtin": {"duration_ms": 60_000}})
        futures = [slow.submit("true") for _ in range(3)]
        for future in futures:
            wait_until_running(future)
        # A callback that raises while all futures fail must not stop the others from doing so.
        futures[0].add_done_callback(lambda _: exec("raise SystemExit"))
        monkeypatch.setattr(pool._loop, "_take", fails)
        pool.submit("true")
        for future in futures:
            assert isinstance(future.exception(DEADLINE), lambda_executor.BrokenPool)
        pool.executor.close()


def test_a_running_callback_knows_the_attempt_id(gate: Gate) -> None:
    notes: dict[str, str] = {}
    noted = threading.Event()

    def note(future: LambdaFuture[Completed]) -> None:
        assert future.running()
        notes[future.key] = future.attempt_id
        noted.set()

    with LambdaPool(local(), max_workers=1) as pool:
        first, second = pool.submit(gate.command()), pool.submit("true")
        first.add_running_callback(note)
        second.add_running_callback(note)
        assert noted.wait(DEADLINE)
        assert list(notes) == [first.key]
        gate.open()
        assert second.result(DEADLINE).event.attempt_id == notes[second.key]
        assert first.result(DEADLINE).event.attempt_id == notes[first.key]


def test_a_running_callback_that_is_added_late_is_called_at_once(gate: Gate) -> None:
    called: list[str] = []
    with LambdaPool(local()) as pool:
        future = pool.submit(gate.command())
        wait_until_running(future)
        future.add_running_callback(lambda future: called.append(f"running, {future.running()}"))
        assert called == ["running, True"]
        gate.open()
        future.result(DEADLINE)
        future.add_running_callback(lambda future: called.append(f"done, {future.running()}"))
    assert called == ["running, True", "done, False"]


def test_a_running_callback_is_called_before_the_done_callbacks_and_never_for_what_did_not_run(gate: Gate) -> None:
    called: list[str] = []
    with LambdaPool({**local(), "running_events": False}, max_workers=1) as pool:
        future, waits = pool.submit(gate.command()), pool.submit("true")
        waits.add_running_callback(lambda _: called.append("never"))
        future.add_done_callback(lambda _: called.append("done"))
        # Without running events, attempt_id is known at the end.
        future.add_running_callback(lambda future: called.append(future.attempt_id))
        assert waits.cancel()
        gate.open()
        attempt_id = future.result(DEADLINE).event.attempt_id
        waits.add_running_callback(lambda _: called.append("never"))
    assert called == [attempt_id, "done"]
    assert future.attempt_id == attempt_id != ""


def test_a_running_callback_that_raises_does_no_harm(caplog: pytest.LogCaptureFixture, gate: Gate) -> None:
    def fails(_: object) -> None:
        raise LookupError("from the callback")

    with LambdaPool(local()) as pool:
        future = pool.submit(gate.command())
        future.add_running_callback(fails)
        wait_until_running(future)
        gate.open()
        assert future.result(DEADLINE).return_code == 0
    assert f"task {future.key!r}: its running callback" in caplog.text
    assert "LookupError: from the callback" in caplog.text
