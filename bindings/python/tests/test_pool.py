"""One command through LambdaPool, and how its future ends."""

from __future__ import annotations

import concurrent.futures
import json
import pickle
import sys

import pytest
from pool_support import DEADLINE, Gate, builtin, local, wait_until_running

from lambda_executor import Executor, LambdaPool, Reason, State, TaskFailed, TaskLost


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
        with pytest.raises(ValueError, match="option key is only for one task"):
            options.map(["true"])


def test_a_task_that_waits_too_long(gate: Gate) -> None:
    with LambdaPool(local(), max_workers=1) as pool:
        pool.submit(gate.command())
        error = pool.options(max_wait=0.05).submit("true").exception(DEADLINE)
        gate.open()
    assert isinstance(error, TaskFailed)
    assert (error.reason, error.return_code) == ("expired", None)


def test_a_task_that_is_lost() -> None:
    # The library reports LOST after 40 s, see tests/c/0031-lost.c. Here its event is constructed.
    with LambdaPool(builtin()) as pool:
        silent = pool.options(executor_config={"builtin": {"duration_ms": 600_000}}).submit("true")
        wait_until_running(silent)
        done = pool.submit("true").result(DEADLINE).event
        pool._loop._take(done._replace(tag=silent._tag, key=silent.key, state=State.LOST, reason=Reason.LOST), ())
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


def test_the_repr_of_a_future_has_its_key_and_state(gate: Gate) -> None:
    with LambdaPool(local(), max_workers=1) as pool:
        runs, waits = pool.options(key="runs").submit(gate.command()), pool.options(key="waits").submit("true")
        fails = pool.options(key="fails").submit("exit 3")
        wait_until_running(runs)
        assert repr(waits) == "<LambdaFuture 'waits': pending>"
        assert repr(runs) == f"<LambdaFuture 'runs': running, attempt_id={runs.attempt_id!r}>"
        waits.cancel()
        assert repr(waits) == "<LambdaFuture 'waits': cancelled>"
        gate.open()
        runs.result(DEADLINE)
        fails.exception(DEADLINE)
    assert repr(runs) == f"<LambdaFuture 'runs': finished, has its result, attempt_id={runs.attempt_id!r}>"
    assert repr(fails) == f"<LambdaFuture 'fails': finished, raised TaskFailed, attempt_id={fails.attempt_id!r}>"


def test_the_repr_of_a_failure_says_why(gate: Gate) -> None:
    with LambdaPool(local(), max_workers=1) as pool:
        fails = pool.options(key="fails").submit("echo first; echo no such table; exit 3").exception(DEADLINE)
        pool.submit(gate.command())
        expires = pool.options(key="expires", max_wait=0.05).submit("true").exception(DEADLINE)
        gate.open()
    assert repr(fails) == (
        "<TaskFailed 'fails': exit, return code 3, the command exited with status 3, last output 'no such table'>"
    )
    assert repr(expires).startswith("<TaskFailed 'expires': expired, waited ")


def test_functions_run_under_this_python_also_with_an_executor_of_option_local() -> None:
    # As a mapping and as JSON. `python3` on PATH may be another version, or have no cloudpickle.
    for config in (local(), json.dumps(local())):
        with Executor(config) as executor, LambdaPool(executor) as pool:
            assert pool.submit(eval, "__import__('sys').executable").result(DEADLINE) == sys.executable


def test_the_workers_of_an_executor_are_its_option() -> None:
    # dask and joblib read it.
    with Executor({**builtin(), "max_running_tasks": 7}) as executor, LambdaPool(executor) as pool:
        assert pool._max_workers == 7
