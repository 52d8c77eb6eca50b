"""Reading a batch: by the library's own stride, and without keeping the batch."""

from __future__ import annotations

import ctypes
from typing import Any

from lambda_executor import Reason, State, _native
from lambda_executor.event import read_batch


class Grown(_native.Event):
    """The event of a newer library."""

    _fields_ = [("more", ctypes.c_uint64 * 3)]  # noqa: RUF012


class Batches:
    """Two such events in place of the library's. `overwrite` stands for their memory being used again after freeing."""

    def __init__(self) -> None:
        self.strings = [ctypes.create_string_buffer(text.encode()) for text in ("first ä", "second\0 part")]
        self.array = (Grown * 2)()
        for number, (event, string) in enumerate(zip(self.array, self.strings)):
            event.seq, event.tag, event.state, event.reason = number + 1, 2**64 - 1, 5, 99
            event.has_return_code, event.return_code, event.signal, event.attempts = number, -9, 9, 2**32 - 1
            event.queued_at_ms, event.finished_at_ms = 1_500, 2**53
            for name, kind, *_ in _native.Event._fields_:
                if kind is _native.Str:
                    text = getattr(event, name)
                    # Never NULL, also if it is empty.
                    ctypes.cast(ctypes.addressof(text), ctypes.POINTER(ctypes.c_void_p))[0] = ctypes.addressof(string)
                    text.len = len(string.raw) - 1 if name in ("key", "message", "value") else 0
            event.more[:] = [2**64 - 1] * 3

    def lambda_executor_batch_events(self, _batch: int, n: Any, stride: Any) -> Any:  # noqa: ANN401 - as ctypes has it
        n._obj.value, stride._obj.value = 2, ctypes.sizeof(Grown)
        return ctypes.cast(self.array, ctypes.POINTER(_native.Event))

    def overwrite(self) -> None:
        for string in self.strings:
            ctypes.memset(string, 0xFF, ctypes.sizeof(string))
        ctypes.memset(self.array, 0xFF, ctypes.sizeof(self.array))


def test_events_of_a_newer_library_are_read_and_copied() -> None:
    batches = Batches()
    first, second = read_batch(batches, 1)  # type: ignore[arg-type]
    batches.overwrite()
    assert (first.seq, first.key, first.message, first.value) == (1, "first ä", "first ä", "first ä".encode())
    assert (second.seq, second.key, second.output_tail, second.attempt_id) == (2, "second\0 part", "", "")
    assert (first.return_code, second.return_code) == (None, -9)
    assert (first.tag, first.attempts, first.signal) == (2**64 - 1, 2**32 - 1, 9)
    assert (first.state, first.reason, str(first.reason)) == (State.FAILED, Reason(99), "unnamed_99")
    assert "return_code" not in repr(first)
    assert "attempt_id" not in repr(second)
    assert "key='second\\x00 part', state=<State.FAILED: 5>" in repr(second)
    assert (first.queued_at, first.submitted_at, first.finished_at) == (1.5, None, 2**53 / 1000)
