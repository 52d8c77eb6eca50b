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

#: Maximum number of failed attempts whose results stay in their queue until Lambda has accepted the retry. More of
#: them, with the results that the user has not acknowledged, could reach option max_unacked_results, which stops
#: receiving.
_MOST_FAILED_HELD = 1_000


class Ends:
    """Settles futures. Its methods are called by the thread that has taken the future from the loop's table."""

    def __init__(self, executor: Executor, functions: Functions, progress: Progress, *, manual: bool) -> None:
        self.progress = progress
        self.tally = Tally(executor)
        #: Batches of final events, by seq: with manual acknowledgement, events that the user has not acknowledged, and
        #: failed attempts whose retry does not run yet. If its batch were freed, an event would be handed out again.
        self.held: dict[int, tuple[Event, ...]] = {}
        self._executor = executor
        self._functions = functions
        self._manual = manual
        self._failed_held = 0

    def outcome(self, future: LambdaFuture[Any], event: Event) -> tuple[Any, BaseException | None]:
        """The value or the exception of the future."""
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
        except BaseException as error:  # also exceptions of unpickling
            if isinstance(error, TaskError):
                self._with_ack(error, event)
            # The frames of this module would keep the event alive, and do not help the user.
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
            # A done callback raised a BaseException, a log handler raised, or another thread settled the future.
            log_exception("task %r: after its end", future.key)

    def settle_cancelled(self, future: LambdaFuture[Any]) -> None:
        """The task was cancelled before it ran. Raises BaseExceptions of done callbacks."""
        self.acknowledge_failed(future)
        self._count(future, failed=True, count=self.tally.cancelled)
        future._finish_cancelled()

    def _count(self, future: LambdaFuture[Any], *, failed: bool, count: Callable[[], None]) -> None:
        """Called before the future is done, so that a thread that has the result sees it counted."""
        count()
        self.progress.task_done(future._items, failed=failed)
        future._task = None

    # ---- acknowledgement

    def acknowledge(self, seq: int) -> None:
        """Acknowledges an event, if it is held."""
        if seq in self.held:
            self._executor.ack((seq,))
            self.held.pop(seq, None)

    def hold(self, event: Event, batch: tuple[Event, ...]) -> bool:
        """Holds an event that the user acknowledges. False if the pool does."""
        if self._manual:
            self.held[event.seq] = batch
        return self._manual

    def hold_failed(self, future: LambdaFuture[Any], event: Event, batch: tuple[Event, ...]) -> bool:
        """With manual acknowledgement, holds the event of a failed attempt until the attempt_id of the retry is known.
        So its result stays in the queue: if the program dies meanwhile, the next one can adopt the failed attempt."""
        if not self._manual or self._failed_held >= _MOST_FAILED_HELD:
            return False
        self.held[event.seq] = batch
        self._failed_held += 1
        future._failed_event = event
        return True

    def acknowledge_failed(self, future: LambdaFuture[Any]) -> None:
        """Acknowledges the failed attempt of a future: its retry runs, or no retry follows."""
        event, future._failed_event = future._failed_event, None
        if event is not None:
            self._failed_held -= 1
            with contextlib.suppress(errors.Error):
                self.acknowledge(event.seq)

    def _with_ack(self, outcome: A, event: Event) -> A:
        if self._manual:
            outcome._acknowledge = partial(self.acknowledge, event.seq)
        return outcome
