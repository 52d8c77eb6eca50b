"""The future of one task of a pool: a real concurrent.futures.Future."""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import os
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from .errors import ForkedError
from .event import Event
from .waiting import Waiters

if TYPE_CHECKING:
    from .pool_loop import Loop
    from .retries import RetryPolicy
    from .task import Task

log = logging.getLogger("lambda_executor.pool")

T = TypeVar("T")

_LOOK_AGAIN_S = 1.0


class LambdaFuture(concurrent.futures.Future[T]):
    """Pending until Lambda has accepted the task, then running (its command may start later), then done. With option
    `retries`, pending again after each failure that is followed by a retry."""

    def __init__(
        self, loop: Loop, key: str, *, function: bool = False, nonce: bytes | None = None, items: int = 1
    ) -> None:
        super().__init__()
        self._waiters: list[Any] = Waiters(loop)
        #: The task's.
        self.key = key
        #: Which submission of the key it is, once running: what `adopt` needs after a restart.
        self.attempt_id = ""
        #: The task's final event, once done; None if there is none. Of a Python function, too, it has output, times and
        #: log stream.
        self.event: Event | None = None
        #: How many times the task was submitted again, see option `retries` of LambdaPool.options.
        self.retries = 0
        self._loop = loop
        # Whether the task is a Python function, and the nonce of its value's signature.
        self._function = function
        self._nonce = nonce
        # Number of calls of `map` in this task.
        self._items = items
        # The task's tag, and whether the executor has the task.
        self._tag = 0
        self._queued = False
        # With option `retries`: the task to submit again, and the final event of the failed attempt that is not
        # acknowledged yet.
        self._policy: RetryPolicy | None = None
        self._task: Task | None = None
        self._failed_event: Event | None = None
        # Lambda has accepted the attempt whose id is attempt_id.
        self._accepted = False
        self._running_callbacks: list[Callable[[LambdaFuture[T]], object]] = []

    def __repr__(self) -> str:
        state = self._state.lower().replace("cancelled_and_notified", "cancelled")
        shown = [f"{self.key!r}: {state}"]
        if self._state == "FINISHED":
            shown.append(f"raised {type(self._exception).__name__}" if self._exception else "has its result")
        if self.retries:
            shown.append(f"retries={self.retries}")
        if self.attempt_id:
            shown.append(f"attempt_id={self.attempt_id!r}")
        return f"<LambdaFuture {', '.join(shown)}>"

    def add_running_callback(self, fn: Callable[[LambdaFuture[T]], object]) -> None:
        """Calls `fn(future)` when Lambda has accepted the task and `attempt_id` is known, immediately if it already
        has. With option `retries`, again for each retry, which has a new attempt_id. Called before the done callbacks,
        and never for a task that Lambda has not accepted. With option running_events false, called when the task ends.

        As with `add_done_callback`, the pool's thread calls it: it should be short, and cannot wait for futures of the
        pool. An exception is logged and otherwise ignored.
        """
        with self._condition:
            self._running_callbacks.append(fn)
            if not self._accepted:
                return
        self._call_safely(fn)

    def cancel(self) -> bool:
        """Cancels a waiting task, which then never runs. False if Lambda has, or may have, accepted the task: futures
        of the standard library cannot be cancelled in that state, but see `abandon`. A task that is being submitted
        during the call may be abandoned."""
        return self.cancelled() or self._loop.cancel(self)

    def abandon(self) -> bool:
        """Cancels a waiting or running task. A running command continues in Lambda, and its result is discarded. The
        future is cancelled, or, if it was running, raises TaskCancelled. False if it was done already."""
        return self._loop.abandon(self)

    def ack(self) -> None:
        """With LambdaPool(acknowledge="manual"): acknowledges the task's result, also that of a Python function; see
        Completed.ack. Does nothing before the future is done."""
        if self.event is not None:
            self._loop.ends.acknowledge(self.event.seq)

    def result(self, timeout: float | None = None) -> T:
        """The task's result. Raises the exception that explains why there is none, TimeoutError after `timeout`
        seconds, and RuntimeError in a callback: callbacks run in the thread that settles the futures, which must not
        wait for one."""
        return super().result(self._wait(timeout))

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The exception that `result` would raise, or None."""
        return super().exception(self._wait(timeout))

    def _wait(self, timeout: float | None) -> float | None:
        """Waits, and returns the rest of the time."""
        if self._state in ("FINISHED", "CANCELLED_AND_NOTIFIED"):
            return timeout
        # In a forked child nothing would end the wait, and another thread may have held the future's lock at the fork.
        if self._loop.pid != os.getpid():
            raise ForkedError(f"the future of task {self.key!r} belongs to the parent of this process")
        if timeout is None or timeout > 0:
            self._loop.refuse_to_wait(f"for the result of task {self.key!r}")
        return wait_for_signals_too(self._condition, self.done, timeout)

    # For the loop. Only the thread that has taken the future from the loop's table calls these methods.

    def _start(self, event: Event) -> None:
        """Lambda has accepted the task."""
        with self._condition:
            if self.done():
                # Another thread has cancelled it.
                return
            self.attempt_id = event.attempt_id
            self._accepted = True
            callbacks = list(self._running_callbacks)
            if self._state == "PENDING":
                self.set_running_or_notify_cancel()
        for callback in callbacks:
            self._call_safely(callback)

    def _start_adopted(self, attempt_id: str) -> None:
        self.attempt_id = attempt_id
        self._accepted = True
        self._queued = True
        self.set_running_or_notify_cancel()

    def _start_again(self, tag: int) -> None:
        """The task has failed and will be submitted again."""
        with self._condition:
            self.retries += 1
            self._tag = tag
            self._queued = self._accepted = False
            if self._state == "RUNNING":
                # Pending again: waiting threads continue to wait, and it can be cancelled.
                self._state = "PENDING"

    def _call_safely(self, callback: Callable[[LambdaFuture[T]], object]) -> None:
        try:
            callback(self)
        except BaseException as error:
            # In the pool's thread SystemExit is logged. In the user's thread, Ctrl-C must be raised.
            if not isinstance(error, Exception) and not self._loop.is_this_thread():
                raise
            log_exception("task %r: its running callback", self.key)

    def _finish_cancelled(self) -> None:
        """The task was cancelled before it ran."""
        try:
            super().cancel()
        finally:
            # In `finally`, because done callbacks may raise. Without this, wait() and as_completed() would wait for
            # ever.
            self.set_running_or_notify_cancel()

    def _fail_at_the_end(self, error: BaseException) -> None:
        """Sets the error and runs callbacks at the end of the interpreter, without waking waiting threads. Only daemon
        threads wait at that time, and printing a traceback while the interpreter ends can crash it."""
        with self._condition:
            if self.done():
                return
            self._exception = error
            self._state = "FINISHED"
        self._invoke_callbacks()  # type: ignore[attr-defined]


def log_exception(message: str, *arguments: object) -> None:
    """Logs the exception that is being handled. Exceptions of log handlers are not passed on."""
    try:
        log.exception(message, *arguments)
    except Exception:
        # As `logging` does with exceptions of its handlers, if there is a stream.
        with contextlib.suppress(Exception):
            traceback.print_exc()


def wait_for_signals_too(
    condition: threading.Condition, done: Callable[[], bool], timeout: float | None
) -> float | None:
    """Waits until it is done, the time is over, or a signal handler raises. Returns the rest of the time.

    Only the main thread runs Python's signal handlers. A signal that arrives after its last check for signals, and
    before the lock waits, does not end the wait. So the main thread checks again every _LOOK_AGAIN_S.
    """
    if threading.current_thread() is not threading.main_thread():
        return timeout
    deadline = None if timeout is None else time.monotonic() + timeout
    with condition:
        while not done():
            left = _LOOK_AGAIN_S if deadline is None else min(_LOOK_AGAIN_S, deadline - time.monotonic())
            if left <= 0:
                break
            condition.wait(left)
    return None if deadline is None else max(0.0, deadline - time.monotonic())
