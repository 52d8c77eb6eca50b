"""Passes the library's log records to `logging`.

A thread of the library calls the log callback, and waits for the GIL. Nothing else waits for that thread. Meanwhile
the library buffers records, drops those that do not fit, and logs how many it has dropped.
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

# The library has two more levels: TRACE is logged as DEBUG, and OFF is the level of no record.
_TO_PYTHON = {
    _native.LOG_ERROR: logging.ERROR,
    _native.LOG_WARN: logging.WARNING,
    _native.LOG_INFO: logging.INFO,
    _native.LOG_DEBUG: logging.DEBUG,
    _native.LOG_TRACE: logging.DEBUG,
}


def level_for(logger: logging.Logger) -> int:
    """The library's level that corresponds to the logger's."""
    wanted = logger.getEffectiveLevel()
    levels = (_native.LOG_ERROR, _native.LOG_WARN, _native.LOG_INFO, _native.LOG_DEBUG)
    level = max((level for level in levels if _TO_PYTHON[level] >= wanted), default=_native.LOG_OFF)
    # A level below DEBUG enables everything.
    return _native.LOG_TRACE if 0 < wanted < logging.DEBUG else level


def may_log_here() -> bool:
    """Python runs callbacks of the library's thread in the main interpreter. Up to Python 3.11 these can be functions
    of a subinterpreter, because interpreters share their objects. From 3.12 on that aborts the process."""
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
    """Logs the records of one executor. The library has the address of `callback`, so this object must live as long."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        # The thread that is in a handler of the logger now, or 0. There is at most one.
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
        # Modules such as `lambda_executor::executor::core` become child loggers, with levels of their own.
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
    # Copied now, because the text is valid during the callback only. It ends with a NUL.
    return (text.ptr or b"").decode(errors="replace")


_all: set[weakref.ref[Records]] = set()
# The locks taken before a fork, by the thread that forks.
_held: dict[int, list[Records]] = {}


def _before_fork() -> None:
    """Keeps handlers from writing during a fork. Python's files have locks. A lock that is held at the fork is never
    released in the child, which then hangs when it ends."""
    deadline = time.monotonic() + FORK_PATIENCE_S
    held = _held[_thread.get_ident()] = []
    for reference in list(_all):
        records = reference()
        # With a time limit, because the handler may wait for a lock of the forking thread.
        if records and records.under_way.acquire(timeout=max(0.0, deadline - time.monotonic())):
            held.append(records)


def _after_fork() -> None:
    for records in _held.pop(_thread.get_ident(), []):
        records.under_way.release()


def _in_child() -> None:
    """Forgets the parent's records in a forked child, where none arrive."""
    _after_fork()
    _held.clear()
    _all.clear()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
