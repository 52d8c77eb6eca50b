"""as_completed and wait of concurrent.futures for a pool's futures, with types. In a callback they raise, where those
of concurrent.futures would wait for ever."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ALL_COMPLETED
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

if TYPE_CHECKING:
    from .pool_loop import Loop

F = TypeVar("F", bound="concurrent.futures.Future[Any]")


def as_completed(fs: Iterable[F], timeout: float | None = None) -> Iterator[F]:
    """As in concurrent.futures, but the results have the type of the arguments. So `names[future]` with
    `names = {pool.submit(command): command}` passes a type checker."""
    return cast("Iterator[F]", concurrent.futures.as_completed(fs, timeout))


if TYPE_CHECKING:
    from typing import Generic

    class DoneAndNotDone(NamedTuple, Generic[F]):
        done: set[F]
        not_done: set[F]

else:
    DoneAndNotDone = concurrent.futures._base.DoneAndNotDoneFutures


def wait(fs: Iterable[F], timeout: float | None = None, return_when: str = ALL_COMPLETED) -> DoneAndNotDone[F]:
    """As in concurrent.futures, with the types of as_completed."""
    return cast("DoneAndNotDone[F]", concurrent.futures.wait(fs, timeout, return_when))


class Waiters(list[Any]):
    """The waiters that as_completed() and wait() add to a future. In a callback, their waits raise: they would never
    end."""

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop = loop

    def append(self, waiter: Any) -> None:  # noqa: ANN401 - of a class without a public name
        if self._loop.is_this_thread():
            waiter.event = _NeverWaits(self._loop)
        super().append(waiter)


class _NeverWaits(threading.Event):
    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop = loop

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set() and (timeout is None or timeout > 0):
            self._loop.refuse_to_wait("for futures")
        return super().wait(timeout)
