"""How the tasks of a pool end: what their futures return or raise, and how that is acknowledged and counted."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Any, Callable, TypeVar

from . import errors
from .event import Event
from .executor import Executor
from .future import LambdaFuture, log_exception
from .outcome import Completed, TaskCancelled, TaskError, TaskFailed, TaskLost
from .pickled import Functions
from .progress import Progress
from .statuses import State
from .summary import Tally

A = TypeVar("A", Completed, TaskError)

#: Failed attempts whose results stay in their queue until Lambda has accepted the retry. More would, with those that
#: the user has not acknowledged, reach option max_unacked_results, and then nothing would be received any more.
_MOST_FAILED_HELD = 1_000


class Ends:
    """Settles futures. Its methods are called by the thread that has taken the future from the loop's table."""

    def __init__(self, executor: Executor, functions: Functions, progress: Progress, *, manual: bool) -> None:
        self.progress = progress
        self.tally = Tally(executor)
        #: By seq, the batch of each final event that the user has not acknowledged (manual acknowledgement), or whose
        #: retry does not run yet. An event whose batch is gone would be handed out again.
        self.held: dict[int, tuple[Event, ...]] = {}
        self._executor = executor
        self._functions = functions
        self._manual = manual
        self._failed_held = 0

    def outcome(self, future: LambdaFuture[Any], event: Event) -> tuple[Any, BaseException | None]:
        """What the future returns or raises."""
        try:
            if event.state is State.CANCELLED:
                raise TaskCancelled(event)
            if event.state is State.LOST:
                raise TaskLost(event)
            if future._function:
                return self._functions.result(event, future._nonce), None
            if event.state is State.SUCCEEDED:
                completed = Completed(event.key, event.return_code or 0, event.output_tail, event.value, event)
                return self._with_ack(completed, event), None
            raise TaskFailed(event)
        except BaseException as error:  # also what unpickling raises
            if isinstance(error, TaskError):
                self._with_ack(error, event)
            # Our own frames would keep the event alive, and are of no use to the user.
            return None, error.with_traceback(None)

    def settle(self, future: LambdaFuture[Any], value: object, error: BaseException | None) -> None:
        if error is None:
            count = self.tally.succeeded
        elif isinstance(error, TaskCancelled):
            count = self.tally.cancelled
        else:
            count = self.tally.lost if isinstance(error, TaskLost) else self.tally.failed
        self._count(future, failed=error is not None, count=count)
        try:
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)
        except BaseException:
            # A done callback raised what is not an Exception, a log handler raised, or another thread settled the
            # future.
            log_exception("task %r: after its end", future.key)

    def settle_cancelled(self, future: LambdaFuture[Any]) -> None:
        """The task never ran, and will not. What a done callback raises and is not an Exception is raised."""
        self.acknowledge_failed(future)
        self._count(future, failed=True, count=self.tally.cancelled)
        future._finish_cancelled()

    def _count(self, future: LambdaFuture[Any], *, failed: bool, count: Callable[[], None]) -> None:
        """Before the future is done: a thread that has its result finds it counted."""
        count()
        self.progress.task_done(future._items, failed=failed)
        # Not needed for a retry any more.
        future._task = None

    # ---- acknowledgement

    def acknowledge(self, seq: int) -> None:
        """Acknowledges an event that is held; no other."""
        if seq in self.held:
            self._executor.ack((seq,))
            self.held.pop(seq, None)

    def hold(self, event: Event, batch: tuple[Event, ...]) -> bool:
        """Whether the user acknowledges the event."""
        if self._manual:
            self.held[event.seq] = batch
        return self._manual

    def hold_failed(self, future: LambdaFuture[Any], event: Event, batch: tuple[Event, ...]) -> bool:
        """With manual acknowledgement, the result of a failed attempt stays in its queue until the retry is known by
        its own attempt_id: the successor of a program that dies meanwhile adopts the failed attempt."""
        if not self._manual or self._failed_held >= _MOST_FAILED_HELD:
            return False
        self.held[event.seq] = batch
        self._failed_held += 1
        future._failed_event = event
        return True

    def acknowledge_failed(self, future: LambdaFuture[Any]) -> None:
        """The retry runs, or there is none any more."""
        event, future._failed_event = future._failed_event, None
        if event is not None:
            self._failed_held -= 1
            with contextlib.suppress(errors.Error):
                self.acknowledge(event.seq)

    def _with_ack(self, outcome: A, event: Event) -> A:
        if self._manual:
            outcome._acknowledge = partial(self.acknowledge, event.seq)
        return outcome
