"""Tasks of a pool that are submitted again after they have failed."""

from __future__ import annotations

import concurrent.futures
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from pool_support import DEADLINE, Gate, builtin, local, wait_until_running
from test_pool_ack import wait_until_unacknowledged

from lambda_executor import Completed, LambdaFuture, LambdaPool, TaskCancelled, TaskFailed, new_attempt_id

# Functions of this file are pickled by value.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def fails_until(file: Path, times: int) -> str:
    """A command that counts its runs in the file, and fails that many times."""
    return f"echo run >>'{file}'; n=$(wc -l <'{file}'); echo run $n; [ $n -gt {times} ]"


def runs(file: Path) -> int:
    return len(file.read_text().splitlines())


def test_a_command_that_failed_runs_again_under_its_key(tmp_path: Path) -> None:
    attempts: list[str] = []
    with LambdaPool(local()) as pool:
        future = pool.options(retries=3, key="k").submit(fails_until(tmp_path / "runs", 2))
        future.add_running_callback(lambda future: attempts.append(future.attempt_id))
        assert future.result(DEADLINE).output == "run 3\n"
        # Each retry has its own attempt_id.
        assert len(set(attempts)) == 3
        assert attempts[-1] == future.attempt_id == future.result().event.attempt_id
    assert (future.key, future.retries) == ("k", 2)
    assert repr(future).startswith("<LambdaFuture 'k': finished, has its result, retries=2, ")


def test_when_all_retries_fail_the_last_failure_is_raised(tmp_path: Path) -> None:
    with LambdaPool(local(), retries=2) as pool:
        error = pool.submit(fails_until(tmp_path / "runs", 9)).exception(DEADLINE)
        assert isinstance(error, TaskFailed)
        assert error.output == "run 3\n"
        # One task of the pool has no retries.
        pool.options(retries=0).submit(fails_until(tmp_path / "once", 9)).exception(DEADLINE)
    assert (runs(tmp_path / "runs"), runs(tmp_path / "once")) == (3, 1)


def test_without_retries_a_task_runs_once(tmp_path: Path) -> None:
    with LambdaPool(local()) as pool:
        assert isinstance(pool.submit(fails_until(tmp_path / "runs", 1)).exception(DEADLINE), TaskFailed)
    assert runs(tmp_path / "runs") == 1


def flaky(file: str, error: BaseException) -> int:
    """The third run returns."""
    with open(file, "a+") as log:
        log.write("run\n")
        log.seek(0)
        n = len(log.readlines())
    if n < 3:
        raise error
    return n


def test_a_function_that_raised_is_called_again(tmp_path: Path) -> None:
    with LambdaPool(local(), retries=2) as pool:
        assert pool.submit(flaky, str(tmp_path / "a"), ConnectionError("once more")).result(DEADLINE) == 3
        assert list(pool.map(flaky, [str(tmp_path / "b")], [LookupError("once more")])) == [3]


def test_retry_on_says_which_failures(tmp_path: Path) -> None:
    def network(error: BaseException) -> bool:
        return "network" in str(error)

    with LambdaPool(local(), retries=2, retry_on=(ConnectionError, TimeoutError)) as pool:
        assert pool.submit(flaky, str(tmp_path / "a"), ConnectionResetError("again")).result(DEADLINE) == 3
        assert isinstance(pool.submit(flaky, str(tmp_path / "b"), LookupError("no")).exception(DEADLINE), LookupError)
        assert runs(tmp_path / "b") == 1
        by_function = pool.options(retry_on=network)
        assert by_function.submit(flaky, str(tmp_path / "c"), OSError("network")).result(DEADLINE) == 3
        assert isinstance(by_function.submit(flaky, str(tmp_path / "d"), OSError("disk")).exception(DEADLINE), OSError)
        assert runs(tmp_path / "d") == 1


def test_a_retry_on_that_raises_is_logged_and_the_task_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    def wrong(_: BaseException) -> bool:
        raise LookupError("of retry_on")

    with LambdaPool(local(), retries=2, retry_on=wrong) as pool:
        assert isinstance(pool.submit("exit 3").exception(DEADLINE), TaskFailed)
    assert "LookupError: of retry_on" in caplog.text


def test_what_was_abandoned_is_not_submitted_again(gate: Gate, tmp_path: Path) -> None:
    # With every retry_on.
    with LambdaPool(local(), max_workers=1, retries=5, retry_on=Exception) as pool:
        future = pool.submit(gate.command(f"echo >>'{tmp_path}/runs'"))
        wait_until_running(future)
        assert future.abandon()
        assert isinstance(future.exception(DEADLINE), TaskCancelled)
        gate.open()
    assert future.retries == 0


def test_retries_wait_for_their_delay_which_doubles(tmp_path: Path) -> None:
    began: list[float] = []
    with LambdaPool(local(), retries=2, retry_delay=0.4) as pool:
        future = pool.submit(fails_until(tmp_path / "runs", 2))
        future.add_running_callback(lambda _: began.append(time.monotonic()))
        future.result(DEADLINE)
    first, second = (later - earlier for earlier, later in zip(began, began[1:]))
    assert first >= 0.4
    assert second >= 0.8


def test_a_future_that_waits_for_its_retry_is_pending_and_can_be_cancelled(tmp_path: Path) -> None:
    for give_up in (LambdaFuture.cancel, LambdaFuture.abandon):
        with LambdaPool(local(), retries=1, retry_delay=600) as pool:
            future = pool.submit("exit 3")
            until_retried(future)
            assert not future.running()
            assert not future.done()
            assert give_up(future)
            assert concurrent.futures.wait([future], DEADLINE).done == {future}
            assert future.cancelled()
        # Leaving the block did not wait for the retry.
        assert pool.summary()[:6] == (1, 0, 0, 1, 0, 1)


def until_retried(future: LambdaFuture[Completed]) -> None:
    pause = threading.Event()
    for _ in range(int(DEADLINE * 100)):
        if future.retries:
            return
        pause.wait(0.01)
    pytest.fail(f"{future} is not to be submitted again")


def test_shutdown_cancels_what_waits_for_a_retry_and_begins_no_other(gate: Gate, tmp_path: Path) -> None:
    pool = LambdaPool(local(concurrency=2), retries=1, retry_delay=600)
    waits, fails_later = pool.submit("exit 3"), pool.submit(gate.command("exit 4"))
    until_retried(waits)
    wait_until_running(fails_later)
    pool.shutdown(wait=False, cancel_futures=True)
    assert waits.cancelled()
    gate.open()
    error = fails_later.exception(DEADLINE)
    assert isinstance(error, TaskFailed)
    assert error.return_code == 4
    pool.shutdown()


def test_shutdown_waits_for_retries(tmp_path: Path) -> None:
    with LambdaPool(local(), retries=2, retry_delay=0.05) as pool:
        future = pool.submit(fails_until(tmp_path / "runs", 2))
    assert future.result(0).output == "run 3\n"


def test_retries_find_room_in_a_full_queue() -> None:
    config = {**builtin(), "max_queued_tasks": 2}
    with LambdaPool(config, max_workers=1, retries=2) as pool:
        failing = pool.options(executor_config={"builtin": {"return_code": 1}})
        futures = [failing.submit("true") for _ in range(20)]
        assert all(isinstance(future.exception(DEADLINE), TaskFailed) for future in futures)
    assert pool.summary().retried == 40
    assert all(future.retries == 2 for future in futures)


def test_with_manual_acknowledgement_a_failed_attempt_is_kept_until_the_retry_runs(tmp_path: Path) -> None:
    with LambdaPool(local(), acknowledge="manual", retries=1, retry_delay=600) as pool:
        waits = pool.submit("exit 3")
        until_retried(waits)
        wait_until_unacknowledged(pool.executor, 1)
        waits.cancel()
        wait_until_unacknowledged(pool.executor, 0)
    with LambdaPool(local(), acknowledge="manual", retries=1) as pool:
        completed = pool.submit(fails_until(tmp_path / "runs", 1)).result(DEADLINE)
        # The user acknowledges the last result.
        wait_until_unacknowledged(pool.executor, 1)
        completed.ack()
        wait_until_unacknowledged(pool.executor, 0)
        assert not pool._loop.ends.held


def test_a_process_that_ends_before_the_retry_says_that_it_is_dropped() -> None:
    from processes import SOURCES, environment

    program = """
import sys, time
from lambda_executor import LambdaPool
pool = LambdaPool({"local": {"handler": "builtin"}}, retries=1, retry_delay=600)
future = pool.options(executor_config={"builtin": {"return_code": 1}}).submit("true")
while not future.retries:
    time.sleep(0.01)
"""
    variables = environment() | {"PYTHONPATH": str(SOURCES)}
    process = subprocess.run(
        [sys.executable, "-c", program], env=variables, capture_output=True, text=True, timeout=DEADLINE
    )
    assert process.returncode == 0, process.stderr
    assert "with 1 task of a LambdaPool unfinished: 0 end with this process (option local), and 1 that waited is " in (
        process.stderr
    )


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"retries": -1}, "retries: -1 is less than 0"),
        ({"retries": 1.5}, "retries: float is not int"),
        ({"retry_delay": -1}, "retry_delay: -1 s is not a finite number of at least 0"),
        ({"retry_delay": float("inf")}, "retry_delay: inf s"),
        ({"retry_on": "TimeoutError"}, "retry_on: 'TimeoutError' is neither exception classes nor a function"),
        ({"retry_on": int}, "retry_on: <class 'int'> is neither"),
        ({"retry_on": (OSError, 3)}, "retry_on: .* is neither"),
    ],
    ids=repr,
)
def test_wrong_retries_are_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises((ValueError, TypeError), match=why):
        LambdaPool(builtin(), **wrong)
    with LambdaPool(builtin()) as pool, pytest.raises((ValueError, TypeError), match=why):
        pool.options(**wrong)


def test_one_submission_has_no_retries() -> None:
    with (
        LambdaPool(builtin(), retries=1) as pool,
        pytest.raises(ValueError, match="an attempt_id is for one submission, and retries make more"),
    ):
        pool.options(attempt_id=new_attempt_id())
