"""Batches of events, and what holds the library's memory of them."""

from __future__ import annotations

import ctypes
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from . import errors
from .event import Event, read_batch

if TYPE_CHECKING:
    from ._handle import Handle

B = TypeVar("B", bound="Batch")


class Held:
    """Owns a batch of the library, and frees it with the last reference. So it is freed exactly once and never during
    a call, also with threads and signal handlers. Created before the call that fills it."""

    __slots__ = ("_library", "pointer")

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self.pointer = ctypes.c_void_p()

    def read(self) -> list[Event]:
        """Copies of the events."""
        return read_batch(self._library, self.pointer.value) if self.pointer.value else []

    def free(self) -> None:
        """Frees the batch early. Only for the sole owner."""
        batch = self.pointer.value
        # Cleared first. If a signal handler raises between the two lines, the batch is leaked. Freed twice, it would
        # crash.
        self.pointer.value = None
        if batch:
            self._library.lambda_executor_batch_free(batch)

    def __del__(self) -> None:
        self.free()


class Batch(tuple[Event, ...]):
    """Events as `sync` hands them out: a tuple, empty when the time is over or `wake` was called.

    `ack` acknowledges them. An event that is not acknowledged is handed out again, with the same seq, once its batch is
    gone: released, or no longer referenced. Iterating acknowledges nothing; `Executor.events` does. The events
    themselves are copies, and may be kept.
    """

    _handle: Handle | None
    _held: Held | None
    _released: bool

    @classmethod
    def _of(cls: type[B], handle: Handle, held: Held) -> B:
        batch = tuple.__new__(cls, held.read())
        batch._handle = handle
        batch._held = held if batch else None
        batch._released = False
        return batch

    def __reduce__(self) -> tuple[Any, ...]:
        # A pickled or copied batch is a plain tuple of events.
        return tuple, (tuple(self),)

    def ack(self) -> None:
        """Acknowledges all events of the batch: you have stored what you need of them, and their results may be deleted
        from their queue. A second call does nothing.

        Works from any thread until the executor is freed, also after `stop`. Raises ClosedError afterwards, and
        InvalidArgumentError if the batch was released.
        """
        # The local reference keeps the memory while another thread releases the batch.
        held = self._held
        if held is not None and self._handle is not None:
            self._handle.ack_batch(held.pointer)
            self._held = None
        elif self._released:
            raise errors.InvalidArgumentError("the batch was released: its events are handed out again")

    def release(self) -> None:
        """Makes the events that have not been acknowledged available to `sync` again."""
        if self._held is not None:
            self._released = True
            self._held = None

    def __enter__(self: B) -> B:
        """At the end of `with executor.sync() as batch:`, events that are not acknowledged are released."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
