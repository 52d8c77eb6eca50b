"""The executor for asyncio: waits on the descriptor in the loop, without a thread.

`wait`, `drain`, `check_health` and `close` wait in the library, in a thread of the loop's default pool.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar

from . import errors
from .batch import Batch
from .event import Event
from .executor import CONFIGURED, DEFAULT_LOGGER, Configured, Executor, check_drain_timeout
from .prompt_calls import PromptCalls
from .statuses import State
from .task import check_seconds

E = TypeVar("E", bound="AsyncExecutor")
T = TypeVar("T")

# A thread of the pool cannot be cancelled. It waits for at most this long after its coroutine was cancelled.
SLICE_S = 1.0

# After this many events in a row without a wait, other coroutines get a turn.
MOST_AT_ONCE = 100


class AsyncExecutor(PromptCalls):
    """An Executor whose waiting calls are coroutines, for one event loop. All other calls are the same."""

    def __init__(
        self,
        config: Mapping[str, Any] | str | None,
        *,
        logger: logging.Logger | None = DEFAULT_LOGGER,
    ) -> None:
        """See Executor."""
        self._executor = Executor(config, logger=logger)
        super().__init__(self._executor._handle)
        self._waiting: set[asyncio.Future[None]] = set()
        self._watched: tuple[asyncio.AbstractEventLoop, int] | None = None

    async def __aenter__(self: E) -> E:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def stop(self) -> None:
        """See Executor.stop."""
        self._executor.stop()
        self._end_waits()

    async def close(self) -> int:
        """Ends every wait with ClosedError and frees the executor: the number of dropped tasks; see Executor.close."""
        # Stopped first, so that a coroutine that wakes does not watch the descriptor again: freeing closes it.
        if not self._handle.forked:
            self._handle.begin_close()
        self._end_waits()
        return await self._in_thread(self._executor.close)

    def _end_waits(self) -> None:
        self._unwatch()
        self._wake_all()

    # Events out

    async def sync(self, timeout: float | None = None, max_events: int = 0) -> Batch:
        """Events, oldest first; waits for the first one, unlike Executor.sync without limit by default.

        An empty batch when the time is over. Cancelling it loses no event. Other coroutines get a turn even when
        events wait.
        """
        # Before events are taken, so that a cancellation loses none.
        await asyncio.sleep(0)
        return await self._sync(timeout, max_events)

    async def _sync(self, timeout: float | None, max_events: int) -> Batch:
        deadline = _deadline(timeout)
        while True:
            batch = self._executor.sync(0.0, max_events)
            left = None if deadline is None else deadline - time.monotonic()
            if batch or (left is not None and left <= 0):
                return batch
            await self._readable(left)

    def events(self) -> AsyncIterator[Event]:
        """Events one by one, until the executor is closed or drained.

        Each is acknowledged when the next one is taken. An exception, a cancellation or an early exit does not
        acknowledge the event that the body has not finished, and the next `sync` or `events` hands it out again: `ack`
        it before you leave, to avoid that.
        """
        return _Events(self)

    async def wait(self, key: str, timeout: float | None = None) -> State:
        """See Executor.wait."""
        state = State.UNKNOWN

        def slice_of(seconds: float) -> bool:
            nonlocal state
            state = self._executor.wait(key, seconds)
            return state.final

        await self._in_slices(slice_of, timeout)
        return state

    # The service

    async def drain(self, timeout: float | Configured | None = CONFIGURED, *, cancel_queued: bool = False) -> int:
        """See Executor.drain. After a cancellation, the executor still accepts no tasks."""
        check_drain_timeout(timeout)
        if isinstance(timeout, Configured):
            over = threading.Event()
            try:
                return await self._in_thread(lambda: self._executor._drain(timeout, cancel_queued, over.is_set))
            except asyncio.CancelledError:
                over.set()
                # Not Executor.wake: other waits continue.
                self._handle.call("lambda_executor_wake")
                raise
        remaining = 0

        def slice_of(seconds: float) -> bool:
            nonlocal remaining
            remaining = self._executor.drain(seconds, cancel_queued=cancel_queued)
            return remaining == 0

        await self._in_slices(slice_of, timeout)
        return remaining

    async def check_health(self, timeout: float | None = None) -> None:
        """See Executor.check_health."""

        def slice_of(seconds: float) -> bool:
            with contextlib.suppress(errors.TimedOut):
                self._executor.check_health(seconds)
                return True
            return False

        if not await self._in_slices(slice_of, timeout):
            raise errors.TimedOut("AWS has not answered yet; the check continues: call check_health again")

    # How it waits

    async def _in_slices(self, slice_of: Callable[[float], bool], timeout: float | None) -> bool:
        """Waits in a thread until one slice returns True; False when the time is over."""
        deadline = _deadline(timeout)
        while True:
            left = SLICE_S if deadline is None else max(0.0, min(SLICE_S, deadline - time.monotonic()))
            if await self._in_thread(lambda: slice_of(left)):  # noqa: B023 - called before the next round
                return True
            if deadline is not None and time.monotonic() >= deadline:
                return False

    @staticmethod
    async def _in_thread(call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(None, call)

    async def _readable(self, seconds: float | None) -> None:
        """Returns when events wait, the executor is closed, or the time is over."""
        loop = asyncio.get_running_loop()
        self._watch(loop)
        waiting = loop.create_future()
        self._waiting.add(waiting)
        over = None if seconds is None else loop.call_later(seconds, _settle, waiting)
        try:
            await waiting
        finally:
            if over is not None:
                over.cancel()
            self._waiting.discard(waiting)
            if not self._waiting:
                # The descriptor stays readable while events wait, and would wake the loop again and again.
                self._unwatch()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._watched is None:
            descriptor = self._executor.fileno()
            loop.add_reader(descriptor, self._wake_all)
            self._watched = (loop, descriptor)

    def _unwatch(self) -> None:
        if self._watched is not None:
            loop, descriptor = self._watched
            self._watched = None
            if not loop.is_closed():
                loop.remove_reader(descriptor)

    def _wake_all(self) -> None:
        for waiting in self._waiting:
            _settle(waiting)


class _Events:
    """The iterator of `events`. Not an async generator, because the loop finalizes one later. When this iterator is
    dropped, its event is available again immediately."""

    def __init__(self, executor: AsyncExecutor) -> None:
        self._executor = executor
        self._batch: Batch | None = None
        self._in_a_row = 0

    def __aiter__(self) -> _Events:
        return self

    async def __anext__(self) -> Event:
        try:
            if self._batch is not None:
                self._batch.ack()
                self._batch = None
            self._in_a_row += 1
            if self._in_a_row == MOST_AT_ONCE:
                self._in_a_row = 0
                await asyncio.sleep(0)
            self._batch = await self._executor._sync(None, 1)
        except errors.ClosedError:
            self._batch = None
            raise StopAsyncIteration from None
        return self._batch[0]


def _deadline(timeout: float | None) -> float | None:
    if timeout is None:
        return None
    check_seconds("timeout", timeout)
    return time.monotonic() + timeout


def _settle(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
