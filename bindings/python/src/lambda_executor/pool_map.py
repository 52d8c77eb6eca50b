"""What `map` of a pool is made of: chunks of calls, and results in order."""

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
    """Results in order. Submits now, not when the first result is asked for."""
    futures: deque[LambdaFuture[T]] = deque()
    try:
        futures.extend(islice(submissions, buffersize))
    except BaseException:
        # One was refused, or Ctrl-C: the caller cannot ask for the results of those before it.
        for future in futures:
            future.cancel()
        raise

    def results() -> Iterator[T]:
        try:
            while futures:
                futures.extend(islice(submissions, 1))
                left = None if deadline is None else deadline - time.monotonic()
                # Taken out first, so that nothing holds a result that was handed out.
                yield _result_or_cancel(futures.popleft(), left)
        finally:
            for future in futures:
                future.cancel()

    return results()


def _result_or_cancel(future: LambdaFuture[T], timeout: float | None) -> T:
    """The result. Without one in time, the task is cancelled: no caller waits for it any more."""
    try:
        return future.result(timeout)
    finally:
        # Does nothing to one that is done.
        future.cancel()
        # The traceback of an exception has this frame, and the future has the exception.
        del future
