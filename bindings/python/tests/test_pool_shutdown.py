"""Shutdown of a LambdaPool, also with an executor that it does not own."""

from __future__ import annotations

import concurrent.futures
import threading

import pytest
from pool_support import DEADLINE, Gate, builtin, local, wait_until_running

from lambda_executor import BrokenPool, Completed, Executor, LambdaFuture, LambdaPool, State


def pool_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "lambda-executor-pool"]


def test_shutdown_ends_a_submit_that_waits_for_room(gate: Gate) -> None:
    pool = LambdaPool({**local(), "max_queued_tasks": 1}, max_workers=1)
    first = pool.submit(gate.command())
    wait_until_running(first)
    pool.submit("true")
    came_to: list[LambdaFuture[Completed] | RuntimeError] = []

    def submit() -> None:
        try:
            came_to.append(pool.submit("true"))
        except RuntimeError as error:
            came_to.append(error)

    thread = threading.Thread(target=submit)
    thread.start()
    # One more than was accepted, so the thread waits for room.
    while len(pool._loop._pending) < 3:
        threading.Event().wait(0.01)
    pool.shutdown(wait=False, cancel_futures=True)
    gate.open()
    thread.join(DEADLINE)
    pool.shutdown()
    # The submission is refused. Or a cancelled task has made room first, and this task is cancelled too.
    (refused,) = came_to
    assert isinstance(refused, RuntimeError) or refused.cancelled()


def test_shutdown_without_waiting_settles_in_the_background(gate: Gate) -> None:
    pool = LambdaPool(local(), max_workers=1)
    running = pool.submit(gate.command("echo done"))
    waiting = pool.submit("echo waited")
    pool.shutdown(wait=False)
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit("true")
    gate.open()
    assert running.result(DEADLINE).output == "done\n"
    assert waiting.result(DEADLINE).output == "waited\n"
    pool.shutdown()
    assert not pool_threads()


def test_shutdown_cancels_what_waits(gate: Gate) -> None:
    pool = LambdaPool(local(), max_workers=1)
    running, waiting = pool.submit(gate.command()), pool.submit("true")
    wait_until_running(running)
    pool.shutdown(wait=False, cancel_futures=True)
    assert waiting.cancelled()
    gate.open()
    pool.shutdown(wait=True)
    assert running.result(0).return_code == 0


def test_shutdown_of_a_pool_never_used_and_twice() -> None:
    pool = LambdaPool(builtin())
    pool.shutdown()
    pool.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit("true")


def test_a_pool_without_references_settles_its_futures_and_ends() -> None:
    def futures() -> list[LambdaFuture[Completed]]:
        pool = LambdaPool(builtin())
        return [pool.submit("true") for _ in range(10)]

    assert all(future.result(DEADLINE).return_code == 0 for future in futures())
    deadline = threading.Event()
    for _ in range(int(DEADLINE * 100)):
        if not pool_threads():
            return
        deadline.wait(0.01)
    pytest.fail("its thread goes on")


def test_an_executor_of_ones_own_stays_open() -> None:
    with Executor(builtin()) as executor:
        for _ in range(2):
            with LambdaPool(executor, max_workers=7) as pool:
                assert pool._max_workers == 7
                assert pool.submit("true").result(DEADLINE).return_code == 0
        assert executor.counts().unacknowledged == 0


def test_events_of_tasks_that_are_not_the_pools_settle_no_future(gate: Gate) -> None:
    with Executor(local()) as executor, LambdaPool(executor) as pool:
        future = pool.submit(gate.command())
        wait_until_running(future)
        # The same tag as of a task of the pool.
        executor.queue("mine", "true", tag=future._tag)
        while executor.state("mine") is not State.SUCCEEDED or executor.counts().unacknowledged:
            threading.Event().wait(0.01)
        assert pool.submit("true").result(DEADLINE).return_code == 0
        assert future.running()
        gate.open()


def test_an_executor_that_is_closed_breaks_the_pool(gate: Gate) -> None:
    executor = Executor(local())
    with LambdaPool(executor) as pool:
        future = pool.submit(gate.command())
        executor.close()
        assert isinstance(future.exception(DEADLINE), BrokenPool)
        assert isinstance(future.exception(), concurrent.futures.BrokenExecutor)
        with pytest.raises(BrokenPool):
            pool.submit("true")
        gate.open()
