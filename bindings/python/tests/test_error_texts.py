"""Error messages name Python's arguments, not fields of the C library."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from pool_support import DEADLINE, builtin

from lambda_executor import (
    Error,
    Executor,
    InvalidArgumentError,
    InvalidConfigError,
    LambdaPool,
    Task,
    TaskFailed,
    _native,
    errors,
)

#: Names that only C has: struct fields, parameters, functions, macros, status codes.
OF_C = re.compile(
    r"\bargv\b|\bargc\b|_json\b|\bNULL\b|\bstruct\w*|(?<!end_wait_)timeout_ms|max_wait_ms|result_timeout_ms"
    r"|\blambda_executor_\w+|\bLAMBDA_EXECUTOR_\w+|\bERR_\w+|\bn is \d|\bfree the\b|SIZE_MAX"
)

MANY = _native.MAX_BATCH + 1

Call = Callable[[Executor], object]

WRONG_CALLS: dict[str, Call] = {
    "no command": lambda executor: executor.queue("k", None),  # type: ignore[arg-type]
    "an empty list": lambda executor: executor.queue("k", []),
    "an empty program": lambda executor: executor.queue("k", [""]),
    "an empty line": lambda executor: executor.queue("k", " "),
    "a number in the list": lambda executor: executor.queue("k", ["a", 1]),  # type: ignore[list-item]
    "a number": lambda executor: executor.queue("k", 5),  # type: ignore[arg-type]
    "a mapping": lambda executor: executor.queue("k", {}),  # type: ignore[arg-type]
    "bytes": lambda executor: executor.queue("k", b"true"),  # type: ignore[arg-type]
    "a NUL in an argument": lambda executor: executor.queue("k", ["a", "b\0"]),
    "a NUL in a line": lambda executor: executor.queue("k", "a\0"),
    "half a surrogate pair": lambda executor: executor.queue("k", "\ud800"),
    "a list as executor_config": lambda executor: executor.queue("k", "true", executor_config=[]),  # type: ignore[arg-type]
    "text as executor_config": lambda executor: executor.queue("k", "true", executor_config="x"),  # type: ignore[arg-type]
    "an empty key": lambda executor: executor.queue("", "true"),
    "a long key": lambda executor: executor.state("k" * 9000),
    "a NUL in the key": lambda executor: executor.wait("a\0b"),
    "an attempt_id to queue": lambda executor: executor.queue("k", "true", attempt_id="x"),
    "an attempt_id to adopt": lambda executor: executor.adopt("k", attempt_id="x"),
    "a tag": lambda executor: executor.queue("k", "true", tag=-1),
    "timeout 0": lambda executor: executor.queue("k", "true", timeout=0),
    "max_wait -1": lambda executor: executor.queue("k", "true", max_wait=-1),
    "result_timeout nan": lambda executor: executor.adopt("k", result_timeout=float("nan")),
    "too many tasks": lambda executor: executor.queue_many([Task("k", "true")] * MANY),
    "too many keys": lambda executor: executor.cancel_many(["k"] * MANY),
    "a seq below 0": lambda executor: executor.ack([-1]),
    "a seq too large": lambda executor: executor.ack([2**64]),
    "an empty access key": lambda executor: executor.set_credentials("", "secret"),
    "max_events": lambda executor: executor.sync(0, -1),
    "sync nan": lambda executor: executor.sync(float("nan")),
    "drain -3": lambda executor: executor.drain(-3),
}


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with Executor({"local": {"handler": "builtin"}}) as executor:
        yield executor


@pytest.mark.parametrize("call", WRONG_CALLS)
def test_a_wrong_argument_is_refused_in_the_words_of_python(call: str, executor: Executor) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        WRONG_CALLS[call](executor)
    assert not OF_C.search(raised.value.message), raised.value.message
    assert str(raised.value) == raised.value.message


def test_wrong_entries_of_a_list_are_refused_in_the_words_of_python(executor: Executor) -> None:
    lists = [
        executor.queue_many([Task("no command")]),
        executor.queue_many([Task("k", [])]),
        executor.queue_many([Task("k", "true", executor_config=[])]),  # type: ignore[arg-type]
        executor.adopt_many([Task("k", attempt_id="x")]),
        executor.cancel_many([""]),
    ]
    for statuses in lists:
        assert isinstance(statuses.first_error, InvalidArgumentError)
        assert not OF_C.search(statuses.first_error.message), statuses.first_error.message
        assert re.match(r"(tasks|keys)\[0\]: ", statuses.first_error.message)


def test_an_option_of_earlier_versions_is_refused_in_the_words_of_python() -> None:
    with pytest.raises(InvalidConfigError) as raised:
        Executor({"local": {}, "ack": "manual"})
    assert not OF_C.search(raised.value.message), raised.value.message


def test_the_error_of_one_task_speaks_of_no_list(executor: Executor) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^task `k`: attempt_id is not a UUID"):
        executor.adopt("k", attempt_id="x")
    with pytest.raises(InvalidArgumentError, match=r"^key is empty"):
        executor.cancel("")


def test_the_key_of_a_task_is_quoted_as_it_is(executor: Executor) -> None:
    key = "command_json `: executor_config_json "
    with pytest.raises(InvalidArgumentError) as raised:
        executor.queue(key, [])
    assert raised.value.message.startswith(f"task `{key}`: command is an empty list")


def test_a_failure_in_a_pool_speaks_of_the_options_of_python() -> None:
    with LambdaPool(builtin(), max_workers=1) as pool:
        blocks = pool.options(executor_config={"builtin": {"duration_ms": 600_000}}).submit("true")
        error = pool.options(max_wait=0.05).submit("true").exception(DEADLINE)
        blocks.abandon()
    assert isinstance(error, TaskFailed)
    assert "longer than its max_wait;" in str(error)
    assert not OF_C.search(str(error)), str(error)


def test_the_end_of_a_broken_executor_speaks_of_close() -> None:
    said = "panic: index out of bounds. This is a bug in lambda_executor; free the executor and create a new one"
    assert errors.in_python(said).endswith("; close the executor and create another one")


def test_no_default_text_of_an_error_names_the_fields_of_c() -> None:
    for kind in (Error, *errors.CLASSES.values()):
        assert not OF_C.search(kind.__doc__ or ""), kind


def test_a_negative_timeout_of_drain_is_refused_and_drains_nothing(executor: Executor) -> None:
    for timeout in (-1, -3.0):
        with pytest.raises(InvalidArgumentError, match=rf"^timeout: {timeout} s is less than 0 \(allowed: 0 or more"):
            executor.drain(timeout)
    executor.queue("still accepted", "true")


def test_more_events_than_one_call_takes_are_acknowledged() -> None:
    with Executor({"local": {"handler": "builtin"}}) as executor:
        executor.queue("k", "true")
        executor.wait("k", DEADLINE)
        batch = executor.sync()
        executor.ack(range(MANY + 1))
        assert executor.counts().unacknowledged == 0
        assert len(batch) == 2
