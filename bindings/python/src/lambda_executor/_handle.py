"""One executor of the library, freed exactly once and never under a call.

The library allows every call from any thread at any time, except that nothing else may run on an executor while it is
freed. So calls in progress are counted here. The count needs no lock: a signal handler may call an executor in the
middle of another call on it, and would then deadlock on a lock that its own thread holds.
"""

from __future__ import annotations

import _thread
import atexit
import ctypes
import os
import threading
import time
from collections.abc import Iterable
from functools import partial
from itertools import chain
from queue import Empty, SimpleQueue
from typing import Any, Callable

from . import _library, _native, errors, logs

# Closing ends every wait in the library, so calls in progress return as soon as their threads are scheduled. If one
# does not return in this time, the executor is leaked: freeing it during a call would crash.
PATIENCE_S = 30.0
# How often a step at the end of the interpreter is repeated after exceptions of signal handlers (Ctrl-C).
MOST_SIGNALS = 100
# If freeing took less time than this, the last log callback has returned.
LEFT_AFTER_S = 0.4
# Functions that still work after `stop`, until the executor is freed.
AFTER_CLOSE = frozenset(f"lambda_executor_{name}" for name in ("ack", "state", "describe", "counts", "stats"))


class Handle:
    """Owns the library's executor for an Executor. Has no reference to the Executor, which can so be collected."""

    def __init__(self, pointer: int) -> None:
        self.library = _library.load()
        self.pointer = pointer
        self.pid = os.getpid()
        # Set if log records go to Python.
        self.records: logs.Records | None = None
        self._calls: dict[object, int] = {}
        # `stop` or `close` was called; `close` was called.
        self._closing = False
        self._freeing = False
        #: Tasks that were dropped when it was freed.
        self.dropped = 0
        # The thread that pops the pointer closes the executor, or frees it.
        self._to_close = [pointer]
        self._to_free = [pointer]
        self._freed_by = 0
        self._freed = False
        # Wakes `close`. A SimpleQueue, because `put` may be called in a signal handler that interrupts `put`.
        self._changed: SimpleQueue[None] = SimpleQueue()
        _live.add(self)

    def call(self, name: str, *arguments: Any) -> int:  # noqa: ANN401 - what the function of that name takes
        """Calls a function of the library on the executor: its result, or ERR_CLOSED if that is closed."""
        return _in_time(self._counted(name, *arguments))

    def ack_batch(self, batch: ctypes.c_void_p) -> None:
        """Acknowledges a batch of the executor, which may have been freed."""
        error = ctypes.c_void_p()
        status = _in_time(self.library.lambda_executor_batch_ack(batch, ctypes.byref(error)))
        self._raise(status, error)

    def _counted(self, name: str, *arguments: Any) -> int:  # noqa: ANN401 - as above
        token = object()
        try:
            # The token is stored before the flags are read. `close` sets its flag before it reads the tokens. So at
            # least one of the two sees the other.
            self._calls[token] = _thread.get_ident()
            if self._freeing or (self._closing and name not in AFTER_CLOSE):
                return _native.ERR_CLOSED
            status: int = getattr(self.library, name)(self.pointer, *arguments)
            return status
        finally:
            self._calls.pop(token, None)
            if self._freeing:
                self._changed.put(None)

    def checked(self, name: str, *arguments: Any) -> int:  # noqa: ANN401 - what the function of that name takes
        """As `call`, with the out parameter for an error. Raises on a negative status."""
        error = ctypes.c_void_p()
        status = self.call(name, *arguments, ctypes.byref(error))
        self._raise(status, error)
        return status

    def _raise(self, status: int, error: ctypes.c_void_p) -> None:
        if error.value:
            raise take_error(self.library, error.value)
        if status < 0:
            raise errors.error(status, self.explanation(status))

    def explanation(self, status: int) -> str:
        """A message for a status without an error of the library."""
        if status == _native.ERR_CLOSED and self.closed:
            return "the executor is closed"
        return explanation(status)

    @property
    def closed(self) -> bool:
        """`stop` or `close` was called."""
        return self._closing

    @property
    def forked(self) -> bool:
        """This process is a child of the one that has the executor."""
        return self.pid != os.getpid()

    def close(self) -> None:
        """Ends all calls in progress with ERR_CLOSED, and frees the executor when they have ended."""
        if self.forked:
            return
        self._freeing = True
        self.begin_close()
        me = _thread.get_ident()
        if self.records is not None and self.records.thread == me:
            # Called by a log handler of this executor. Freeing waits for that handler, so another thread frees.
            _thread.start_new_thread(self.close, ())
            return
        deadline = time.monotonic() + PATIENCE_S
        while not self._freed:
            callers = list(self._calls.values())
            if me in callers or self._freed_by == me:
                # Called by a signal handler that interrupted a call on this executor. That call cannot return before
                # the handler does. The executor is freed when it is collected, or when the interpreter ends.
                return
            if not callers and self._free():
                break
            try:
                self._changed.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                return
        # Wakes the next thread that waits here.
        self._changed.put(None)

    def begin_close(self) -> None:
        """Ends calls that submit or wait, and allows no more of them. Never waits."""
        if self.forked:
            return
        self._closing = True
        token = object()
        try:
            # The token keeps other threads from freeing the executor during this call.
            self._calls[token] = _thread.get_ident()
            self.library.lambda_executor_close(self._to_close.pop())
        except IndexError:
            pass
        finally:
            self._calls.pop(token, None)
            self._changed.put(None)

    def _free(self) -> bool:
        """Frees the executor. False if another thread does it."""
        try:
            pointer = self._to_free.pop()
        except IndexError:
            return False
        self._freed_by = _thread.get_ident()
        # The log callback stays set, because freeing logs too. The library does not wait for a handler without limit.
        began = time.monotonic()
        dropped = ctypes.c_uint64()
        try:
            self.library.lambda_executor_free(pointer, ctypes.byref(dropped))
        finally:
            self.dropped = dropped.value
            # In `finally`, because a signal handler may raise after the call has returned.
            self._freed = True
            if self.records is not None and time.monotonic() - began > LEFT_AFTER_S:
                _late.append(self.records)
            _live.discard(self)
        return True

    def forget_calls_of(self, thread: int) -> None:
        """Removes the tokens of a thread that has no call in progress. Exceptions of two signal handlers in a row may
        have left one."""
        for token, caller in list(self._calls.items()):
            if caller == thread:
                self._calls.pop(token, None)

    def collect(self) -> None:
        """Closes in another thread. Garbage collection may run while this thread holds a lock of `logging` that the log
        callback waits for, so it must not wait."""
        if self._freed or self.forked:
            return
        try:
            # Not threading.Thread: this thread may hold one of its locks.
            _thread.start_new_thread(self.close, ())
        except RuntimeError:
            # No more threads can start, or the interpreter ends. _close_all closes it then.
            return


def explanation(status: int) -> str:
    """A message for a status: the call did not reach the library, or the function has no error object."""
    kind = errors.CLASSES.get(status, errors.Error)
    return (kind.__doc__ or "").split("\n", maxsplit=1)[0]


def take_error(library: ctypes.CDLL, error: int) -> errors.Error:
    """The exception of an error of the library, which is freed."""
    message = errors.in_python(library.lambda_executor_error_message(error).ptr.decode())
    made = errors.error(library.lambda_executor_error_status(error), message)
    made.aws_code = library.lambda_executor_error_aws_code(error).decode()
    made.request_id = library.lambda_executor_error_request_id(error).decode()
    made.retriable = library.lambda_executor_error_is_retriable(error) != 0
    library.lambda_executor_error_free(error)
    return made


def _in_time(status: int) -> int:
    """A status, unless it is for a daemon thread at the end of the interpreter."""
    if status == _native.ERR_CLOSED and _ending_in not in (0, _thread.get_ident()) and _in_daemon():
        # Closed because the interpreter ends. Python would print the exception while it closes its files, which can
        # crash. So this thread waits until the process has ended.
        _never.acquire(timeout=PATIENCE_S)
    return status


_live: set[Handle] = set()
# Records whose log handler may not have returned when the executor was freed. The library may still use them.
_late: list[logs.Records] = []
# The thread in which the interpreter ends.
_ending_in = 0
_never = _thread.allocate_lock()
_never.acquire()


def ending() -> bool:
    """True while the interpreter ends: an executor that is created now would never be closed."""
    return _ending_in != 0


def _in_daemon() -> bool:
    """True in a daemon thread of Python. False in a log callback: freeing waits for the library's thread."""
    thread = threading.current_thread()
    return thread.daemon and not isinstance(thread, threading._DummyThread)


def do_all(steps: Iterable[Callable[[], None]]) -> None:
    """Runs each step at the end of the interpreter. Repeats a step that the exception of a signal handler (another
    Ctrl-C) has ended, because an executor that stays open would crash the process. Then raises the first exception."""
    first: BaseException | None = None
    for step in steps:
        for _ in range(MOST_SIGNALS):
            try:
                step()
                break
            except BaseException as error:
                first = first or error
    if first is not None:
        raise first


def _close_all() -> None:
    """Closes all executors at the end of the interpreter, while its threads still run. Afterwards no thread of the
    library may call into Python."""
    global _ending_in
    me = _ending_in = _thread.get_ident()
    handles = [handle for handle in list(_live) if not handle.forked]
    for handle in handles:
        handle.forget_calls_of(me)
    do_all(
        chain(
            (handle.begin_close for handle in handles),
            (handle.close for handle in handles),
            (partial(records.await_return, PATIENCE_S) for records in _late),
        )
    )


def _in_child() -> None:
    """Forgets the parent's executors in a forked child."""
    global _ending_in
    _ending_in = 0
    _live.clear()
    _late.clear()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_in_child)
