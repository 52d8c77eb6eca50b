"""Each method of Executor."""

from __future__ import annotations

import json
import pickle
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import BUILTIN

from lambda_executor import (
    ClosedError,
    Duplicate,
    Error,
    Event,
    Executor,
    InvalidArgumentError,
    InvalidConfigError,
    NotFound,
    PayloadTooLargeError,
    QueueFull,
    Reason,
    State,
    Status,
    Task,
    errors,
    new_attempt_id,
)


def queue(executor: Executor, key: str, duration_ms: int = 0) -> None:
    executor.queue(key, ["true"], executor_config={"builtin": {"duration_ms": duration_ms}})


def final(executor: Executor, key: str, seconds: float = 60) -> Event:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        batch = executor.sync(1.0)
        batch.ack()
        for event in batch:
            if event.key == key and event.state.final:
                return event
    raise AssertionError(f"no final event of {key}")


def running(executor: Executor, key: str) -> Event:
    for event in executor.events(60):
        if event.key == key:
            assert event.state is State.RUNNING
            executor.ack(event)
            return event
    raise AssertionError(f"{key} does not run")


def test_events_tell_everything() -> None:
    with Executor({"local": {}}) as executor:
        before = time.time()
        command = 'printf "grüße\\n"; printf "\\377\\000" >"$LAMBDA_EXECUTOR_RESULT_FILE"; exit 3'
        executor.queue("schlüssel", command, tag=2**64 - 1, executor_config={"a": ["b"]}, timeout=30.0, max_wait=60)
        first = running(executor, "schlüssel")
        last = final(executor, "schlüssel")
    assert (first.seq, first.tag, first.return_code, first.reason) == (1, 2**64 - 1, None, Reason.NONE)
    assert first.started_at is None
    assert (last.seq, last.state, last.reason, last.return_code) == (2, State.FAILED, Reason.EXIT, 3)
    assert (last.output_tail, last.value, last.signal, last.attempts) == ("grüße\n", b"\xff\x00", 0, 1)
    assert "3" in last.message
    assert last.request_id == first.request_id != ""
    assert last.attempt_id == first.attempt_id != ""
    assert last.log_stream
    times = [last.queued_at, last.submitted_at, last.started_at, last.finished_at]
    # The library counts in ms.
    assert all(at is not None and before - 0.001 <= at <= time.time() + 0.001 for at in times)


def test_events_are_values(builtin: Executor) -> None:
    queue(builtin, "one")
    event = final(builtin, "one")
    with pytest.raises(AttributeError):
        event.key = "other"  # type: ignore[misc]
    assert not hasattr(event, "__dict__")
    assert pickle.loads(pickle.dumps(event)) == event
    assert str(event.state) == f"{event.state}" == "succeeded"


def test_commands_as_list_and_for_the_shell() -> None:
    with Executor({"local": {}}) as executor:
        executor.queue("tuple", ("printf", "<%s>", "two words", "$HOME"))
        assert final(executor, "tuple").output_tail == "<two words><$HOME>"
        executor.queue("shell", "echo $((6 * 7)); kill -KILL $$")
        last = final(executor, "shell")
        assert (last.output_tail, last.reason, last.signal, last.return_code) == ("42\n", Reason.SIGNAL, 9, -9)


@pytest.mark.parametrize(
    "arguments",
    [
        {"key": ""},
        {"key": "\ud800"},
        {"command": []},
        {"command": ["a", 1]},
        {"command": [b"a"]},
        {"command": b"a"},
        {"command": ["nul\0inside"]},
        {"tag": -1},
        {"tag": 2**64},
        {"executor_config": []},
        {"executor_config": {"a": object()}},
        {"executor_config": {"a": float("nan")}},
        {"timeout": 0},
        {"timeout": -1.0},
        {"max_wait": 0},
        {"max_wait": float("nan")},
    ],
    ids=repr,
)
def test_wrong_arguments_are_refused(builtin: Executor, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        builtin.queue(**{"key": "key", "command": ["true"], **arguments})
    assert caught.value.message
    assert builtin.counts().queued + builtin.counts().running == 0


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("tag", lambda executor: executor.queue("key", ["true"], tag="x")),
        ("timeout", lambda executor: executor.queue("key", ["true"], timeout="3")),
        ("max_wait", lambda executor: executor.queue("key", ["true"], max_wait="3")),
        ("timeout", lambda executor: executor.sync("1")),
        ("max_events", lambda executor: executor.sync(0, "1")),
        ("timeout", lambda executor: executor.drain(timeout="x")),
        ("timeout", lambda executor: executor.check_health("x")),
        ("queue_many: item 0", lambda executor: executor.queue_many(["true"])),
        ("queue_many: item 0", lambda executor: executor.queue_many(Task("key", ["true"]))),
        ("queue_many: item 1", lambda executor: executor.queue_many([Task("key", ["true"]), tuple(Task("other"))])),
        ("adopt_many: item 0", lambda executor: executor.adopt_many(["key"])),
        ("logger", lambda executor: Executor(BUILTIN, logger="x")),  # type: ignore[arg-type]
        ("config: int is neither a mapping, JSON text nor None", lambda executor: Executor(3)),  # type: ignore[arg-type]
        ("config", lambda executor: Executor(b"{}")),  # type: ignore[arg-type]
    ],
)
def test_arguments_of_a_wrong_type_are_named(builtin: Executor, name: str, call: Callable[[Executor], object]) -> None:
    with pytest.raises(TypeError, match=f"^{name}"):
        call(builtin)
    assert builtin.counts().queued + builtin.counts().running == 0


def test_an_option_that_is_no_json_is_named() -> None:
    for value in (object(), {"a": {1}}, float("nan")):
        with pytest.raises(InvalidConfigError, match=r"^nope: cannot be written as JSON"):
            Executor({**BUILTIN, "nope": value})


def test_a_path_may_be_part_of_a_command() -> None:
    with Executor({"local": {}}) as executor:
        executor.queue("path", ["echo", Path("/some/file")])
        assert final(executor, "path").output_tail == "/some/file\n"


def test_a_key_that_is_no_text_is_a_type_error(builtin: Executor) -> None:
    with pytest.raises(TypeError, match="key: bytes is not str"):
        builtin.queue(b"key", ["true"])  # type: ignore[arg-type]


def test_what_is_not_accepted_now() -> None:
    with Executor({**BUILTIN, "max_queued_tasks": 1, "max_running_tasks": 1, "max_payload_bytes": 500}) as executor:
        queue(executor, "runs", duration_ms=60_000)
        running(executor, "runs")
        with pytest.raises(PayloadTooLargeError) as caught:
            executor.queue("large", ["x" * 1000])
        assert caught.value.status is Status.ERR_PAYLOAD_TOO_LARGE
        executor.queue("waits", ["true"])
        with pytest.raises(Duplicate, match="'waits'"):
            executor.queue("waits", ["true"])
        with pytest.raises(QueueFull, match="'full'"):
            executor.queue("full", ["true"])


def test_many_at_once(builtin: Executor) -> None:
    tasks = [Task("a", ["true"], tag=1), Task("a", ["true"]), Task("", ["true"]), Task("b", "true", tag=2)]
    statuses = builtin.queue_many(tasks)
    assert statuses == [Status.OK, Status.DUPLICATE, Status.ERR_INVALID_ARGUMENT, Status.OK]
    assert isinstance(statuses.first_error, InvalidArgumentError)
    assert "tasks[2]" in statuses.first_error.message
    assert builtin.queue_many([]) == []
    assert builtin.queue_many([]).first_error is None
    builtin.drain()
    assert {event.key: event.tag for event in builtin.events()} == {"a": 1, "b": 2}


def test_sync_waits_as_long_as_told_and_takes_as_many(builtin: Executor) -> None:
    began = time.monotonic()
    assert builtin.sync(0.2) == ()
    assert time.monotonic() - began >= 0.2
    assert builtin.sync() == ()
    queue(builtin, "one")
    deadline = time.monotonic() + 60
    while builtin.counts().waiting_events < 2:
        assert time.monotonic() < deadline
        select.select([builtin], [], [], 0.1)
    first, second = builtin.sync(None, 1), builtin.sync(None, 1)
    assert [event.state for event in first + second] == [State.RUNNING, State.SUCCEEDED]
    with pytest.raises(InvalidArgumentError):
        builtin.sync(max_events=-1)
    with pytest.raises(InvalidArgumentError):
        builtin.sync(float("nan"))


def test_the_loop_over_events_ends_when_none_comes(builtin: Executor) -> None:
    assert list(builtin.events(0.1)) == []
    for timeout in (None, 60):
        builtin.wake()
        assert list(builtin.events(timeout)) == []


def test_the_descriptor_is_readable_while_events_wait(builtin: Executor) -> None:
    assert builtin.fileno() == builtin.wakeup_fd
    assert select.select([builtin], [], [], 0)[0] == []
    queue(builtin, "one")
    assert select.select([builtin], [], [], 60)[0] == [builtin]
    assert final(builtin, "one").state is State.SUCCEEDED
    assert select.select([builtin], [], [], 0)[0] == []


def test_state_describe_and_counts(builtin: Executor) -> None:
    assert builtin.state("one") is State.UNKNOWN
    with pytest.raises(NotFound):
        builtin.describe("one")
    queue(builtin, "one", duration_ms=60_000)
    running(builtin, "one")
    assert builtin.state("one") is State.RUNNING
    assert builtin.describe("one")["state"] == "running"
    assert builtin.counts() == (0, 0, 1, 0, 0)


def test_describe_has_room_for_what_is_long(builtin: Executor) -> None:
    key = "k" * 8192
    queue(builtin, key, duration_ms=60_000)
    assert builtin.describe(key)["key"] == key


def test_cancel(builtin: Executor) -> None:
    queue(builtin, "one", duration_ms=60_000)
    running(builtin, "one")
    assert builtin.cancel("one") is True
    assert builtin.cancel("one") is False
    last = final(builtin, "one")
    assert (last.state, last.reason) == (State.CANCELLED, Reason.ABANDONED)
    queue(builtin, "two", duration_ms=60_000)
    assert builtin.cancel_many(["two", "unknown", ""]) == [Status.OK, Status.NOT_FOUND, Status.ERR_INVALID_ARGUMENT]
    with pytest.raises(InvalidArgumentError):
        builtin.cancel("")


def test_adopt(builtin: Executor) -> None:
    builtin.adopt("one", tag=7)
    assert builtin.state("one") is State.RUNNING
    with pytest.raises(Duplicate):
        builtin.adopt("one")
    with pytest.raises(InvalidArgumentError, match="attempt_id"):
        builtin.adopt("two", attempt_id="no uuid")
    statuses = builtin.adopt_many([Task("one"), Task("three"), Task("")])
    assert statuses == [Status.DUPLICATE, Status.OK, Status.ERR_INVALID_ARGUMENT]
    builtin.cancel("one")
    assert final(builtin, "one").tag == 7


def test_drain(builtin: Executor) -> None:
    queue(builtin, "slow", duration_ms=60_000)
    running(builtin, "slow")
    assert builtin.drain(timeout=0) == 1
    assert builtin.drain(timeout=0.1) == 1
    with pytest.raises(ClosedError):
        builtin.queue("late", ["true"])
    builtin.cancel("slow")
    assert builtin.drain(timeout=None) == 0
    assert builtin.drain() == 0


def test_drain_that_has_no_room_for_results(builtin: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    # 100,000 results would take long, so the library's answer is replaced.
    monkeypatch.setattr(builtin._handle, "checked", lambda *_: Status.QUEUE_FULL)
    with pytest.raises(QueueFull, match="take and acknowledge them, then drain again"):
        builtin.drain(60)


def test_waiting_for_one_task(builtin: Executor) -> None:
    queue(builtin, "one", duration_ms=200)
    queue(builtin, "slow", duration_ms=60_000)
    began = time.monotonic()
    assert not builtin.wait("slow", 0.1).final
    assert time.monotonic() - began >= 0.1
    assert builtin.wait("one") is State.SUCCEEDED
    # The task's events still wait.
    assert final(builtin, "one").return_code == 0
    builtin.wake()
    assert builtin.wait("slow") is State.RUNNING
    with pytest.raises(NotFound, match="'unknown'"):
        builtin.wait("unknown")


def test_an_attempt_id_made_before_the_task_is_queued(builtin: Executor) -> None:
    attempt_id = new_attempt_id()
    assert attempt_id != new_attempt_id()
    builtin.queue("one", ["true"], attempt_id=attempt_id)
    # The same submission again, as after a crash.
    with pytest.raises(Duplicate):
        builtin.queue("one", ["true"], attempt_id=attempt_id)
    assert final(builtin, "one").attempt_id == attempt_id
    with pytest.raises(InvalidArgumentError, match="attempt_id"):
        builtin.queue("two", ["true"], attempt_id="no uuid")


def test_a_result_that_says_what_it_lacks() -> None:
    with Executor({"local": {}}) as executor:
        executor.queue("long", "seq 100000")
        executor.queue("large", 'head -c 180001 /dev/zero >"$LAMBDA_EXECUTOR_RESULT_FILE"')
        executor.queue("short", "echo short")
        executor.drain()
        last = {event.key: event for event in executor.events() if event.state.final}
    assert (last["long"].output_length, last["long"].output_truncated) == (588_895, True)
    assert len(last["long"].output_tail) <= 4096
    assert last["long"].output_tail.endswith("\n100000\n")
    assert (last["large"].state, last["large"].reason) == (State.FAILED, Reason.VALUE_TOO_LARGE)
    assert (last["large"].value, last["large"].value_dropped) == (b"", True)
    assert (last["short"].output_length, last["short"].output_truncated) == (6, False)
    assert not last["short"].value_dropped
    assert "output_truncated" not in repr(last["short"])


def test_drain_waits_as_long_as_configured() -> None:
    with Executor({**BUILTIN, "end_wait_timeout": 1}) as executor:
        queue(executor, "slow", duration_ms=60_000)
        began = time.monotonic()
        assert executor.drain() == 1
        # The library counts in ms.
        assert 0.99 <= time.monotonic() - began < 30


def test_drain_can_cancel_what_waits() -> None:
    with Executor({**BUILTIN, "max_running_tasks": 1}) as executor:
        queue(executor, "runs", duration_ms=300)
        running(executor, "runs")
        executor.queue("waits", ["true"])
        assert executor.drain(60, cancel_queued=True) == 0
        assert final(executor, "waits").reason is Reason.NEVER_INVOKED


def test_wake_ends_the_next_wait(builtin: Executor) -> None:
    builtin.wake()
    began = time.monotonic()
    assert builtin.sync(60) == ()
    assert time.monotonic() - began < 30
    assert builtin.sync(0.1) == ()


def polls(thread: threading.Thread) -> bool:
    """Whether the thread is in the system call poll, 7 on x86_64."""
    return Path(f"/proc/self/task/{thread.native_id}/syscall").read_text().split()[0] == "7"


def test_wake_ends_every_wait_under_way(builtin: Executor) -> None:
    ended: list[tuple[Event, ...]] = []
    waiting = [threading.Thread(target=lambda: ended.append(builtin.sync(60))) for _ in range(4)]
    for thread in waiting:
        thread.start()
    deadline = time.monotonic() + 60
    # A wake ends only waits that have begun.
    while not all(polls(thread) for thread in waiting):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    began = time.monotonic()
    builtin.wake()
    for thread in waiting:
        thread.join(60)
    assert ended == [()] * 4
    assert time.monotonic() - began < 30


def test_health_and_statistics(builtin: Executor) -> None:
    builtin.check_health(60)
    assert builtin.stats()["health"]["state"] == "healthy"


def test_credentials_of_ones_own(builtin: Executor) -> None:
    with pytest.raises(InvalidArgumentError):
        builtin.set_credentials("", "")
    builtin.set_credentials("AKIDUNKNOWN", "secret", "token")
    with pytest.raises(errors.CredentialsError):
        builtin.check_health(60)


def test_a_wrong_configuration_is_told_at_once() -> None:
    with pytest.raises(InvalidConfigError) as caught:
        Executor({**BUILTIN, "nope": 1, "log": "maybe"})
    assert caught.value.status is Status.ERR_INVALID_CONFIG
    assert "nope: unknown option" in caught.value.message.splitlines()
    assert any(line.startswith("log: ") for line in caught.value.message.splitlines())
    with pytest.raises(InvalidConfigError):
        Executor("no JSON")


def test_configuration_as_text() -> None:
    with Executor(json.dumps(BUILTIN)) as executor:
        assert executor.sync() == ()
        assert repr(executor) == "<Executor: open>"


def test_closed_is_closed() -> None:
    executor = Executor(BUILTIN)
    assert executor.close() == 0
    assert executor.close() == 0
    for call in (
        lambda: executor.queue("a", ["true"]),
        lambda: executor.queue_many([Task("a", ["true"])]),
        lambda: executor.sync(None),
        lambda: executor.state("a"),
        lambda: executor.describe("a"),
        executor.counts,
        lambda: executor.cancel("a"),
        lambda: executor.adopt("a"),
        executor.drain,
        lambda: executor.wait("a"),
        lambda: executor.ack([1]),
        executor.fileno,
        executor.wake,
        executor.check_health,
        executor.stats,
    ):
        with pytest.raises(ClosedError, match=r"the executor is closed$"):
            call()
    executor.stop()
    assert list(executor.events()) == []
    assert repr(executor) == "<Executor: closed>"


def test_stopped_it_still_answers(builtin: Executor) -> None:
    queue(builtin, "one")
    builtin.wait("one")
    batch = builtin.sync(None)
    builtin.stop()
    builtin.stop()
    for call in (lambda: builtin.queue("a", ["true"]), builtin.sync, lambda: builtin.wait("one"), builtin.drain):
        with pytest.raises(ClosedError, match=r"the executor is closed$"):
            call()
    assert builtin.state("one") is State.SUCCEEDED
    assert builtin.describe("one")["state"] == "succeeded"
    assert builtin.counts().unacknowledged == len(batch)
    batch.ack()
    assert builtin.counts().unacknowledged == 0
    builtin.ack(batch)
    assert builtin.stats()


def test_closing_reports_what_it_dropped() -> None:
    executor = Executor({**BUILTIN, "max_running_tasks": 1, "log": "off"}, logger=None)
    queue(executor, "runs", duration_ms=60_000)
    running(executor, "runs")
    executor.queue_many(Task(f"n{i}", ["true"]) for i in range(3))
    assert executor.close() == 3
    assert executor.close() == 3


def test_errors_of_aws_have_its_code() -> None:
    with Executor(BUILTIN, logger=None) as executor:
        executor.set_credentials("AKIDUNKNOWN", "secret", "token")
        with pytest.raises(errors.CredentialsError) as caught:
            executor.check_health(60)
    assert caught.value.aws_code
    assert caught.value.request_id
    assert not caught.value.retriable
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.aws_code, copy.request_id, str(copy)) == (
        caught.value.aws_code,
        caught.value.request_id,
        str(caught.value),
    )


def test_an_executor_is_not_sent_to_another_process(builtin: Executor) -> None:
    with pytest.raises(TypeError, match="belongs to its process"):
        pickle.dumps(builtin)


@pytest.mark.parametrize("kind", list(errors.CLASSES.values()))
def test_errors_can_be_sent_to_another_process(kind: type[Error]) -> None:
    error = kind("what happened\nand why")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.status, copy.message, str(copy)) == (kind, kind.status, error.message, error.message)
