"""When a pool submits a failed task again."""

from __future__ import annotations

import heapq
import math
import time
from dataclasses import dataclass
from typing import Callable, Union

from .outcome import TaskCancelled, TaskLost, ValueNotSigned
from .task import Task, check_seconds

#: Maximum of the doubled delay, in seconds.
MOST_DELAY_S = 60.0

RetryOn = Union[type[BaseException], tuple[type[BaseException], ...], Callable[[BaseException], bool], None]

#: Not retried unless `retry_on` names them: the task may still run, or the value cannot be trusted.
_NOT_BY_DEFAULT = (TaskLost, ValueNotSigned)


@dataclass(frozen=True)
class RetryPolicy:
    """See LambdaPool.options."""

    retries: int = 0
    delay: float = 0.0
    on: RetryOn = None

    def __post_init__(self) -> None:
        if not isinstance(self.retries, int) or isinstance(self.retries, bool):
            raise TypeError(f"retries: {type(self.retries).__name__} is not int")
        if self.retries < 0:
            raise ValueError(f"retries: {self.retries} is less than 0")
        check_seconds("retry_delay", self.delay)
        if not 0 <= self.delay < math.inf:
            raise ValueError(f"retry_delay: {self.delay} s is not a finite number of at least 0")
        kinds = self.on if isinstance(self.on, tuple) else (self.on,)
        if not (
            self.on is None
            or all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds)
            or (callable(self.on) and not isinstance(self.on, type))
        ):
            raise TypeError(f"retry_on: {self.on!r} is neither exception classes nor a function of the exception")

    def wants(self, error: BaseException, done: int) -> bool:
        """Whether a task that failed with this error is retried, after `done` retries."""
        if done >= self.retries or isinstance(error, TaskCancelled):
            return False
        if self.on is None:
            return not isinstance(error, _NOT_BY_DEFAULT)
        if isinstance(self.on, (type, tuple)):
            return isinstance(error, self.on)
        return bool(self.on(error))

    def delay_before(self, number: int) -> float:
        """Seconds before retry `number`, which is 1 for the first."""
        # The exponent is limited, because 2.0 ** 1024 overflows.
        return min(self.delay * 2.0 ** min(number - 1, 60), MOST_DELAY_S)


class Delayed:
    """Tasks that wait for their retry. Not thread-safe."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Task]] = []

    def add(self, task: Task, seconds: float) -> None:
        heapq.heappush(self._heap, (time.monotonic() + seconds, task.tag, task))

    def due(self) -> list[Task]:
        """Removes and returns the tasks whose time has come, in the order of their times."""
        now, due = time.monotonic(), []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[2])
        return due

    def seconds_to_next(self) -> float | None:
        return max(0.0, self._heap[0][0] - time.monotonic()) if self._heap else None
