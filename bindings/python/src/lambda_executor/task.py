"""Tasks, and their conversion to the library's struct."""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Union

from . import _native
from .errors import InvalidArgumentError

Command = Union[str, Sequence[Union[str, "os.PathLike[str]"]]]

_MOST_MS = 2**62
_SIZE = ctypes.sizeof(_native.Task)
# Created once, because json.dumps creates an encoder in each call with options.
_QUOTED = json.encoder.encode_basestring
_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


class Task(NamedTuple):
    """A task for queue_many and adopt_many; `Executor.queue` and `Executor.adopt` take the same as arguments."""

    key: str
    """Name of the task: 1 to 8192 bytes in UTF-8, unique among unfinished tasks."""
    command: Command | None = None
    """A program and its arguments (strings or paths), or one string for the shell. Not needed to adopt."""
    tag: int = 0
    """A number of yours, 0 to 2**64 - 1, which every event of the task has."""
    executor_config: Mapping[str, Any] | None = None
    """Passed to the function as `executor_config`. With option allow_task_overrides, its `function_qualifier` and
    `timeout_ms` apply to the task. Without that option, the executor ignores them."""
    queue: str = ""
    """Name of the task's route; empty: the default route. Ignored unless option queues is given."""
    timeout: float | None = None
    """Time limit of the command in seconds; None: only the function's own."""
    max_wait: float | None = None
    """Seconds that the task may wait to be submitted, until it fails (reason EXPIRED); None: no limit."""
    attempt_id: str = ""
    """Id of this submission of the key. To queue: from `new_attempt_id`; empty: the executor makes one. To adopt: the
    id of the task's submission, from its events or your own records; empty: any submission."""
    result_timeout: float | None = None
    """Seconds without a result, from submission or `adopt`, until the task ends as LOST; None: option
    result_timeout_ms."""


def fill(native: _native.Task, task: Task) -> None:
    """Writes a task into a zeroed struct. The struct keeps references to the bytes that it points to."""
    key, command, tag, executor_config, queue, timeout, max_wait, attempt_id, result_timeout = task
    native.struct_size = _SIZE
    native.key = text("key", key)
    if command is not None:
        native.command_json = text("command", _command(command))
    if not isinstance(tag, int):
        raise TypeError(f"tag: {type(tag).__name__} is not int")
    if tag:
        if not 0 <= tag < 2**64:
            raise InvalidArgumentError(f"tag: {tag} is not in the range 0 to 2**64 - 1")
        native.tag = tag
    if executor_config is not None:
        native.executor_config_json = text("executor_config", _json("executor_config", executor_config))
    if queue:
        native.queue = text("queue", queue)
    if timeout is not None:
        native.timeout_ms = _limit_ms("timeout", timeout)
    if max_wait is not None:
        native.max_wait_ms = _limit_ms("max_wait", max_wait)
    if attempt_id:
        native.attempt_id = text("attempt_id", attempt_id)
    if result_timeout is not None:
        native.result_timeout_ms = _limit_ms("result_timeout", result_timeout)


def _command(command: Command) -> str:
    if isinstance(command, str):
        return _QUOTED(command)
    if isinstance(command, (list, tuple)):
        # The same text as of _json, in a quarter of the time.
        with contextlib.suppress(TypeError):
            return f"[{','.join(map(_QUOTED, command))}]"
        command = [os.fspath(part) if isinstance(part, os.PathLike) else part for part in command]
    return _json("command", command)


def text(name: str, value: str) -> _native.Str:
    """A string for the library."""
    encoded = utf8(name, value)
    return _native.Str(encoded, len(encoded))


def utf8(name: str, value: str) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"{name}: {type(value).__name__} is not str")
    try:
        return value.encode()
    except UnicodeEncodeError as why:
        raise InvalidArgumentError(f"{name}: {value!r} cannot be written in UTF-8: {why.reason}") from None


def _json(name: str, value: Any) -> str:  # noqa: ANN401 - any JSON value; the library checks it
    if isinstance(value, Mapping):
        value = dict(value)
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
        value = list(value)
    try:
        return _ENCODE(value)
    except (TypeError, ValueError) as why:
        raise InvalidArgumentError(f"{name}: cannot be written as JSON: {why}") from None


def _limit_ms(name: str, seconds: float) -> int:
    """Milliseconds, rounded up so that a limit is never shorter than requested. Refuses 0, which means no limit."""
    check_seconds(name, seconds)
    if not seconds > 0:
        raise InvalidArgumentError(f"{name}: {seconds!r} s is not more than 0 (None: no limit)")
    return wait_ms(seconds)


def wait_ms(seconds: float | None) -> int:
    """Converts seconds to wait to milliseconds, rounded up so that no wait ends early. None: no limit."""
    if seconds is None:
        return -1
    check_seconds("timeout", seconds)
    if math.isnan(seconds):
        raise InvalidArgumentError("timeout: nan is not a number of seconds")
    return math.ceil(min(max(0.0, seconds) * 1000, float(_MOST_MS)))


def check_seconds(name: str, seconds: object) -> None:
    if not hasattr(seconds, "__float__"):
        raise TypeError(f"{name}: {type(seconds).__name__} is neither a number of seconds nor None")
