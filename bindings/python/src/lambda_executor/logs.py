"""The library's log records in `logging`.

They come in a thread of the library's, which has to wait for Python where other threads are busy. Nothing waits for it:
what comes meanwhile is dropped, and the library says how much.
"""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import logging
import os
import sys
import threading
import time
import weakref
from queue import Empty, SimpleQueue
from typing import Any

from . import _native

NAME = "lambda_executor"

FORK_PATIENCE_S = 1.0

# The library has one level more at either end: TRACE is logged as DEBUG, OFF is no record at all.
_TO_PYTHON = {
    _native.LOG_ERROR: logging.ERROR,
    _native.LOG_WARN: logging.WARNING,
    _native.LOG_INFO: logging.INFO,
    _native.LOG_DEBUG: logging.DEBUG,
    _native.LOG_TRACE: logging.DEBUG,
}


def level_for(logger: logging.Logger) -> int:
    """The library's level that gives what the logger lets through."""
    wanted = logger.getEffectiveLevel()
    levels = (_native.LOG_ERROR, _native.LOG_WARN, _native.LOG_INFO, _native.LOG_DEBUG)
    level = max((level for level in levels if _TO_PYTHON[level] >= wanted), default=_native.LOG_OFF)
    # Below DEBUG: everything.
    return _native.LOG_TRACE if 0 < wanted < logging.DEBUG else level


def may_log_here() -> bool:
    """Python runs what the library's thread calls in the main interpreter. That can be code of another one only as long
    as interpreters share their objects; afterwards it aborts the process."""
    return sys.version_info < (3, 12) or in_main_interpreter()


def in_main_interpreter() -> bool:
    try:
        main, current = ctypes.pythonapi.PyInterpreterState_Main, ctypes.pythonapi.PyInterpreterState_Get
    except AttributeError:
        # Not CPython: no subinterpreters.
        return True
    for function in (main, current):
        function.argtypes, function.restype = [], ctypes.c_void_p
    return bool(main() == current())


class Records:
    """Takes the records of one executor. The library has the address of `callback`, so it lives as long as that."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        # The thread that is in a handler of the logger now; one at a time.
        self.thread = 0
        self._awaited = False
        self.under_way = threading.RLock()
        self._returned: SimpleQueue[None] = SimpleQueue()
        self.callback = _native.LogCallback(self._take)
        _all.add(weakref.ref(self, _all.discard))

    def await_return(self, seconds: float) -> None:
        """Waits until no handler is running."""
        deadline = time.monotonic() + seconds
        self._awaited = True
        while self.thread and time.monotonic() < deadline:
            with contextlib.suppress(Empty):
                self._returned.get(timeout=max(0.0, deadline - time.monotonic()))

    def _take(self, _user_data: int | None, record: Any) -> None:  # noqa: ANN401 - a pointer to a LogRecord
        self.thread = _thread.get_ident()
        try:
            with self.under_way:
                self._log(record.contents)
        finally:
            self.thread = 0
            if self._awaited:
                self._returned.put(None)

    def _log(self, native: _native.LogRecord) -> None:
        level = _TO_PYTHON.get(native.level, logging.ERROR)
        target = _decoded(native.target)
        # Its parts, `lambda_executor::executor::core`, are children of the logger; a program may want some of them.
        part = target[len(NAME) + 2 :] if target.startswith(NAME + "::") else ""
        logger = self._logger.getChild(part.replace("::", ".")) if part else self._logger
        if logger.isEnabledFor(level):
            extra = {"target": target}
            message = _decoded(native.message)
            made = logger.makeRecord(logger.name, level, "(lambda_executor)", 0, message, (), None, extra=extra)
            made.created = native.time_ms / 1000
            made.msecs = float(native.time_ms % 1000)
            logger.handle(made)


def _decoded(text: _native.Str) -> str:
    # Read now: it lives as long as the callback. The library ends it with a NUL.
    return (text.ptr or b"").decode(errors="replace")


_all: set[weakref.ref[Records]] = set()
# By the thread that forks.
_held: dict[int, list[Records]] = {}


def _before_fork() -> None:
    """No handler may write while the process forks: Python's files have locks, and a lock that is held at the fork is
    never released in the child, which then hangs when it ends."""
    deadline = time.monotonic() + FORK_PATIENCE_S
    held = _held[_thread.get_ident()] = []
    for reference in list(_all):
        records = reference()
        # Not for ever: the handler may wait for something that the forking thread has.
        if records and records.under_way.acquire(timeout=max(0.0, deadline - time.monotonic())):
            held.append(records)


def _after_fork() -> None:
    for records in _held.pop(_thread.get_ident(), []):
        records.under_way.release()


def _in_child() -> None:
    """The parent's executors send nothing here."""
    _after_fork()
    _held.clear()
    _all.clear()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
