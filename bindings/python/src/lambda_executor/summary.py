"""Totals of a pool: how its tasks ended, how long they ran, and what the calls to AWS cost."""

from __future__ import annotations

import threading
import time
from typing import Any, NamedTuple

from . import errors
from .event import Event
from .executor import Executor


class Summary(NamedTuple):
    """Totals of one LambdaPool, see LambdaPool.summary. A chunk of `map` counts as one task. A task with retries counts
    once, by its last attempt."""

    submitted: int
    """Tasks that the pool accepted, adopted ones included."""
    succeeded: int
    """Tasks whose future has a result."""
    failed: int
    """Tasks whose future raises an exception that is none of the following."""
    cancelled: int
    """Tasks that were cancelled or abandoned."""
    lost: int
    """Tasks without a result: TaskLost."""
    retried: int
    """Submissions beyond the first one of each task."""
    seconds: float
    """From the first submission to the end of the last task; while tasks are unfinished, to now."""
    run_seconds: float
    """Sum of the run times of the tasks in Lambda, including failed attempts. Multiplied by the function's memory, it
    is about what Lambda bills for the duration."""
    cost_usd: float
    """US dollars that AWS bills for the executor's calls (Invoke and SQS) since the pool was created, at list prices
    (docs/statistics.md). Does not include the run time of the function. With option local, what AWS would bill."""

    @property
    def unfinished(self) -> int:
        """Tasks that have not ended. After the end of the pool: tasks that it did not wait for."""
        return self.submitted - self.succeeded - self.failed - self.cancelled - self.lost

    def __str__(self) -> str:
        """The summary in one line."""
        names = ("succeeded", "failed", "cancelled", "lost", "unfinished")
        facts = [f"{getattr(self, name):,} {name}" for name in names if getattr(self, name)]
        if self.retried:
            facts.append(plural(self.retried, "retry", "retries"))
        ends = f": {', '.join(facts)}" if facts else ""
        return (
            f"{plural(self.submitted, 'task')} in {self.seconds:,.1f} s{ends}; {self.run_seconds:,.1f} s of run time; "
            f"AWS calls: ${self.cost_usd:.6f}"
        )


def plural(number: int, one: str, many: str = "") -> str:
    """The number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


class Tally:
    """Counts for a Summary. Thread-safe."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._lock = threading.Lock()
        self._submitted = self._succeeded = self._failed = self._cancelled = self._lost = self._retried = 0
        self._run_seconds = 0.0
        self._began: float | None = None
        self._ended: float | None = None
        # The executor may have been used before.
        self._cost_before = self._cost = self._cost_now() or 0.0

    def submitted(self) -> None:
        with self._lock:
            self._submitted += 1
            if self._began is None:
                self._began = time.monotonic()

    def refused(self) -> None:
        with self._lock:
            self._submitted -= 1

    def ran(self, event: Event) -> None:
        """Adds the run time of an attempt."""
        if event.started_at is not None and event.finished_at is not None:
            with self._lock:
                # Not less than 0: the function's clock may be set back.
                self._run_seconds += max(0.0, event.finished_at - event.started_at)

    def retried(self) -> None:
        with self._lock:
            self._retried += 1

    def succeeded(self) -> None:
        with self._lock:
            self._succeeded += 1
            self._ended = time.monotonic()

    def failed(self) -> None:
        with self._lock:
            self._failed += 1
            self._ended = time.monotonic()

    def cancelled(self) -> None:
        with self._lock:
            self._cancelled += 1
            self._ended = time.monotonic()

    def lost(self) -> None:
        with self._lock:
            self._lost += 1
            self._ended = time.monotonic()

    def keep_cost(self) -> None:
        """Stores the cost before the executor is closed, which forgets it."""
        cost = self._cost_now()
        if cost is not None:
            self._cost = cost

    def summary(self, *, over: bool) -> Summary:
        """over: the pool has ended."""
        if not over:
            self.keep_cost()
        with self._lock:
            done = self._succeeded + self._failed + self._cancelled + self._lost
            until = self._ended if over or done == self._submitted else time.monotonic()
            seconds = 0.0 if self._began is None or until is None else until - self._began
            return Summary(
                self._submitted,
                self._succeeded,
                self._failed,
                self._cancelled,
                self._lost,
                self._retried,
                seconds,
                self._run_seconds,
                self._cost - self._cost_before,
            )

    def _cost_now(self) -> float | None:
        try:
            cost: Any = self._executor.stats()["cost_estimate_usd"]["total"]
        except errors.Error:
            return None
        return float(cost)
