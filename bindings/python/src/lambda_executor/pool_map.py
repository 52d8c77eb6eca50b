"""Parts of a pool's `map`: chunks of calls, and results in order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from .future import LambdaFuture

T = TypeVar("T")


def chunks(calls: Iterable[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    calls = iter(calls)
    while chunk := list(islice(calls, size)):
        yield chunk


def results_of(submissions: Iterator[LambdaFuture[T]], deadline: float | None, buffersize: int | None) -> Iterator[T]:
    """Results in order. Submits now, not when the first result is requested."""
    futures: deque[LambdaFuture[T]] = deque()
    try:
        futures.extend(islice(submissions, buffersize))
    except BaseException:
        # A task was refused, or Ctrl-C: the caller cannot get the results of the tasks before it.
        for future in futures:
            future.cancel()
        raise

    def results() -> Iterator[T]:
        try:
            while futures:
                futures.extend(islice(submissions, 1))
                left = None if deadline is None else deadline - time.monotonic()
                # Removed first, so that this generator has no reference to a result that it has returned.
                yield _result_or_cancel(futures.popleft(), left)
        finally:
            for future in futures:
                future.cancel()

    return results()


def _result_or_cancel(future: LambdaFuture[T], timeout: float | None) -> T:
    """The result. Cancels the task if the time is over before it has one."""
    try:
        return future.result(timeout)
    finally:
        # Has no effect on a finished task.
        future.cancel()
        # Breaks a cycle: the future has the exception, whose traceback has this frame.
        del future
