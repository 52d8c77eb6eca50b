"""The numbers of the C API by name."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeVar

from . import _native

T = TypeVar("T", bound="Named")


class Named(IntEnum):
    """Base of the enumerations. A number that only a newer library of the same ABI knows becomes a member without a
    name."""

    @classmethod
    def _missing_(cls: type[T], value: object) -> T | None:
        if not isinstance(value, int):
            return None
        unnamed = int.__new__(cls, value)
        unnamed._name_ = f"UNNAMED_{value}"
        unnamed._value_ = value
        return unnamed

    def __str__(self) -> str:
        """The name as in JSON: "succeeded", "dead_letter". The default of IntEnum depends on the Python version."""
        return self.name.lower()

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


class Status(Named):
    """Result of a call: 0 success, positive flow control, negative failure."""

    OK = _native.OK
    TIMED_OUT = _native.TIMED_OUT
    INTERRUPTED = _native.INTERRUPTED
    QUEUE_FULL = _native.QUEUE_FULL
    DUPLICATE = _native.DUPLICATE
    NOT_FOUND = _native.NOT_FOUND
    BUFFER_TOO_SMALL = _native.BUFFER_TOO_SMALL
    PARTIAL = _native.PARTIAL
    ERR_INVALID_ARGUMENT = _native.ERR_INVALID_ARGUMENT
    ERR_INVALID_CONFIG = _native.ERR_INVALID_CONFIG
    ERR_CLOSED = _native.ERR_CLOSED
    ERR_FORKED = _native.ERR_FORKED
    ERR_PANIC = _native.ERR_PANIC
    ERR_CREDENTIALS = _native.ERR_CREDENTIALS
    ERR_AWS = _native.ERR_AWS
    ERR_IO = _native.ERR_IO
    ERR_JOURNAL = _native.ERR_JOURNAL
    ERR_UNSUPPORTED = _native.ERR_UNSUPPORTED
    ERR_PAYLOAD_TOO_LARGE = _native.ERR_PAYLOAD_TOO_LARGE

    def __str__(self) -> str:
        """The header's name: "OK", "ERR_CLOSED"."""
        return self.name


class State(Named):
    """State of a task."""

    UNKNOWN = _native.TASK_UNKNOWN
    QUEUED = _native.TASK_QUEUED
    SUBMITTING = _native.TASK_SUBMITTING
    RUNNING = _native.TASK_RUNNING
    SUCCEEDED = _native.TASK_SUCCEEDED
    FAILED = _native.TASK_FAILED
    CANCELLED = _native.TASK_CANCELLED
    LOST = _native.TASK_LOST

    @property
    def final(self) -> bool:
        """An event with this state is the last one of its task."""
        return self >= State.SUCCEEDED


class Reason(Named):
    """Why a task ended."""

    NONE = _native.REASON_NONE
    EXIT = _native.REASON_EXIT
    SIGNAL = _native.REASON_SIGNAL
    TIMEOUT = _native.REASON_TIMEOUT
    EXPIRED = _native.REASON_EXPIRED
    DEAD_LETTER = _native.REASON_DEAD_LETTER
    INVOKE_FAILED = _native.REASON_INVOKE_FAILED
    LOST = _native.REASON_LOST
    NEVER_INVOKED = _native.REASON_NEVER_INVOKED
    ABANDONED = _native.REASON_ABANDONED
    SETUP_FAILED = _native.REASON_SETUP_FAILED
    BAD_EVENT = _native.REASON_BAD_EVENT
    REPLY_TO_REFUSED = _native.REASON_REPLY_TO_REFUSED
    BAD_RESULT = _native.REASON_BAD_RESULT
    VALUE_TOO_LARGE = _native.REASON_VALUE_TOO_LARGE
