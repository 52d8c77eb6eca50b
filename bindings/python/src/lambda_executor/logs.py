"""The library's log records in `logging`.

They come in a thread of the library's, which has to wait for Python where other threads are busy. Nothing waits for it:
what comes meanwhile is dropped, and the library says how much.
"""

from __future__ import annotations

import ctypes
import logging
from typing import Any

from . import _native

NAME = "lambda_executor"

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


def callback_for(logger: logging.Logger) -> Any:  # noqa: ANN401 - ctypes makes the class at run time
    """The function to give to lambda_executor_set_log_callback; the caller keeps it as long as the library has it."""

    def take(_user_data: int | None, record: Any) -> None:  # noqa: ANN401 - a pointer to a LogRecord
        native = record.contents
        level = _TO_PYTHON.get(native.level, logging.ERROR)
        target = ctypes.string_at(native.target.ptr, native.target.len).decode(errors="replace")
        # Its parts, `lambda_executor::executor::core`, are children of the logger; a program may want some of them.
        child = logger.getChild(target[len(NAME) :].strip(":").replace("::", ".")) if _is_ours(target) else logger
        if not child.isEnabledFor(level):
            return
        message = ctypes.string_at(native.message.ptr, native.message.len).decode(errors="replace")
        made = child.makeRecord(child.name, level, "(lambda_executor)", 0, message, (), None, extra={"target": target})
        made.created = native.time_ms / 1000
        made.msecs = native.time_ms % 1000
        child.handle(made)

    return _native.LogCallback(take)


def _is_ours(target: str) -> bool:
    return target.startswith(NAME + "::")
