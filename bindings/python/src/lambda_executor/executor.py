"""The executor: its life, and the calls that wait."""

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
from .event import Event, Taken
from .prompt_calls import PromptCalls
from .statuses import Status
from .task import check_seconds, utf8, wait_ms

E = TypeVar("E", bound="Executor")

# A signal that arrives after Python's last look at them and before the library waits ends no wait. So the main thread,
# which alone runs Python's signal handlers, looks again this often.
SIGNALS_MS = 1000

DEFAULT_LOGGER = logging.getLogger(logs.NAME)


class Configured:
    """As timeout of drain: what option end_wait_timeout says."""


CONFIGURED = Configured()


class Executor(PromptCalls):
    """Runs tasks on AWS Lambda and tells what became of each.

    Every method may be called from any thread. In a child after fork all raise ForkedError; create another there.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | str | None,
        *,
        logger: logging.Logger | None = DEFAULT_LOGGER,
    ) -> None:
        """Starts an executor; never waits on the network.

        config: the options, as a mapping or as JSON. None reads them from where Airflow has them.
        logger: gets the library's log records, from the level that it has now. None: they go to stderr, from the
            level of option log, which counts only then.
        """
        if _handle.ending():
            raise RuntimeError("the interpreter ends: an executor that starts now would be closed by nobody")
        if logger is not None and not isinstance(logger, logging.Logger):
            raise TypeError(f"logger: {type(logger).__name__} is neither a logging.Logger nor None")
        super().__init__(_handle.Handle(_create(config)))
        self._wakes = 0
        self._wakes_seen = 0
        # Not at the end of the interpreter: _handle closes what is left then, while threads still run.
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
        # A child that leaves the block by an exception or exit is not to fail on top of it.
        self._handle.close()

    def close(self) -> None:
        """Ends every call under way, and every later one, with ClosedError, and frees the executor.

        Takes at most about option shutdown_grace_ms. Tasks that were not submitted are dropped, and the log says how
        many (`drain` first, to keep them); running ones go on, and another executor can adopt them. A second call is
        fine.
        """
        if self._handle.forked:
            raise errors.ForkedError(_handle.explanation(Status.ERR_FORKED))
        self._handle.close()

    # Events out

    def sync(self, timeout: float | None = 0.0, max_events: int = 0) -> list[Event]:
        """Events, oldest first; waits for the first one.

        timeout: seconds; 0 does not wait, None waits for ever.
        max_events: at most so many; 0 is all that wait.

        An empty list when the time is over or `wake` was called. Raises ClosedError when the executor is closed, or
        drained and nothing is left. With option ack "auto" the events count as done with once they are returned.

        What a call had when the exception of a signal handler ended it, the next one returns; `counts` and the
        descriptor do not tell of that.
        """
        if not isinstance(max_events, int):
            raise TypeError(f"max_events: {type(max_events).__name__} is not int")
        if max_events < 0:
            raise errors.InvalidArgumentError(f"max_events: {max_events} is less than 0")
        try:
            taken = self._handle.interrupted.popleft()
        except IndexError:
            taken = Taken()
        try:
            if taken.is_empty():
                self._wait("lambda_executor_sync", timeout, (max_events, ctypes.byref(taken.batch)))
            taken.read(self._library)
            are_more = 0 < max_events < len(taken.events)
        except BaseException:
            if not taken.is_empty():
                self._handle.interrupted.appendleft(taken)
            raise
        # From here on nothing is called, for Python looks for signals at calls.
        events = taken.events
        if are_more:
            events, taken.events = events[:max_events], events[max_events:]
            self._handle.interrupted.appendleft(taken)
        return events

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Events one by one, until the executor is closed or drained, none has come for `timeout` seconds, or `wake`
        was called.

        Leaving the loop early loses none: each is taken when it is asked for.
        """
        while True:
            try:
                events = self.sync(timeout, 1)
            except errors.ClosedError:
                return
            if not events:
                return
            yield events[0]

    def wake(self) -> None:
        """Ends every wait in progress (`sync` returns an empty list), or the next one where there is none."""
        self._wakes += 1
        self._plain("lambda_executor_wake")

    def drain(self, finish: bool = True, timeout: float | Configured | None = CONFIGURED) -> int:
        """Accepts no more tasks, and waits until those accepted have finished: how many have not when the time is over.

        finish: what waits is submitted; False cancels it, and only what runs is waited for.
        timeout: seconds, or None for ever; without, as long as option end_wait_timeout says, whose default is for ever.

        Needs nobody to call `sync` meanwhile. Afterwards `sync` hands out what is left, then raises ClosedError. May be
        called again, to wait on. `wake` ends the wait.

        Without a timeout, Ctrl-C that comes in the moment before the library waits ends nothing until it is pressed
        again: the time that is configured cannot be waited for in parts.
        """
        return self._drain(finish, timeout, lambda: False)

    def _drain(self, finish: bool, timeout: float | Configured | None, given_up: Callable[[], bool]) -> int:
        flag = _native.DRAIN_FINISH if finish else _native.DRAIN_RUNNING
        remaining = ctypes.c_uint64()
        self._wait("lambda_executor_drain", timeout, (ctypes.byref(remaining),), before=(flag,), given_up=given_up)
        return remaining.value

    # The service

    def check_health(self, timeout: float | None = None) -> None:
        """Asks AWS now whether the functions are there and active and the queues can be used.

        timeout: seconds, or None for as long as it takes.

        Raises AwsError or CredentialsError, which say what is not as it should be, and TimedOut (also after `wake`).
        """
        if self._wait("lambda_executor_check_health", timeout, ()) is not Status.OK:
            raise errors.TimedOut("AWS has not answered yet; the check goes on, ask again")

    def _wait(
        self,
        name: str,
        timeout: float | Configured | None,
        after: tuple[Any, ...],
        *,
        before: tuple[Any, ...] = (),
        given_up: Callable[[], bool] = lambda: False,
    ) -> Status:
        """Makes a call that waits, until it is done, its time is over, `wake` was called, or it was given up (and then
        interrupted by the library's wake). Signals in between have their Python handlers run, and what these raise ends
        the wait."""
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


# What a wrong call is told, names the class that the caller knows.
for _call in vars(PromptCalls).values():
    if isinstance(_call, FunctionType):
        _call.__qualname__ = _call.__qualname__.replace(PromptCalls.__name__, Executor.__name__)


def _create(config: Mapping[str, Any] | str | None) -> int:
    if config is None:
        document, length = None, 0
    else:
        document = _document(config)
        length = len(document)
    pointer, error = ctypes.c_void_p(), ctypes.c_void_p()
    # The library may read the environment: no thread of Python's may change it meanwhile.
    create = _library.load_holding_python().lambda_executor_create
    status = create(document, length, ctypes.byref(pointer), ctypes.byref(error))
    if status or not pointer.value:
        raise errors.error(status, _handle.take_message(_library.load(), error.value or 0))
    return pointer.value


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
