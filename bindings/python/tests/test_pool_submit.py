"""What LambdaPool accepts and refuses, from several threads and while its queue is full."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from pool_support import DEADLINE, Gate, builtin, local, wait_until_running

from lambda_executor import (
    Completed,
    Duplicate,
    InvalidArgumentError,
    InvalidConfigError,
    LambdaFuture,
    LambdaPool,
    PayloadTooLargeError,
    TaskFailed,
    new_attempt_id,
)


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
        # The key is free, because its final event has been handed out.
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


def test_the_name_of_a_method_has_its_class() -> None:
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
    with pytest.raises(ValueError, match="max_running_tasks is 3"):
        LambdaPool({**builtin(), "max_running_tasks": 3}, max_workers=2)
    with pytest.raises(ValueError, match=r"max_workers must be greater than 0 \(is 0\)"):
        LambdaPool(builtin(), max_workers=0)
    for text in ("no JSON", "[1]", "null", "{"):
        with pytest.raises(InvalidConfigError):
            LambdaPool(text, max_workers=2)


def test_options_add_up() -> None:
    with LambdaPool(local(), env={"ONE": "pool"}) as pool:
        named = pool.options(timeout=0.3, env={"TWO": "2"}).options(key="named").options(env={"THREE": "3"})
        completed = named.submit('echo "$ONE $TWO $THREE"').result(DEADLINE)
        assert (completed.key, completed.output) == ("named", "pool 2 3\n")
        error = named.options(key="slow").submit("sleep 60").exception(DEADLINE)
        assert isinstance(error, TaskFailed)
        assert (error.key, error.reason) == ("slow", "timeout")


def test_options_of_one_submission() -> None:
    attempt_id = new_attempt_id()
    with LambdaPool(builtin()) as pool:
        options = pool.options(key="mine", attempt_id=attempt_id, result_timeout=3600)
        assert options.submit("true").result(DEADLINE).event.attempt_id == attempt_id
        with pytest.raises(ValueError, match="option attempt_id is only for one task"):
            pool.options(attempt_id=attempt_id).map(["true"])
        with pytest.raises(InvalidArgumentError, match="result_timeout"):
            pool.options(result_timeout=-1).submit("true")
