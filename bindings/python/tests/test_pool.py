"""Commands through LambdaPool: its futures are those of the standard library."""

from __future__ import annotations

import concurrent.futures
import json
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pool_support import DEADLINE, Gate, builtin, local

from lambda_executor import (
    BrokenPool,
    Completed,
    Duplicate,
    Executor,
    InvalidArgumentError,
    InvalidConfigError,
    LambdaFuture,
    LambdaPool,
    PayloadTooLargeError,
    Reason,
    State,
    TaskCancelled,
    TaskFailed,
    TaskLost,
    new_attempt_id,
)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(tmp_path)
    yield gate
    gate.open()


def wait_until_running(future: LambdaFuture[Completed]) -> None:
    """Fails when it does not run in time."""
    deadline = threading.Event()
    for _ in range(int(DEADLINE * 100)):
        if future.running():
            return
        deadline.wait(0.01)
    pytest.fail(f"{future} does not run")


def test_a_command_that_succeeds() -> None:
    with LambdaPool(local()) as pool:
        future = pool.submit("echo out; printf value >$LAMBDA_EXECUTOR_RESULT_FILE")
        completed = future.result(DEADLINE)
    assert (completed.key, completed.return_code, completed.output) == (future.key, 0, "out\n")
    assert completed.value == b"value"
    assert repr(completed) == f"Completed(key={future.key!r}, return_code=0, output='out\\n', value=b'value')"
    assert completed.event.attempt_id == future.attempt_id != ""
    assert future.done()
    assert not future.cancelled()
    assert pickle.loads(pickle.dumps(completed)) == completed


def test_a_command_that_fails() -> None:
    with LambdaPool(local()) as pool:
        error = pool.submit(["sh", "-c", "echo last words; exit 3"]).exception(DEADLINE)
    assert isinstance(error, TaskFailed)
    assert (error.return_code, error.reason, error.signal, error.output) == (3, "exit", 0, "last words\n")
    assert error.request_id
    assert error.log_stream in str(error) != ""
    assert str(error).splitlines()[-2:] == ["last output:", "  last words"]
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.event) == (TaskFailed, str(error), error.event)


def test_a_signal_and_a_time_limit() -> None:
    with LambdaPool(local()) as pool:
        killed = pool.submit("kill -9 $$")
        late = pool.options(timeout=0.1).submit(["sleep", "60"])
        signal, timeout = killed.exception(DEADLINE), late.exception(DEADLINE)
    assert isinstance(signal, TaskFailed)
    assert (signal.reason, signal.signal, signal.return_code) == ("signal", 9, -9)
    assert isinstance(timeout, TaskFailed)
    assert (timeout.reason, timeout.return_code) == ("timeout", 124)


def test_options_reach_the_task() -> None:
    with LambdaPool(local()) as pool:
        options = pool.options(key="mine", executor_config={"a": [1]})
        completed = options.submit('echo "$LAMBDA_EXECUTOR_TASK_KEY:$LAMBDA_EXECUTOR_CONFIG"').result(DEADLINE)
        key, _, config = completed.output.partition(":")
        assert (completed.key, key, json.loads(config)) == ("mine", "mine", {"a": [1]})
        with pytest.raises(ValueError, match="option key is for one task"):
            options.map(["true"])


def test_a_task_that_waits_too_long(gate: Gate) -> None:
    with LambdaPool(local(), max_workers=1) as pool:
        pool.submit(gate.command())
        error = pool.options(max_wait=0.05).submit("true").exception(DEADLINE)
        gate.open()
    assert isinstance(error, TaskFailed)
    assert (error.reason, error.return_code) == ("expired", None)


def test_a_task_that_is_lost() -> None:
    # tests/c/0031-lost.c waits the 40 s that the library takes to be sure; here its event is made by hand.
    with LambdaPool(builtin()) as pool:
        silent = pool.options(executor_config={"builtin": {"duration_ms": 600_000}}).submit("true")
        wait_until_running(silent)
        done = pool.submit("true").result(DEADLINE).event
        pool._loop._take(done._replace(tag=silent.tag, key=silent.key, state=State.LOST, reason=Reason.LOST), ())
        error = silent.exception(0)
    assert isinstance(error, TaskLost)
    assert error.reason == "lost"


def test_result_with_a_timeout_waits_no_longer(gate: Gate) -> None:
    with LambdaPool(local()) as pool:
        future = pool.submit(gate.command("echo done"))
        with pytest.raises(concurrent.futures.TimeoutError):
            future.result(0.05)
        gate.open()
        assert future.result(DEADLINE).output == "done\n"


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
        # As of the standard library: waiting for it ends, and raises.
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
            told = state(key)
            pool.executor.cancel(first.key)
            deadline = threading.Event()
            for _ in range(int(DEADLINE * 100)):
                if state(key) is State.RUNNING:
                    return told
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


def test_a_full_queue_makes_submit_wait_and_loses_nothing(gate: Gate) -> None:
    config = {**local(), "max_queued_tasks": 1}
    with LambdaPool(config, max_workers=1) as pool:
        first = pool.submit(gate.command("echo 0"))
        futures = [first, pool.submit("echo 1")]
        submitted = threading.Event()

        def submit_more() -> None:
            futures.extend(pool.submit(f"echo {n}") for n in (2, 3))
            submitted.set()

        thread = threading.Thread(target=submit_more)
        thread.start()
        wait_until_running(first)
        assert not submitted.wait(0.3), "submitted, though the queue is full"
        gate.open()
        thread.join(DEADLINE)
        assert submitted.is_set()
        assert [future.result(DEADLINE).output for future in futures] == ["0\n", "1\n", "2\n", "3\n"]


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
    # One more than was accepted: the thread waits for room.
    while len(pool._loop._pending) < 3:
        threading.Event().wait(0.01)
    pool.shutdown(wait=False, cancel_futures=True)
    gate.open()
    thread.join(DEADLINE)
    pool.shutdown()
    # It is refused; or what was cancelled before it has made room, and then it is cancelled, too.
    (refused,) = came_to
    assert isinstance(refused, RuntimeError) or refused.cancelled()


def test_done_callbacks_may_submit_also_into_a_full_queue() -> None:
    config = {**builtin(), "max_queued_tasks": 2}
    chained: list[LambdaFuture[Completed]] = []
    all_submitted = threading.Event()
    with LambdaPool(config, max_workers=1) as pool:

        def more(_: object) -> None:
            chained.extend(pool.submit("true") for _ in range(20))
            all_submitted.set()

        pool.submit("true").add_done_callback(more)
        assert all_submitted.wait(DEADLINE)
        assert all(future.result(DEADLINE).return_code == 0 for future in chained)


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
        # The first runs, the second is queued, the others are in the pool alone.
        assert submitted[4].cancel()
        assert concurrent.futures.wait([submitted[4]], DEADLINE).done == {submitted[4]}
        gate.open()
    assert sorted(path.name for path in tmp_path.glob("ran*")) == ["ran0", "ran1", "ran2", "ran4"]


def test_a_done_callback_that_raises_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: object) -> None:
        raise OSError("from the callback")

    def leaves(_: object) -> None:
        raise SystemExit("from the callback")

    with LambdaPool(builtin()) as pool:
        for callback in (fails, leaves):
            future = pool.options(executor_config={"builtin": {"duration_ms": 50}}).submit("true")
            future.add_done_callback(callback)
            assert future.result(DEADLINE).return_code == 0
        assert pool.submit("true").result(DEADLINE).return_code == 0
    assert caplog.text.count("from the callback") >= 2


def test_eight_threads_submit() -> None:
    with LambdaPool(builtin()) as pool:
        futures: list[LambdaFuture[Completed]] = []

        def submit() -> None:
            futures.extend([pool.submit("true") for _ in range(250)])

        threads = [threading.Thread(target=submit) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE)
        assert len({future.result(DEADLINE).key for future in futures}) == 2000


def test_a_key_twice_is_refused_and_the_first_goes_on(gate: Gate) -> None:
    with LambdaPool(local()) as pool:
        first = pool.options(key="k").submit(gate.command("echo first"))
        with pytest.raises(Duplicate):
            pool.options(key="k").submit("echo second")
        gate.open()
        assert first.result(DEADLINE).output == "first\n"
        # Its final event has been handed out: the key is free.
        assert pool.options(key="k").submit("echo third").result(DEADLINE).output == "third\n"


def test_what_is_refused_is_raised_by_submit() -> None:
    with LambdaPool({**builtin(), "max_payload_bytes": 1000}) as pool:
        with pytest.raises(PayloadTooLargeError):
            pool.submit(["echo", "x" * 1000])
        with pytest.raises(TypeError, match="no further arguments"):
            pool.submit(["echo"], "x")  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="submit: int is neither a command"):
            pool.submit(3)  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="submit: NoneType is neither a command"):
            pool.submit(None)  # type: ignore[call-overload]
        for wrong in ([], b"true", ["true", 1]):
            with pytest.raises(InvalidArgumentError, match="command"):
                pool.submit(wrong)  # type: ignore[arg-type]


def test_a_wrong_call_is_told_with_the_class_that_it_was_made_on() -> None:
    with LambdaPool(builtin()) as pool:
        for call, name in ((pool.submit, "LambdaPool.submit"), (pool.executor.queue, "Executor.queue")):
            assert call.__qualname__ == name


@pytest.mark.parametrize(
    "argument", [{"max_workers": "4"}, {"python": ["python3"]}, {"secret": "x" * 20}, {"key_prefix": 1}], ids=repr
)
def test_arguments_of_a_wrong_type_are_named(argument: dict[str, Any]) -> None:
    (name,) = argument
    with pytest.raises(TypeError, match=f"^{name}: "):
        LambdaPool(builtin(), **argument)


def test_a_wrong_configuration() -> None:
    with pytest.raises(InvalidConfigError, match="no_such_option"):
        LambdaPool({"no_such_option": 1})
    with pytest.raises(ValueError, match="max_running_tasks 3"):
        LambdaPool({**builtin(), "max_running_tasks": 3}, max_workers=2)
    with pytest.raises(ValueError, match="at least 1"):
        LambdaPool(builtin(), max_workers=0)
    for text in ("no JSON", "[1]", "null", "{"):
        with pytest.raises(InvalidConfigError):
            LambdaPool(text, max_workers=2)


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


def test_a_pool_that_nobody_holds_settles_its_futures_and_ends() -> None:
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


def test_a_result_that_says_what_it_lacks() -> None:
    with LambdaPool(local()) as pool:
        completed = pool.submit("seq 100000").result(DEADLINE)
        short = pool.submit("echo short").result(DEADLINE)
        cut = pool.submit("seq 100000; exit 3").exception(DEADLINE)
        dropped = pool.submit("head -c 180001 /dev/zero >$LAMBDA_EXECUTOR_RESULT_FILE").exception(DEADLINE)
        value = pool.submit("printf partly >$LAMBDA_EXECUTOR_RESULT_FILE; exit 4").exception(DEADLINE)
    assert (completed.output_truncated, completed.output_length) == (True, 588_895)
    assert repr(completed).endswith("output_truncated=True, output_length=588895)")
    assert (short.output_truncated, short.output_length) == (False, 6)
    assert isinstance(cut, TaskFailed)
    assert (cut.output_truncated, cut.output_length) == (True, 588_895)
    assert "of 588,895 bytes" in str(cut).splitlines()[-1]
    assert isinstance(dropped, TaskFailed)
    assert (dropped.reason, dropped.value_dropped, dropped.value) == ("value_too_large", True, b"")
    assert isinstance(value, TaskFailed)
    assert (value.return_code, value.value, value.value_dropped) == (4, b"partly", False)


def test_the_final_event_of_a_future(gate: Gate) -> None:
    with LambdaPool(local(), max_workers=1) as pool:
        future = pool.submit(gate.command("echo out"))
        waits = pool.submit("true")
        assert future.event is None
        waits.cancel()
        gate.open()
        assert future.result(DEADLINE).event is future.event
        assert waits.event is None


def test_options_of_one_submission() -> None:
    attempt_id = new_attempt_id()
    with LambdaPool(builtin()) as pool:
        options = pool.options(key="mine", attempt_id=attempt_id, result_timeout=3600)
        assert options.submit("true").result(DEADLINE).event.attempt_id == attempt_id
        with pytest.raises(ValueError, match="option attempt_id is for one task"):
            pool.options(attempt_id=attempt_id).map(["true"])
        with pytest.raises(InvalidArgumentError, match="result_timeout"):
            pool.options(result_timeout=-1).submit("true")


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
        # With the tag that the pool has given to its own.
        executor.queue("mine", "true", tag=future.tag)
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


def pool_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "lambda-executor-pool"]
