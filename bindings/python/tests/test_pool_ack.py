"""The results of a pool are acknowledged by the pool or by its user."""

from __future__ import annotations

import pickle
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

import cloudpickle
import pytest
from pool_support import DEADLINE, Gate, builtin, local, wait_until

from lambda_executor import ClosedError, Completed, Executor, InvalidConfigError, LambdaPool, TaskCancelled, TaskFailed

# Functions of this file are pickled by value.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def wait_until_unacknowledged(executor: Executor, number: int) -> None:
    """RUNNING events, and those of cancelled tasks, are acknowledged by the pool's thread."""

    def condition() -> bool:
        counts = executor.counts()
        return (counts.unacknowledged, counts.waiting_events) == (number, 0)

    wait_until(condition, lambda: f"{executor.counts()}, not {number} unacknowledged")


def twice(number: int) -> int:
    return 2 * number


def fails() -> None:
    raise LookupError("in the function")


def test_a_pool_acknowledges_what_its_futures_have() -> None:
    with LambdaPool(builtin()) as pool:
        future = pool.submit("true")
        completed = future.result(DEADLINE)
        wait_until_unacknowledged(pool.executor, 0)
        # No effect.
        completed.ack()
        future.ack()


def test_with_manual_acknowledgement_the_user_does() -> None:
    with LambdaPool(local(), acknowledge="manual") as pool:
        completed = pool.submit("true").result(DEADLINE)
        failed = pool.submit("exit 3").exception(DEADLINE)
        function, raises = pool.submit(twice, 3), pool.submit(fails)
        assert function.result(DEADLINE) == 6
        assert isinstance(raises.exception(DEADLINE), LookupError)
        wait_until_unacknowledged(pool.executor, 4)
        # The batches are held, so no event is handed out again while another task runs.
        assert pool.submit("true").result(DEADLINE).key != completed.key
        wait_until_unacknowledged(pool.executor, 5)
        for _ in range(2):
            completed.ack()
        assert pool.executor.counts().unacknowledged == 4
        assert isinstance(failed, TaskFailed)
        failed.ack()
        function.ack()
        raises.ack()
        assert pool.executor.counts().unacknowledged == 1
        assert len(pool._loop.ends.held) == 1


def test_a_done_callback_acknowledges() -> None:
    def acknowledge(future: Future[Completed]) -> None:
        future.result().ack()

    with LambdaPool(builtin(), acknowledge="manual") as pool:
        futures = [pool.submit("true") for _ in range(50)]
        for future in futures:
            future.add_done_callback(acknowledge)
        for future in futures:
            future.result(DEADLINE)
        wait_until_unacknowledged(pool.executor, 0)
        # The thread that acknowledges forgets an event just after the library has.
        wait_until(lambda: not pool._loop.ends.held, lambda: f"still held: {pool._loop.ends.held}")


def test_a_cancelled_task_needs_none_and_an_abandoned_one_does(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    with LambdaPool(local(), max_workers=1, acknowledge="manual") as pool:
        runs, waits = pool.submit(gate.command()), pool.submit("true")
        assert waits.cancel()
        waits.ack()
        pause = threading.Event()
        while not runs.running():
            pause.wait(0.01)
        assert runs.abandon()
        error = runs.exception(DEADLINE)
        gate.open()
        wait_until_unacknowledged(pool.executor, 1)
        assert isinstance(error, TaskCancelled)
        error.ack()
        assert pool.executor.counts().unacknowledged == 0


def test_what_is_not_acknowledged_is_handed_out_again_when_the_pool_is_gone() -> None:
    with Executor(builtin()) as executor:
        with LambdaPool(executor, acknowledge="manual") as pool:
            key = pool.submit("true").result(DEADLINE).key
        del pool
        event = next(event for event in executor.events(DEADLINE) if event.state.final)
        assert event.key == key


def test_after_the_end_of_the_pool_it_is_too_late() -> None:
    with LambdaPool(builtin(), acknowledge="manual") as pool:
        completed = pool.submit("true").result(DEADLINE)
    with pytest.raises(ClosedError):
        completed.ack()


def test_results_are_sent_elsewhere_without_their_pool() -> None:
    with LambdaPool(local(), acknowledge="manual") as pool:
        for outcome in (pool.submit("true").result(DEADLINE), pool.submit("exit 3").exception(DEADLINE)):
            copy = pickle.loads(pickle.dumps(outcome))
            assert (type(copy), copy.event) == (type(outcome), outcome.event)  # type: ignore[union-attr]
            copy.ack()
        wait_until_unacknowledged(pool.executor, 2)


def test_there_are_two_ways() -> None:
    with pytest.raises(ValueError, match="acknowledge: 'never' is neither 'auto' nor 'manual'"):
        LambdaPool(builtin(), acknowledge="never")  # type: ignore[arg-type]


def test_the_option_ack_of_earlier_versions_is_refused() -> None:
    with pytest.raises(InvalidConfigError, match=r"^ack: was removed .*LambdaPool\(acknowledge=\"manual\"\)"):
        LambdaPool({**builtin(), "ack": "manual"})
