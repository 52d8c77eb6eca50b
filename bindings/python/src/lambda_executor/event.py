"""Events, and how they are read from a batch of the library."""

from __future__ import annotations

import ctypes
import operator
import struct
from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

from . import _native
from .statuses import Reason, State


class Event(NamedTuple):
    """One change of a task. Times are seconds since 1970, None where not known."""

    seq: int
    """Number of the event: starts at 1 in each executor and increases without gaps in the order of the first hand-out.
    An event that is handed out again keeps it."""
    tag: int
    """The number given with the task."""
    key: str
    """The key given with the task."""
    state: State
    """RUNNING or a final state."""
    reason: Reason
    """Why the task ended; NONE with RUNNING."""
    return_code: int | None
    """Exit status of the command; -n when signal n ended it, 126 or 127 when it could not start, 124 on timeout."""
    signal: int
    """Signal that ended the command, also after its time limit; else 0."""
    attempts: int
    """Attempts to invoke that counted. Throttling and outages use none."""
    queued_at: float | None
    """When the task was accepted by `queue`."""
    submitted_at: float | None
    """When Lambda accepted it."""
    started_at: float | None
    """When the command started, by the function's clock."""
    finished_at: float | None
    """When the command ended, by the function's clock; if it did not run, when the executor ended the task."""
    message: str
    """For people: what happened. May be empty."""
    output_tail: str
    """Last part of the command's output, as much as the function's variable LAMBDA_EXECUTOR_OUTPUT_TAIL_BYTES allows
    (4096 bytes by default). See output_truncated."""
    value: bytes
    """What the command wrote to the file named in its variable LAMBDA_EXECUTOR_RESULT_FILE."""
    request_id: str
    """Lambda's id of the request, if known."""
    log_stream: str
    """CloudWatch log stream of the run, if known."""
    attempt_id: str
    """Which submission of the key this is, a UUID. Keep it to adopt the task after a restart."""
    output_length: int = 0
    """Length in bytes of all that the command wrote; 0 if not known."""
    output_truncated: bool = False
    """output_tail is less than all of the output."""
    value_dropped: bool = False
    """The command wrote a result file that could not be sent. Such a task is never SUCCEEDED."""

    def __repr__(self) -> str:
        said = ((name, value) for name, value in zip(self._fields, self) if value is not False)
        filled = (f"{name}={value!r}" for name, value in said if value not in (None, "", b""))
        return f"Event({', '.join(filled)})"


def _layout() -> struct.Struct:
    """The C struct's fields as one format. Unpacking all at once takes a fifth of the time of ctypes' field access."""
    formats: dict[Any, str] = {
        ctypes.c_int32: "i",
        ctypes.c_uint32: "I",
        ctypes.c_int64: "q",
        ctypes.c_uint64: "Q",
        _native.Str: "PN",
    }
    return struct.Struct("@" + "".join(formats[kind] for _, kind, *_ in _native.Event._fields_))


class _States(dict[int, State]):
    """The states by number. A look-up takes a tenth of the time of State(number)."""

    def __missing__(self, number: int) -> State:
        return State(number)


class _Reasons(dict[int, Reason]):
    def __missing__(self, number: int) -> Reason:
        return Reason(number)


_LAYOUT = _layout()
_STATES = _States({int(state): state for state in State})
_REASONS = _Reasons({int(reason): reason for reason in Reason})


def read_batch(library: ctypes.CDLL, batch: int) -> list[Event]:
    """Copies the events of a batch. The copies do not depend on it."""
    n, stride = ctypes.c_size_t(), ctypes.c_size_t()
    first = library.lambda_executor_batch_events(batch, ctypes.byref(n), ctypes.byref(stride))
    if not first:
        return []
    memory = (ctypes.c_char * (n.value * stride.value)).from_address(ctypes.addressof(first.contents))
    # The library's own stride, because a newer library has longer events.
    rows = [_LAYOUT.unpack_from(memory, at) for at in range(0, n.value * stride.value, stride.value)]
    # Reads all texts of the batch at once, each up to its NUL. This takes a tenth of the time of string_at for each.
    pointers = array("Q")
    for row in rows:
        pointers.extend(_TEXTS(row))
    texts: Iterator[Any] = iter((ctypes.c_char_p * len(pointers)).from_buffer(pointers)[:])
    return [_event(row, texts) for row in rows]


# Indexes of the pointers to texts in a row.
_TEXTS = operator.itemgetter(2, 14, 16, 20, 22, 24)
_NEW = tuple.__new__


def _event(row: tuple[Any, ...], texts: Iterator[Any]) -> Event:
    (
        seq,
        tag,
        key,
        key_len,
        state,
        reason,
        has_return_code,
        return_code,
        signal,
        attempts,
        queued,
        submitted,
        started,
        finished,
        message,
        message_len,
        output,
        output_len,
        value,
        value_len,
        request,
        request_len,
        stream,
        stream_len,
        attempt,
        attempt_len,
        output_length,
        output_truncated,
        value_dropped,
    ) = row
    # Not Event(...), which takes twice as long.
    return _NEW(
        Event,
        (
            seq,
            tag,
            _text(next(texts), key, key_len),
            _STATES[state],
            _REASONS[reason],
            return_code if has_return_code else None,
            signal,
            attempts,
            queued / 1000 if queued else None,
            submitted / 1000 if submitted else None,
            started / 1000 if started else None,
            finished / 1000 if finished else None,
            _text(next(texts), message, message_len),
            _text(next(texts), output, output_len),
            ctypes.string_at(value, value_len) if value_len else b"",
            _text(next(texts), request, request_len),
            _text(next(texts), stream, stream_len),
            _text(next(texts), attempt, attempt_len),
            output_length,
            output_truncated != 0,
            value_dropped != 0,
        ),
    )


def _text(up_to_nul: bytes, pointer: int, length: int) -> str:
    # Output may contain NULs.
    return (up_to_nul if len(up_to_nul) == length else ctypes.string_at(pointer, length)).decode()
