"""Calls that never wait: what Executor and AsyncExecutor have in common."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from . import _handle, _native, errors
from .event import Event
from .statuses import State, Status
from .task import Command, Task, fill, text, utf8


class Counts(NamedTuple):
    """How many tasks and events are where."""

    queued: int
    """Tasks waiting to be submitted."""
    submitting: int
    """Tasks whose Invoke is under way."""
    running: int
    """Tasks that Lambda has accepted, adopted ones included."""
    waiting_events: int
    """Events that `sync` would hand out now."""
    unacknowledged: int
    """Final events handed out and not yet acknowledged."""


class PromptCalls:
    """Every method may be called from any thread. In a child after fork all raise ForkedError; create another there."""

    def __init__(self, handle: _handle.Handle) -> None:
        self._handle = handle
        self._library = handle.library

    def __repr__(self) -> str:
        state = "of the parent process" if self._handle.forked else "closed" if self._handle.closed else "open"
        return f"<{type(self).__name__}: {state}>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("an Executor belongs to its process: create one in the other process")

    # Tasks in

    def queue(
        self,
        key: str,
        command: Command,
        *,
        tag: int = 0,
        executor_config: Mapping[str, Any] | None = None,
        queue: str = "",
        timeout: float | None = None,
        max_wait: float | None = None,
    ) -> None:
        """Hands one task in; never waits on the network.

        command: a program and its arguments, or one string for the shell. The other arguments: see Task.

        Raises Duplicate, QueueFull, InvalidArgumentError, PayloadTooLargeError, ClosedError (also while draining).
        """
        native = _native.Task()
        fill(native, Task(key, command, tag, executor_config, queue, timeout, max_wait))
        self._one("lambda_executor_queue", key, ctypes.byref(native))

    def queue_many(self, tasks: Iterable[Task]) -> list[Status]:
        """Hands tasks in at once, cheaper than one by one: the status of each, in their order.

        After a QUEUE_FULL all later ones are QUEUE_FULL. A failure is told in full where the task is queued alone.
        """
        natives = _natives("queue_many", tasks)
        results = (ctypes.c_int32 * len(natives))()
        self._handle.checked("lambda_executor_queue_batch", natives, len(natives), results, None)
        return [Status(result) for result in results]

    def adopt(self, key: str, *, tag: int = 0, queue: str = "", attempt_id: str = "") -> None:
        """Takes over a task that an executor of an earlier process submitted: its final event comes here.

        attempt_id: as the task's RUNNING event told; without, any earlier result of the key is taken for this one's.

        Raises Duplicate where the key or the attempt_id is tracked already.
        """
        native = _native.Task()
        fill(native, Task(key, tag=tag, queue=queue, attempt_id=attempt_id))
        result = ctypes.c_int32()
        error = ctypes.c_void_p()
        status = self._handle.call(
            "lambda_executor_adopt", ctypes.byref(native), 1, ctypes.byref(result), ctypes.byref(error)
        )
        self._raise_for(status or result.value, key, error)

    def adopt_many(self, tasks: Iterable[Task]) -> list[Status]:
        """Takes over many: the status of each. Read of a task: key, tag, queue, attempt_id."""
        natives = _natives("adopt_many", tasks)
        results = (ctypes.c_int32 * len(natives))()
        self._handle.checked("lambda_executor_adopt", natives, len(natives), results)
        return [Status(result) for result in results]

    # Events out

    def ack(self, events: Iterable[Event | int]) -> None:
        """With option ack "manual": these events, or their seqs, are safe; their results may leave the queue."""
        seqs = [event.seq if isinstance(event, Event) else event for event in events]
        self._handle.checked("lambda_executor_ack", (ctypes.c_uint64 * len(seqs))(*seqs), len(seqs))

    def fileno(self) -> int:
        """A descriptor for select, poll or epoll: readable exactly while events wait, or once the executor is closed.

        Never read, write or close it; it lives until `close`.
        """
        descriptor = self._handle.call("lambda_executor_wakeup_fd")
        if descriptor < 0:
            raise errors.error(descriptor, self._handle.explanation(descriptor))
        return descriptor

    @property
    def wakeup_fd(self) -> int:
        """The same as fileno()."""
        return self.fileno()

    # Tasks under way

    def state(self, key: str) -> State:
        """State of the newest task of a key; UNKNOWN where there is no such task."""
        name = utf8("key", key)
        state = ctypes.c_int32()
        self._handle.checked("lambda_executor_state", name, len(name), ctypes.byref(state))
        return State(state.value)

    def describe(self, key: str) -> dict[str, Any]:
        """Everything about the newest task of a key, for people and their tools. Raises NotFound."""
        name = utf8("key", key)
        return self._json_of("lambda_executor_describe", name, len(name))

    def counts(self) -> Counts:
        """How many tasks and events are where. Cheap enough for every heartbeat."""
        native = _native.Counts(struct_size=ctypes.sizeof(_native.Counts))
        self._plain("lambda_executor_counts", ctypes.byref(native))
        return Counts(native.queued, native.submitting, native.running, native.waiting_events, native.unacknowledged)

    def cancel(self, key: str) -> bool:
        """Cancels a task: one that waits never runs, one that was submitted is given up. It gets a CANCELLED event.

        False where it has finished, or there is no such task.
        """
        native = text("key", key)
        result = ctypes.c_int32()
        error = ctypes.c_void_p()
        status = self._handle.call(
            "lambda_executor_cancel", ctypes.byref(native), 1, ctypes.byref(result), ctypes.byref(error)
        )
        outcome = status or result.value
        if outcome < 0:
            self._raise_for(outcome, key, error)
        return outcome == _native.OK

    def cancel_many(self, keys: Iterable[str]) -> list[Status]:
        """Cancels tasks: OK or NOT_FOUND for each."""
        natives = [text("keys", key) for key in keys]
        results = (ctypes.c_int32 * len(natives))()
        array = (_native.Str * len(natives))(*natives)
        self._handle.checked("lambda_executor_cancel", array, len(natives), results)
        return [Status(result) for result in results]

    # The service

    def set_credentials(self, access_key_id: str, secret_access_key: str, session_token: str | None = None) -> None:
        """New AWS credentials for every call to AWS that starts from now on. Running tasks are not touched."""
        credentials = {"access_key_id": access_key_id, "secret_access_key": secret_access_key}
        if session_token is not None:
            credentials["session_token"] = session_token
        document = json.dumps(credentials).encode()
        self._handle.checked("lambda_executor_set_credentials", document, len(document))

    def stats(self) -> dict[str, Any]:
        """Counters, gauges, latency histograms and health: see docs/statistics.md."""
        return self._json_of("lambda_executor_stats")

    # How calls are made

    def _one(self, name: str, key: str, *arguments: Any) -> None:  # noqa: ANN401 - what the function of that name takes
        error = ctypes.c_void_p()
        status = self._handle.call(name, *arguments, ctypes.byref(error))
        if status:
            self._raise_for(status, key, error)

    def _raise_for(self, status: int, key: str, error: ctypes.c_void_p) -> None:
        """Raises what a call about one task came to, if it was not OK."""
        told = _handle.take_message(self._library, error.value) if error.value else ""
        if status:
            raise errors.error(status, told or f"{key!r}: {self._handle.explanation(status)}")

    def _plain(self, name: str, *arguments: Any) -> None:  # noqa: ANN401 - what the function of that name takes
        status = self._handle.call(name, *arguments)
        if status:
            raise errors.error(status, self._handle.explanation(status))

    def _json_of(self, name: str, *arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - what the function of that name takes
        size = 4096
        while True:
            buffer = ctypes.create_string_buffer(size)
            needed = ctypes.c_size_t()
            status = self._handle.checked(name, *arguments, buffer, size, ctypes.byref(needed))
            if status == _native.OK:
                document: dict[str, Any] = json.loads(buffer.value)
                return document
            if status != _native.BUFFER_TOO_SMALL:
                raise errors.error(status, self._handle.explanation(status))
            # What is described changes meanwhile: some room for it.
            size = needed.value + 1024


def _natives(name: str, tasks: Iterable[Task]) -> ctypes.Array[_native.Task]:
    listed = list(tasks)
    for place, task in enumerate(listed):
        if not isinstance(task, Task):
            raise TypeError(f"{name}: item {place} is {type(task).__name__}, not Task")
    natives = (_native.Task * len(listed))()
    for native, task in zip(natives, listed):
        fill(native, task)
    return natives
