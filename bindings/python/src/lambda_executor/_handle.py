"""One executor of the library, freed exactly once and never under a call.

The library lets every function be called from any thread at any time, except that nothing else may run on an executor
while it is freed. So calls under way are counted here, by means that need no lock: a signal handler may call an
executor in the middle of another call on it, and a lock would then wait for itself.
"""

from __future__ import annotations

import _thread
import atexit
import ctypes
import os
import threading
import time
from collections import deque
from collections.abc import Iterable
from functools import partial
from itertools import chain
from queue import Empty, SimpleQueue
from typing import Any, Callable

from . import _library, _native, errors, logs
from .event import Taken

# Closing ends every wait in the library at once, so calls under way need no longer than it takes to schedule threads.
# Where they do, the executor is left to the operating system: to free it under them would be a crash.
PATIENCE_S = 30.0
# At the end of the interpreter, for one executor; then the process may as well crash.
MOST_SIGNALS = 100
# Freeing that took less has seen the log's last callback return.
LEFT_AFTER_S = 0.4


class Handle:
    """What an Executor holds. It does not know the Executor, so that this one can be collected."""

    def __init__(self, pointer: int) -> None:
        self.library = _library.load()
        self.pointer = pointer
        self.pid = os.getpid()
        # What the library has handed out and `sync` has not, because a signal's exception ended it.
        self.interrupted: deque[Taken] = deque()
        # Where its log records go, if to Python.
        self.records: logs.Records | None = None
        self._calls: dict[object, int] = {}
        self._closing = False
        # Whoever takes the pointer out of these closes the executor, or frees it.
        self._to_close = [pointer]
        self._to_free = [pointer]
        self._freed_by = 0
        self._freed = False
        # Something has changed for those who wait in `close`. Its `put` may interrupt its `put`.
        self._changed: SimpleQueue[None] = SimpleQueue()
        _live.add(self)

    def call(self, name: str, *arguments: Any) -> int:  # noqa: ANN401 - what the function of that name takes
        """Calls a function of the library on the executor: its result, or ERR_CLOSED where that is closed."""
        status = self._counted(name, *arguments)
        if status == _native.ERR_CLOSED and _ending_in not in (0, _thread.get_ident()) and _in_daemon():
            # Closed because the interpreter ends. The exception would be printed, if at all, while Python takes its
            # files away, which can be fatal: it is to come too late.
            _never.acquire(timeout=PATIENCE_S)
        return status

    def _counted(self, name: str, *arguments: Any) -> int:  # noqa: ANN401 - as above
        token = object()
        try:
            # First the token, then the look: `close` sets first and looks then, so one of the two sees the other.
            self._calls[token] = _thread.get_ident()
            if self._closing:
                return _native.ERR_CLOSED
            status: int = getattr(self.library, name)(self.pointer, *arguments)
            return status
        finally:
            self._calls.pop(token, None)
            if self._closing:
                self._changed.put(None)

    def checked(self, name: str, *arguments: Any) -> int:  # noqa: ANN401 - what the function of that name takes
        """The same for functions that tell more in an error: a negative status is raised."""
        error = ctypes.c_void_p()
        status = self.call(name, *arguments, ctypes.byref(error))
        if error.value:
            message = take_message(self.library, error.value)
            if status >= 0:
                return status
            raise errors.error(status, message)
        if status < 0:
            raise errors.error(status, self.explanation(status))
        return status

    def explanation(self, status: int) -> str:
        """Where the library has told none."""
        if status == _native.ERR_CLOSED and self.closed:
            return "the executor is closed"
        return explanation(status)

    @property
    def closed(self) -> bool:
        """`close` was called."""
        return self._closing

    @property
    def forked(self) -> bool:
        """This process is a child of the one that has the executor."""
        return self.pid != os.getpid()

    def close(self) -> None:
        """Ends all calls under way with ERR_CLOSED, and frees the executor when they have ended."""
        if self.forked:
            return
        self.begin_close()
        me = _thread.get_ident()
        if self.records is not None and self.records.thread == me:
            # A log handler closes the executor whose record it has: freeing waits for that handler.
            _thread.start_new_thread(self.close, ())
            return
        deadline = time.monotonic() + PATIENCE_S
        while not self._freed:
            callers = list(self._calls.values())
            if me in callers or self._freed_by == me:
                # A signal handler closes what it interrupted: the call below it cannot end before this one does.
                # Collection, or the end of the process, frees.
                return
            if not callers and self._free():
                break
            try:
                self._changed.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                return
        # For the next thread that waits here.
        self._changed.put(None)

    def begin_close(self) -> None:
        """Ends all calls under way, and lets no more begin. Never waits."""
        if self.forked:
            return
        self._closing = True
        token = object()
        try:
            # As above: nobody frees between the token and its end.
            self._calls[token] = _thread.get_ident()
            self.library.lambda_executor_close(self._to_close.pop())
        except IndexError:
            pass
        finally:
            self._calls.pop(token, None)
            self._changed.put(None)

    def _free(self) -> bool:
        """False if another thread is at it."""
        try:
            pointer = self._to_free.pop()
        except IndexError:
            return False
        self._freed_by = _thread.get_ident()
        # The log callback stays: what freeing has to say is worth a record. A handler that has not returned after half
        # a second or more is left behind.
        began = time.monotonic()
        try:
            self.library.lambda_executor_free(pointer)
        finally:
            # Also after an exception, which a signal handler raises when the call has returned.
            self._freed = True
            if self.records is not None and time.monotonic() - began > LEFT_AFTER_S:
                _late.append(self.records)
            _live.discard(self)
        # Only now: freed before, they would count as done with.
        while self.interrupted:
            self.interrupted.popleft().free(self.library)
        return True

    def forget_calls_of(self, thread: int) -> None:
        """Where no call of a thread is under way: an exception of a second signal handler, on the heels of the first
        one's, may have left a token behind."""
        for token, caller in list(self._calls.items()):
            if caller == thread:
                self._calls.pop(token, None)

    def collect(self) -> None:
        """Closes where nobody can wait: collection happens anywhere, perhaps where a lock of `logging` is held that the
        log callback waits for. So another thread does it."""
        if self._freed or self.forked:
            return
        try:
            # Not threading.Thread: collection may have come within one of its locks.
            _thread.start_new_thread(self.close, ())
        except RuntimeError:
            # No more threads, or the interpreter ends: then _close_all is to come.
            return


def explanation(status: int) -> str:
    """Where the library has told none: the call did not get to it, or the function has no error object."""
    kind = errors.CLASSES.get(status, errors.Error)
    return (kind.__doc__ or "").split("\n", maxsplit=1)[0]


def take_message(library: ctypes.CDLL, error: int) -> str:
    """The message of an error of the library's, which is freed."""
    text = library.lambda_executor_error_message(error)
    message: str = text.ptr.decode()
    library.lambda_executor_error_free(error)
    return message


_live: set[Handle] = set()
# Whose log handlers may not have returned when their executor was freed: the library may still come back to them.
_late: list[logs.Records] = []
# The thread in which the interpreter ends.
_ending_in = 0
_never = _thread.allocate_lock()
_never.acquire()


def ending() -> bool:
    """The interpreter ends: an executor that started now would be closed by nobody."""
    return _ending_in != 0


def _in_daemon() -> bool:
    """This is a daemon thread of Python's, and none of a library's that is in a callback: that one is waited for."""
    thread = threading.current_thread()
    return thread.daemon and not isinstance(thread, threading._DummyThread)


def do_all(steps: Iterable[Callable[[], None]]) -> None:
    """At the end of the interpreter: does each, again where a signal handler's exception ended it (another Ctrl-C of
    somebody impatient). What was left open would crash the process. Raises the first exception when all is done."""
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
    """At the end of the interpreter, while its threads still run: no thread of the library may call into it later."""
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
    """After fork the parent's executors, and its end, are none of our concern."""
    global _ending_in
    _ending_in = 0
    _live.clear()
    _late.clear()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_in_child)
