"""The executor: creation, end, and the calls that wait."""

from __future__ import annotations

import ctypes
import json
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType, TracebackType
from typing import Any, TypeVar

from . import _handle, _library, _native, errors, logs
from .batch import Batch, Held
from .event import Event
from .prompt_calls import PromptCalls
from .statuses import State, Status
from .task import check_seconds, utf8, wait_ms

E = TypeVar("E", bound="Executor")

# Only the main thread runs Python's signal handlers. A signal that arrives after its last check for signals, and before
# the library waits, does not end the wait. So the main thread checks again this often.
SIGNALS_MS = 1000

DEFAULT_LOGGER = logging.getLogger(logs.NAME)


class Configured:
    """Timeout of drain: the value of option end_wait_timeout."""


CONFIGURED = Configured()


class Executor(PromptCalls):
    """Runs tasks on AWS Lambda and reports their results.

    Every method may be called from any thread. In a child after fork all raise ForkedError; create another there.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | str | None,
        *,
        logger: logging.Logger | None = DEFAULT_LOGGER,
    ) -> None:
        """Starts an executor; never waits on the network.

        config: the options, as a mapping or as JSON. None reads Airflow's configuration.
        logger: receives the library's log records, from its current level on. None: records go to stderr, from the
            level of option log on. (With a logger, option log has no effect.) A subinterpreter of Python 3.12 and later
            allows only None.
        """
        if _handle.ending():
            raise RuntimeError("the interpreter ends: an executor that is created now would never be closed")
        if logger is not None and not isinstance(logger, logging.Logger):
            raise TypeError(f"logger: {type(logger).__name__} is neither a logging.Logger nor None")
        if logger is not None and not logs.may_log_here():
            raise RuntimeError(
                "in a subinterpreter the library's log records cannot go to a logger: pass logger=None, which sends "
                "them to stderr (for a pool: LambdaPool(Executor(config, logger=None)))"
            )
        options = known_options(config)
        #: For LambdaPool.
        self._is_local = options.get("local") is not None
        self._max_running_tasks = options.get("max_running_tasks")
        super().__init__(_handle.Handle(_create(config)))
        self._wakes = 0
        self._wakes_seen = 0
        # Not at the end of the interpreter: _handle closes all executors earlier, while threads still run.
        weakref.finalize(self, self._handle.collect).atexit = False  # type: ignore[misc]  # typeshed: read-only
        if logger is not None:
            self._log_to(logger)

    def _log_to(self, logger: logging.Logger) -> None:
        records = self._handle.records = logs.Records(logger)
        level = logs.level_for(logger)
        self._handle.checked("lambda_executor_set_log_callback", records.callback, None, level)

    def __enter__(self: E) -> E:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A forked child may leave the block by an exception or exit, and must not raise another one.
        self._handle.close()

    def stop(self) -> None:
        """Ends calls that submit or wait, and every later one, with ClosedError. Never waits.

        For programs with threads: stop, join the threads, then `close`. Until `close`, the threads can acknowledge what
        they have (`ack`, `Batch.ack`), and `state`, `describe`, `counts` and `stats` work.
        """
        if self._handle.forked:
            raise errors.ForkedError(_handle.explanation(Status.ERR_FORKED))
        self._handle.begin_close()

    def close(self) -> int:
        """Ends every call in progress, and every later one, with ClosedError, and frees the executor.

        Takes at most about option shutdown_grace_ms. Acknowledged results are deleted from their queue, all others are
        released. Running tasks continue, and another executor can adopt them. Tasks that were not submitted are dropped
        (`drain` first, to keep them).

        Returns the number of tasks that were dropped. A second call returns it again.
        """
        if self._handle.forked:
            raise errors.ForkedError(_handle.explanation(Status.ERR_FORKED))
        self._handle.close()
        return self._handle.dropped

    # Events out

    def sync(self, timeout: float | None = 0.0, max_events: int = 0) -> Batch:
        """Events, oldest first; waits for the first one.

        timeout: seconds; 0 does not wait, None waits without limit.
        max_events: at most so many; 0 is 10,000.

        An empty batch when the time is over or `wake` was called. Raises ClosedError when the executor is closed, or
        drained with no events left.

        Acknowledge the batch, or its events, when you have stored what you need, and keep the batch until then. Events
        that are not acknowledged when the batch is freed are handed out again by the next call. The same applies to the
        events of a call that the exception of a signal handler has ended.
        """
        if not isinstance(max_events, int):
            raise TypeError(f"max_events: {type(max_events).__name__} is not int")
        if max_events < 0:
            raise errors.InvalidArgumentError(f"max_events: {max_events} is less than 0")
        held = Held(self._library)
        try:
            # SIZE_MAX means all of them. ctypes would cut off the high bits of a larger number.
            most = min(max_events, 2**64 - 1)
            self._wait("lambda_executor_sync", timeout, (most, ctypes.byref(held.pointer)))
            return Batch._of(self._handle, held)
        except BaseException:
            # Released now: the traceback of the exception would keep the batch.
            held.free()
            raise

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Events one by one, until the executor is closed or drained, no event has arrived for `timeout` seconds, or
        `wake` was called. With timeout 0, the events that wait now.

        Each event is acknowledged when the next one is taken, the last one when the loop ends by itself. If an
        exception, `break` or `return` leaves the loop, the current event is not acknowledged, and `sync` or `events`
        hands it out again. To avoid that, `ack` it before you leave.
        """
        try:
            while batch := self.sync(timeout, 1):
                yield batch[0]
                batch.ack()
        except errors.ClosedError:
            return

    def wait(self, key: str, timeout: float | None = None) -> State:
        """Waits until the newest task of a key is final, and returns its state. The state is not final if the time is
        over or `wake` was called. The task's events still wait for `sync` or `events`, and must be acknowledged.

        timeout: seconds; None waits without limit.

        Raises NotFound if no task of that key is known.
        """
        name = utf8("key", key)
        state = ctypes.c_int32()
        status = self._wait("lambda_executor_wait", timeout, (ctypes.byref(state),), before=(name, len(name)))
        if status is Status.NOT_FOUND:
            raise errors.NotFound(f"{key!r}: {self._handle.explanation(status)}")
        # UNKNOWN: `wake` was called before this call.
        return State(state.value) if state.value else self.state(key)

    def wake(self) -> None:
        """Ends every wait in progress (`sync` returns an empty batch). If there is none, ends the next wait."""
        self._wakes += 1
        self._plain("lambda_executor_wake")

    def drain(self, timeout: float | Configured | None = CONFIGURED, *, cancel_queued: bool = False) -> int:
        """Accepts no more tasks, and waits until all accepted tasks have finished. Returns the number of tasks that are
        unfinished when the time is over.

        timeout: seconds, 0 or more, None for no limit. Default: option end_wait_timeout, whose default is no limit.
        cancel_queued: cancels tasks that wait to be submitted, and waits only for running tasks. By default, waiting
        tasks are submitted.

        Up to 100,000 results, no other thread needs to call `sync` or to acknowledge. Beyond that it raises QueueFull:
        take and acknowledge events, then call it again. Afterwards `sync` hands out the remaining events, then raises
        ClosedError. May be called again, to continue waiting or to cancel waiting tasks. `wake` ends the wait.

        With the default timeout, a Ctrl-C that arrives in the moment before the library waits takes effect only when
        it is pressed again, because the library waits for the configured time in one call.
        """
        return self._drain(timeout, cancel_queued, lambda: False)

    def _drain(self, timeout: float | Configured | None, cancel_queued: bool, given_up: Callable[[], bool]) -> int:
        check_drain_timeout(timeout)
        mode = _native.DRAIN_CANCEL_QUEUED if cancel_queued else _native.DRAIN_FINISH
        remaining = ctypes.c_uint64()
        status = self._wait(
            "lambda_executor_drain", timeout, (ctypes.byref(remaining),), before=(mode,), given_up=given_up
        )
        if status is Status.QUEUE_FULL:
            raise errors.QueueFull("too many results wait for `sync`: take and acknowledge them, then drain again")
        return remaining.value

    # The service

    def check_health(self, timeout: float | None = None) -> None:
        """Asks AWS now whether the functions exist and are active and the queues can be used.

        timeout: seconds; None waits without limit.

        Raises AwsError or CredentialsError, whose message names what cannot be used, and TimedOut (also after `wake`).
        """
        if self._wait("lambda_executor_check_health", timeout, ()) is not Status.OK:
            raise errors.TimedOut("AWS has not answered yet; the check continues: call check_health again")

    def _wait(
        self,
        name: str,
        timeout: float | Configured | None,
        after: tuple[Any, ...],
        *,
        before: tuple[Any, ...] = (),
        given_up: Callable[[], bool] = lambda: False,
    ) -> Status:
        """Repeats a call that waits, until it is done, the time is over, `wake` was called, or `given_up` is true
        (checked after the library's wake has interrupted the call). Between two calls, Python runs signal handlers.
        Their exceptions end the wait."""
        seen = self._wakes_seen
        configured = isinstance(timeout, Configured)
        seconds = None if isinstance(timeout, Configured) else timeout
        if seconds is not None:
            check_seconds("timeout", seconds)
        deadline = None if seconds is None else time.monotonic() + seconds
        slices = threading.current_thread() is threading.main_thread()
        while not given_up():
            if configured:
                ms = _native.TIMEOUT_CONFIGURED
            else:
                ms = wait_ms(None if deadline is None else deadline - time.monotonic())
            sliced = slices and not configured and not 0 <= ms <= SIGNALS_MS
            status = self._handle.checked(name, *before, SIGNALS_MS if sliced else ms, *after)
            if status == _native.INTERRUPTED:
                if self._wakes > seen:
                    self._wakes_seen = self._wakes
                    return Status.INTERRUPTED
            elif status != _native.TIMED_OUT or not sliced:
                return Status(status)
        return Status.INTERRUPTED


# So that the message of a TypeError names the public class.
for _call in vars(PromptCalls).values():
    if isinstance(_call, FunctionType):
        _call.__qualname__ = _call.__qualname__.replace(PromptCalls.__name__, Executor.__name__)


def new_attempt_id() -> str:
    """Creates a random attempt_id, a UUID. A program with a database stores it with the task before it calls `queue`:
    after a crash it can adopt exactly that submission, or submit it again with the same attempt_id."""
    text = ctypes.create_string_buffer(_native.ATTEMPT_ID_SIZE)
    status = _library.load().lambda_executor_new_attempt_id(text)
    if status:
        raise errors.error(status, _handle.explanation(status))
    return text.value.decode()


def _create(config: Mapping[str, Any] | str | None) -> int:
    if config is None:
        document, length = None, 0
    else:
        document = _document(config)
        length = len(document)
    pointer, error = ctypes.c_void_p(), ctypes.c_void_p()
    # Keeps the GIL: the library reads the environment, which no other thread of Python may change meanwhile.
    create = _library.load_holding_python().lambda_executor_create
    status = create(document, length, ctypes.byref(pointer), ctypes.byref(error))
    if status or not pointer.value:
        raise _handle.take_error(_library.load(), error.value or 0)
    return pointer.value


def check_drain_timeout(timeout: float | Configured | None) -> None:
    """Refuses a negative number, which may be meant as C's -1 (no limit). As a time that is over it would drop
    tasks."""
    if timeout is None or isinstance(timeout, Configured):
        return
    check_seconds("timeout", timeout)
    if timeout < 0:
        raise errors.InvalidArgumentError(
            f"timeout: {timeout} s is less than 0 (allowed: 0 or more, None for no limit, CONFIGURED for option "
            "end_wait_timeout)"
        )


def known_options(config: Mapping[str, Any] | str | None) -> Mapping[str, Any]:
    """The options as a mapping. Empty if they are not one: the library refuses invalid JSON."""
    if isinstance(config, str):
        try:
            config = json.loads(config)
        except ValueError:
            return {}
    return config if isinstance(config, Mapping) else {}


def _document(config: Mapping[str, Any] | str) -> bytes:
    if isinstance(config, str):
        return utf8("config", config)
    if not isinstance(config, Mapping):
        raise TypeError(f"config: {type(config).__name__} is neither a mapping, JSON text nor None")
    for name, value in config.items():
        try:
            json.dumps({name: value}, allow_nan=False)
        except (TypeError, ValueError) as why:
            raise errors.InvalidConfigError(f"{name}: cannot be written as JSON: {why}") from None
    return json.dumps(dict(config)).encode()
