"""The future of one task of a pool: a real concurrent.futures.Future."""

from __future__ import annotations

import concurrent.futures
import os
import threading
import time
from typing import TYPE_CHECKING, Callable, TypeVar

from .errors import ForkedError
from .event import Event

if TYPE_CHECKING:
    from .pool_loop import Loop

T = TypeVar("T")

_LOOK_AGAIN_S = 1.0


class LambdaFuture(concurrent.futures.Future[T]):
    """Pending until Lambda has accepted the task, then running (its command may start later), then done."""

    def __init__(self, loop: Loop, key: str, *, function: bool = False, nonce: bytes | None = None) -> None:
        super().__init__()
        #: The task's.
        self.key = key
        #: Which submission of the key it is, once running: what `adopt` needs after a restart.
        self.attempt_id = ""
        #: The task's final event, once done; None if there is none. Of a Python function, too, it has output, times and
        #: log stream.
        self.event: Event | None = None
        #: Whether the task is a Python function, and what its value must be signed with.
        self.function = function
        self.nonce = nonce
        #: The task's tag, and whether the executor has the task.
        self.tag = 0
        self.queued = False
        self._loop = loop

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
            self._loop.acknowledge(self.event.seq)

    def result(self, timeout: float | None = None) -> T:
        """The task's result, or the exception that says why there is none. TimeoutError after `timeout` seconds."""
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
        return wait_for_signals_too(self._condition, self.done, timeout)

    # What follows is for the loop. Each is called by the one thread that has taken the future from the loop's table.

    def _start(self, event: Event) -> None:
        """Lambda has accepted the task."""
        self.attempt_id = event.attempt_id
        with self._condition:
            # `cancel` in another thread may have been faster.
            if self._state == "PENDING":
                self.set_running_or_notify_cancel()

    def _start_adopted(self, attempt_id: str) -> None:
        self.attempt_id = attempt_id
        self.queued = True
        self.set_running_or_notify_cancel()

    def _finish_cancelled(self) -> None:
        """The task never ran, and will not."""
        super().cancel()
        # Without this, wait() and as_completed() would not know.
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
