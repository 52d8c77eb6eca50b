"""Calls that never wait, which Executor and AsyncExecutor share."""

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
    """Numbers of tasks and events."""

    queued: int
    """Tasks waiting to be submitted."""
    submitting: int
    """Tasks whose Invoke is in flight, or whose answer was lost."""
    running: int
    """Tasks that Lambda has accepted, adopted ones included."""
    waiting_events: int
    """Events that have not been handed out."""
    unacknowledged: int
    """Events that have been handed out and not acknowledged."""


class Statuses(list[Status]):
    """The status of each entry of a call on many tasks."""

    first_error: errors.Error | None = None
    """The error of the first entry that failed (negative status), or None."""


class PromptCalls:
    """Every method may be called from any thread. In a forked child, all raise ForkedError: create another executor."""

    def __init__(self, handle: _handle.Handle) -> None:
        self._handle = handle
        self._library = handle.library

    def __repr__(self) -> str:
        state = "of the parent process" if self._handle.forked else "closed" if self._handle.closed else "open"
        return f"<{type(self).__name__}: {state}>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("an Executor belongs to its process and cannot be pickled: create one in the other process")

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
        attempt_id: str = "",
        result_timeout: float | None = None,
    ) -> None:
        """Submits one task; never waits on the network.

        command: a program and its arguments, or one string for the shell. The other arguments: see Task.

        Raises Duplicate, QueueFull, InvalidArgumentError, PayloadTooLargeError, ClosedError (also while draining).
        """
        native = _native.Task()
        fill(native, Task(key, command, tag, executor_config, queue, timeout, max_wait, attempt_id, result_timeout))
        self._one("lambda_executor_queue", key, ctypes.byref(native))

    def queue_many(self, tasks: Iterable[Task]) -> Statuses:
        """Submits tasks in one call, which is cheaper than one by one. Returns the status of each, in their order.

        After a QUEUE_FULL, all later ones are QUEUE_FULL. `first_error` of the list is the error of the first one that
        failed.
        """
        natives = _natives("queue_many", tasks)
        # Without the number of accepted tasks, which the statuses show.
        return self._many("lambda_executor_queue_batch", natives, None)

    def adopt(
        self, key: str, *, tag: int = 0, queue: str = "", attempt_id: str = "", result_timeout: float | None = None
    ) -> None:
        """Tracks a task that an executor of an earlier process submitted. This executor then reports its final event.

        attempt_id: that of its submission. Without it, any earlier result of the key ends the task.
        result_timeout: seconds from now, without a result, until the task is LOST.

        Raises Duplicate if the key or the attempt_id is tracked already.
        """
        native = _native.Task()
        fill(native, Task(key, tag=tag, queue=queue, attempt_id=attempt_id, result_timeout=result_timeout))
        status, error = self._single("lambda_executor_adopt", native)
        self._raise_for(status, key, error)

    def adopt_many(self, tasks: Iterable[Task]) -> Statuses:
        """Tracks many tasks, and returns the status of each. Uses these fields of a task: key, tag, queue, attempt_id,
        result_timeout."""
        return self._many("lambda_executor_adopt", _natives("adopt_many", tasks))

    # Events out

    def ack(self, events: Event | Iterable[Event | int]) -> None:
        """Acknowledges one or more events, given as events or as their seqs, so that their results are deleted from
        their queue. Call it when you have stored what you need. An event that is not acknowledged is handed out again
        when its batch is freed.

        Every event must be acknowledged, also RUNNING. Acknowledging a final event includes the RUNNING event of the
        same task. Works until the executor is freed, also after `stop`.
        """
        # Checked first, because an event is a tuple: its fields would be taken for seqs.
        many = (events,) if isinstance(events, Event) else events
        seqs = [event.seq if isinstance(event, Event) else event for event in many]
        for seq in seqs:
            if not isinstance(seq, int):
                raise TypeError(f"ack: {type(seq).__name__} is neither an Event nor its seq")
        if seqs and not 0 <= min(seqs) <= max(seqs) < 2**64:
            # ctypes would silently truncate them.
            raise errors.InvalidArgumentError("ack: a seq is a number from 0 to 2**64 - 1")
        for first in range(0, len(seqs), _native.MAX_BATCH) or (0,):
            some = seqs[first : first + _native.MAX_BATCH]
            self._handle.checked("lambda_executor_ack", (ctypes.c_uint64 * len(some))(*some), len(some))

    def fileno(self) -> int:
        """A descriptor for select, poll or epoll. It is readable while events wait that have not been handed out, and
        when a drain is over or the executor is stopped or broken. The next `sync` shows which.

        Never read, write or close it. It is valid until `close`.
        """
        descriptor = ctypes.c_int(-1)
        self._handle.checked("lambda_executor_wakeup_fd", ctypes.byref(descriptor))
        return descriptor.value

    @property
    def wakeup_fd(self) -> int:
        """The same as fileno()."""
        return self.fileno()

    # Tracked tasks

    def state(self, key: str) -> State:
        """State of the newest task of a key; UNKNOWN if there is no such task. Also after `stop`."""
        name = utf8("key", key)
        state = ctypes.c_int32()
        self._handle.checked("lambda_executor_state", name, len(name), ctypes.byref(state))
        return State(state.value)

    def describe(self, key: str) -> dict[str, Any]:
        """Everything known about the newest task of a key, for debugging. Also after `stop`.

        Raises NotFound.
        """
        name = utf8("key", key)
        return self._json_of("lambda_executor_describe", name, len(name))

    def counts(self) -> Counts:
        """Counts tasks and events. Cheap enough for every heartbeat. Also after `stop`."""
        native = _native.Counts(struct_size=ctypes.sizeof(_native.Counts))
        self._handle.checked("lambda_executor_counts", ctypes.byref(native))
        return Counts(native.queued, native.submitting, native.running, native.waiting_events, native.unacknowledged)

    def cancel(self, key: str) -> bool:
        """Cancels a task. A waiting task is never submitted. A submitted task may still run, and its result is
        discarded. The task gets a CANCELLED event.

        False if the task has finished, or there is no such task.
        """
        status, error = self._single("lambda_executor_cancel", text("key", key))
        if status < 0:
            self._raise_for(status, key, error)
        return status == _native.OK

    def cancel_many(self, keys: Iterable[str]) -> Statuses:
        """Cancels tasks: OK or NOT_FOUND for each."""
        if isinstance(keys, str):
            raise TypeError("keys must be an iterable of strings, not one string")
        natives = [text("keys", key) for key in keys]
        _check_number("cancel_many", len(natives), "keys")
        return self._many("lambda_executor_cancel", (_native.Str * len(natives))(*natives))

    # The service

    def set_credentials(self, access_key_id: str, secret_access_key: str, session_token: str | None = None) -> None:
        """Sets AWS credentials for every call to AWS that starts from now on. Running tasks are not affected."""
        credentials = {"access_key_id": access_key_id, "secret_access_key": secret_access_key}
        if session_token is not None:
            credentials["session_token"] = session_token
        document = json.dumps(credentials).encode()
        self._handle.checked("lambda_executor_set_credentials", document, len(document))

    def stats(self) -> dict[str, Any]:
        """Counters, gauges, latency histograms and health: see docs/statistics.md. Also after `stop`."""
        return self._json_of("lambda_executor_stats")

    # How calls are made

    def _one(self, name: str, key: str, *arguments: Any) -> None:  # noqa: ANN401 - what the function of that name takes
        error = ctypes.c_void_p()
        status = self._handle.call(name, *arguments, ctypes.byref(error))
        if status:
            self._raise_for(status, key, error)

    def _single(self, name: str, native: _native.Task | _native.Str) -> tuple[int, ctypes.c_void_p]:
        """Calls a function for many tasks with one entry. Returns its status, and the error of the entry or call."""
        result, error = ctypes.c_int32(), ctypes.c_void_p()
        # One variable for both errors: at most one of them is set.
        status = self._handle.call(
            name, ctypes.byref(native), 1, ctypes.byref(result), ctypes.byref(error), ctypes.byref(error)
        )
        return (result.value if status == _native.PARTIAL else status), error

    def _many(self, name: str, natives: ctypes.Array[Any], *more: None) -> Statuses:
        results = (ctypes.c_int32 * len(natives))()
        first_error = ctypes.c_void_p()
        self._handle.checked(name, natives, len(natives), results, *more, ctypes.byref(first_error))
        statuses = Statuses(map(Status, results))
        if first_error.value:
            statuses.first_error = _handle.take_error(self._library, first_error.value)
        return statuses

    def _raise_for(self, status: int, key: str, error: ctypes.c_void_p) -> None:
        """Raises unless the status of a call about one task is OK."""
        if error.value:
            made = _handle.take_error(self._library, error.value)
            # Without the index of an array: the caller has passed one task.
            for entry in ("tasks[0]: ", "keys[0]: "):
                made.message = made.message[len(entry) :] if made.message.startswith(entry) else made.message
            made.args = (made.message,)
            raise made
        if status:
            raise errors.error(status, f"{key!r}: {self._handle.explanation(status)}")

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
            # With reserve, because the text may grow before the next call.
            size = needed.value + 1024


def _natives(name: str, tasks: Iterable[Task]) -> ctypes.Array[_native.Task]:
    listed = list(tasks)
    _check_number(name, len(listed), "tasks")
    for place, task in enumerate(listed):
        if not isinstance(task, Task):
            raise TypeError(f"{name}: item {place} is {type(task).__name__}, not Task")
    natives = (_native.Task * len(listed))()
    for native, task in zip(natives, listed):
        fill(native, task)
    return natives


def _check_number(call: str, number: int, what: str) -> None:
    if number > _native.MAX_BATCH:
        raise errors.InvalidArgumentError(f"{call}: {number:,} {what} (at most {_native.MAX_BATCH:,} in one call)")
