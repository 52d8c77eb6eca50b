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
        # Whether the task is a Python function, and what its value must be signed with.
        self._function = function
        self._nonce = nonce
        # Calls of `map` that are in it.
        self._items = items
        # The task's tag, and whether the executor has the task.
        self._tag = 0
        self._queued = False
        # With option `retries`: what is submitted again, and the failed attempt whose result is not acknowledged yet.
        self._policy: RetryPolicy | None = None
        self._task: Task | None = None
        self._failed_event: Event | None = None
        # The attempt that is known by attempt_id has been accepted by Lambda.
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
        """Calls `fn(future)` when Lambda has accepted the task, so that `attempt_id` is known; at once if it has. With
        option `retries` again for each retry, whose attempt_id is another one. Before the done callbacks; never for a
        task that Lambda has not accepted. With option running_events false, when the task ends.

        As with `add_done_callback`, the pool's thread calls it: it should be short, and cannot wait for futures of the
        pool. An exception is logged and otherwise ignored.
        """
        with self._condition:
            self._running_callbacks.append(fn)
            if not self._accepted:
                return
        self._call_safely(fn)

    def cancel(self) -> bool:
        """Cancels the task if it waits: then it never runs. False if Lambda has, or may have, accepted it: the standard
        library's futures cannot be cancelled then, see `abandon`. A task that is submitted at this very moment may be
        abandoned."""
        return self.cancelled() or self._loop.cancel(self)

    def abandon(self) -> bool:
        """Cancels the task, waiting or running: its result will be discarded, and what runs in Lambda continues there.
        The future is cancelled, or, if it was running, raises TaskCancelled. False if it was done already."""
        return self._loop.abandon(self)

    def ack(self) -> None:
        """With LambdaPool(acknowledge="manual"): acknowledges the task's result, which may be what a Python function
        returned or raised; see Completed.ack. Does nothing before the future is done."""
        if self.event is not None:
            self._loop.ends.acknowledge(self.event.seq)

    def result(self, timeout: float | None = None) -> T:
        """The task's result, or the exception that says why there is none. TimeoutError after `timeout` seconds.
        RuntimeError in a callback, which cannot wait: the thread that calls it settles the futures."""
        return super().result(self._wait(timeout))

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The exception that `result` would raise, or None."""
        return super().exception(self._wait(timeout))

    def _wait(self, timeout: float | None) -> float | None:
        """Waits; the rest of the time."""
        if self._state in ("FINISHED", "CANCELLED_AND_NOTIFIED"):
            return timeout
        # In a forked child nothing would ever end the wait; and the future's lock may be one that was held at the fork.
        if self._loop.pid != os.getpid():
            raise ForkedError(f"the future of task {self.key!r} belongs to the parent of this process")
        if timeout is None or timeout > 0:
            self._loop.refuse_to_wait(f"for the result of task {self.key!r}")
        return wait_for_signals_too(self._condition, self.done, timeout)

    # What follows is for the loop. Each is called by the one thread that has taken the future from the loop's table.

    def _start(self, event: Event) -> None:
        """Lambda has accepted the task."""
        with self._condition:
            if self.done():
                # `cancel` in another thread was faster.
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
        """The task has failed, and is to be submitted once more."""
        with self._condition:
            self.retries += 1
            self._tag = tag
            self._queued = self._accepted = False
            if self._state == "RUNNING":
                # Not done for those that wait for it, and it can be cancelled again.
                self._state = "PENDING"

    def _call_safely(self, callback: Callable[[LambdaFuture[T]], object]) -> None:
        try:
            callback(self)
        except BaseException as error:
            # In the pool's thread SystemExit ends nothing; in the user's, Ctrl-C must.
            if not isinstance(error, Exception) and not self._loop.is_this_thread():
                raise
            log_exception("task %r: its running callback", self.key)

    def _finish_cancelled(self) -> None:
        """The task never ran, and will not."""
        try:
            super().cancel()
        finally:
            # Also after a done callback that raised. Without this, wait() and as_completed() would not know.
            self.set_running_or_notify_cancel()

    def _fail_at_the_end(self, error: BaseException) -> None:
        """The interpreter ends. The future has the error, and callbacks run; threads that wait are not woken: only
        daemon threads wait now, and one that prints its traceback while the interpreter ends can crash it."""
        with self._condition:
            if self.done():
                return
            self._exception = error
            self._state = "FINISHED"
        self._invoke_callbacks()  # type: ignore[attr-defined]


def log_exception(message: str, *arguments: object) -> None:
    """Logs the exception that is being handled. A log handler that raises must not end what goes on."""
    try:
        log.exception(message, *arguments)
    except Exception:
        # As `logging` itself does with what its handlers raise, where a stream is left.
        with contextlib.suppress(Exception):
            traceback.print_exc()


def wait_for_signals_too(
    condition: threading.Condition, done: Callable[[], bool], timeout: float | None
) -> float | None:
    """Waits until it is done or the time is over, for Ctrl-C too: the rest of the time.

    A signal that arrives after Python's last check for signals and before the lock waits ends no wait. So the main
    thread, which alone runs Python's signal handlers, checks again now and then.
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
