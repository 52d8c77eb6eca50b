"""The thread of a pool, and what it shares with the pool and its futures.

It refers to futures and not to the pool, so that a pool without references can be collected; the thread then ends as
after shutdown(wait=False). It waits for the executor's descriptor and for a pipe of its own, in no call of the library.

Only the thread that takes a future out of `_pending` settles it: so events, `cancel` and the end of the pool need no
lock between them.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import logging
import os
import select
import threading
import weakref
from collections import deque
from functools import partial
from typing import Any, TypeVar

from . import _handle, errors
from .event import Event
from .executor import Executor
from .future import LambdaFuture, wait_for_signals_too
from .outcome import BrokenPool, Completed, TaskCancelled, TaskError, TaskFailed, TaskLost
from .pickled import Functions
from .progress import Progress
from .statuses import Reason, State
from .task import Task

log = logging.getLogger("lambda_executor.pool")

A = TypeVar("A", Completed, TaskError)

#: Events taken at once: so many futures are settled before anything else happens.
_MAX_EVENTS = 1_000
#: Seconds between two tries if no event says that there is room: with option running_events false none does.
_TRY_AGAIN_S = 0.1
#: Seconds that the end of the interpreter waits for the thread, which closes the executor (shutdown_grace_ms).
_PATIENCE_S = 15.0


class Loop:
    """One executor, its pending futures, and the thread that settles them."""

    def __init__(
        self, executor: Executor, *, owns_executor: bool, functions: Functions, progress: Progress, manual: bool = False
    ) -> None:
        self.executor = executor
        self.functions = functions
        self.progress = progress
        self.pid = os.getpid()
        self._owns_executor = owns_executor
        self._pending: dict[int, LambdaFuture[Any]] = {}
        # With manual acknowledgement: by seq, the batch of each final event that the user has not acknowledged. An
        # event whose batch is gone would be handed out again.
        self._manual = manual
        self._held: dict[int, tuple[Event, ...]] = {}
        self._tags = itertools.count(1)
        # Reentrant: collection of another pool may come in the middle of anything.
        self._lock = threading.RLock()
        self._room = threading.Condition(self._lock)
        self._waiting_for_room = 0
        # What done callbacks submitted while the queue was full: the loop's thread cannot wait for itself.
        self._overflow: deque[Task] = deque()
        self._shut = False
        self._broken: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._pipe: tuple[int, int] | None = None
        self._ended = False
        self._end_seen = threading.Condition()
        self._leaving = False
        # On leaving the block before its end.
        self._cancelled = 0

    # ---- for the pool

    def submit(self, future: LambdaFuture[Any], task: Task) -> None:
        """Queues the task of `future`, waiting for room if the queue is full."""
        tag = self._expect(future)
        task = task._replace(tag=tag)
        try:
            self._queue(task)
        except BaseException as error:
            if self._pending.pop(tag, None) is not None:
                self.progress.task_refused()
            if isinstance(error, (errors.ClosedError, errors.PanicError)):
                raise self._broken_pool(error) from error
            raise

    def adopt(self, future: LambdaFuture[Any], task: Task) -> None:
        """Waits for a task that an earlier process submitted."""
        tag = self._expect(future)
        # It has no RUNNING event, and only what runs can be adopted.
        future._start_adopted(task.attempt_id)
        try:
            self.executor.adopt(
                task.key,
                tag=tag,
                queue=task.queue,
                attempt_id=task.attempt_id,
                result_timeout=task.result_timeout,
            )
        except BaseException:
            if self._pending.pop(tag, None) is not None:
                self.progress.task_refused()
            raise

    def shutdown(self, *, wait: bool, cancel_futures: bool) -> None:
        """Accepts no more; the thread ends when nothing is pending."""
        if self.pid != os.getpid():
            return
        self.accept_no_more()
        if cancel_futures:
            self._cancelled += sum(future.cancel() for future in list(self._pending.values()))
        if self._thread is None:
            self._end()
        elif wait:
            if threading.current_thread() is self._thread:
                raise RuntimeError("shutdown(wait=True) in a done callback would wait for itself")
            wait_for_signals_too(self._end_seen, lambda: self._ended, None)
            with self._end_seen:
                while not self._ended:
                    self._end_seen.wait()

    def accept_no_more(self) -> None:
        """All there is to do when the pool is collected, which must not wait."""
        if self.pid != os.getpid():
            return
        with self._lock:
            self._shut = True
            self._room.notify_all()
        self._wake()

    def leave(self) -> None:
        """At the end of the interpreter: it does not wait for tasks that may run for minutes."""
        if self.pid != os.getpid() or self._thread is None or self._ended:
            return
        try:
            counts = self.executor.counts()
            dropped, running = counts.queued, counts.submitting + counts.running
        except errors.Error:
            dropped, running = 0, len(self._pending)
        self._leaving = True
        # Before all that is pending counts as done, and before the message, which would be written into the bar.
        self.progress.close()
        why = "the interpreter ended before the task did; if Lambda has accepted it, it continues there"
        if self._pending:
            log.warning(
                "the interpreter ends with %d tasks of a LambdaPool unfinished: %d continue in Lambda, and %d that "
                "waited are dropped; %d were cancelled before. shutdown(wait=True) waits for them",
                len(self._pending), running, dropped, self._cancelled,
            )  # fmt: skip
        self._break(BrokenPool(why))
        self._wake()
        self._thread.join(_PATIENCE_S)

    # ---- for futures

    def acknowledge(self, seq: int) -> None:
        """Acknowledges an event that waits for the user to do so."""
        if seq in self._held:
            self.executor.ack((seq,))
            self._held.pop(seq, None)

    def cancel(self, future: LambdaFuture[Any]) -> bool:
        """Only what waits: see LambdaFuture.cancel."""
        return self._give_up(future, State.QUEUED) is Reason.NEVER_INVOKED

    def abandon(self, future: LambdaFuture[Any]) -> bool:
        """Whatever its state: see LambdaFuture.abandon."""
        return self._give_up(future, State.RUNNING) is not None

    def _give_up(self, future: LambdaFuture[Any], latest: State) -> Reason | None:
        """Cancels a task whose state is `latest` at most: the reason that it ended with, None if it continues."""
        if self.pid != os.getpid():
            return None
        # The thread takes events under it: the event of this has not been taken before all is done here.
        with self._lock:
            if future.tag not in self._pending:
                return None
            reason = self._cancel(future.key, latest) if future.queued else Reason.NEVER_INVOKED
            # If the task was submitted just then, or ran, its CANCELLED event settles the future.
            if reason is not Reason.NEVER_INVOKED or self._pending.pop(future.tag, None) is None:
                return reason
        self.progress.task_done(failed=True)
        future._finish_cancelled()
        self._wake()
        return reason

    def _cancel(self, key: str, latest: State) -> Reason | None:
        try:
            if self.executor.state(key) > latest or not self.executor.cancel(key):
                return None
            return Reason[self.executor.describe(key)["reason"].upper()]
        except errors.Error:
            return None

    # ---- submitting

    def _expect(self, future: LambdaFuture[Any]) -> int:
        if self.pid != os.getpid():
            raise errors.ForkedError("the pool belongs to the parent of this process: create one here")
        with self._lock:
            if self._broken is not None or self._shut:
                raise self._refusal()
            if self._thread is None:
                self._start()
            tag = future.tag = next(self._tags)
            # Before the task is queued: its events may be here before `queue` has returned.
            self._pending[tag] = future
        self.progress.task_submitted()
        return tag

    def _queue(self, task: Task) -> None:
        while not self._try_to_queue(task):
            if threading.current_thread() is self._thread:
                self._overflow.append(task)
                return
            with self._room:
                self._waiting_for_room += 1
                try:
                    self._room.wait(_TRY_AGAIN_S)
                finally:
                    self._waiting_for_room -= 1

    def _try_to_queue(self, task: Task) -> bool:
        """False if the queue is full."""
        # `cancel` holds it too: a task that was not queued when it looked is not queued a moment later.
        with self._lock:
            future = self._pending.get(task.tag)
            if future is None:
                raise self._refusal()
            try:
                self.executor.queue(
                    task.key,
                    task.command,  # type: ignore[arg-type]  # None is only for what is adopted
                    tag=task.tag,
                    executor_config=task.executor_config,
                    queue=task.queue,
                    timeout=task.timeout,
                    max_wait=task.max_wait,
                    attempt_id=task.attempt_id,
                    result_timeout=task.result_timeout,
                )
            except errors.QueueFull:
                return False
            future.queued = True
            return True

    def _refusal(self) -> RuntimeError:
        if self._broken is not None:
            return self._broken_pool(self._broken)
        return RuntimeError("cannot schedule new futures after shutdown")

    def _start(self) -> None:
        self._pipe = os.pipe()
        for end in self._pipe:
            os.set_blocking(end, False)
        # A daemon: others are joined before atexit, and tasks may run for a long time. `leave` joins it.
        thread = threading.Thread(target=self._run, name="lambda-executor-pool", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self._close_pipe()
            raise
        self._thread = thread
        _running.add(self)

    def _close_pipe(self) -> None:
        with self._lock:
            pipe, self._pipe = self._pipe, None
        for end in pipe or ():
            os.close(end)

    def _wake(self) -> None:
        with self._lock:
            if self._pipe is not None:
                # A full pipe wakes as well.
                with contextlib.suppress(BlockingIOError):
                    os.write(self._pipe[1], b"\0")

    # ---- the thread

    def _run(self) -> None:
        try:
            self._settle_until_done()
        except BaseException as error:  # a bug of ours, too, must not leave futures pending
            if not isinstance(error, errors.Error):
                log.exception("the thread of a LambdaPool failed")
            self._break(error)
        finally:
            self._end()

    def _settle_until_done(self) -> None:
        assert self._pipe is not None
        wakeup = self._pipe[0]
        poller = select.poll()
        poller.register(self.executor.fileno(), select.POLLIN)
        poller.register(wakeup, select.POLLIN)
        while not self._is_done():
            timeout = _TRY_AGAIN_S * 1000 if self._overflow else None
            ready = poller.poll(timeout)
            if any(descriptor == wakeup for descriptor, _ in ready):
                with contextlib.suppress(BlockingIOError):
                    os.read(wakeup, 4096)
            with self._lock:
                batch = self.executor.sync(timeout=0, max_events=_MAX_EVENTS)
            kept = [self._take(event, batch) for event in batch]
            if batch:
                if any(kept):
                    self.executor.ack(event for event, keep in zip(batch, kept) if not keep)
                else:
                    batch.ack()
                self.progress.draw()
            self._use_room()

    def _is_done(self) -> bool:
        with self._lock:
            return self._broken is not None or (self._shut and not self._pending)

    def _take(self, event: Event, batch: tuple[Event, ...]) -> bool:
        """Settles the future of an event. True if the user acknowledges it."""
        future = self._pending.get(event.tag)
        # Of a task that was cancelled, or of one that was queued on the same executor by other means.
        if future is None or future.key != event.key:
            return False
        if not event.state.final:
            future._start(event)
            return False
        if self._pending.pop(event.tag, None) is None:
            return False
        future.event = event
        # A cancelled future has no result to store.
        keep = self._manual and event.reason is not Reason.NEVER_INVOKED
        if keep:
            # Before a done callback acknowledges it.
            self._held[event.seq] = batch
        self._settle(future, event)
        return keep

    def _settle(self, future: LambdaFuture[Any], event: Event) -> None:
        failed = True
        try:
            if event.reason is Reason.NEVER_INVOKED:
                future._finish_cancelled()
            elif event.state is State.CANCELLED:
                future.set_exception(self._with_ack(TaskCancelled(event), event))
            elif event.state is State.LOST:
                future.set_exception(self._with_ack(TaskLost(event), event))
            elif future.function:
                future.set_result(self.functions.result(event, future.nonce))
                failed = False
            elif event.state is State.SUCCEEDED:
                completed = Completed(event.key, event.return_code or 0, event.output_tail, event.value, event)
                future.set_result(self._with_ack(completed, event))
                failed = False
            else:
                future.set_exception(self._with_ack(TaskFailed(event), event))
        except BaseException as error:  # also what unpickling raises
            if future.done():
                # A done callback raised what is not an Exception, or another thread settled the future.
                log.exception("task %r: after its end", event.key)
            else:
                if isinstance(error, TaskError):
                    self._with_ack(error, event)
                # Our own frames would keep the event alive, and are of no use to the user.
                future.set_exception(error.with_traceback(None))
        self.progress.task_done(failed=failed)

    def _with_ack(self, outcome: A, event: Event) -> A:
        if self._manual:
            outcome._acknowledge = partial(self.acknowledge, event.seq)
        return outcome

    def _use_room(self) -> None:
        if self._waiting_for_room:
            with self._lock:
                self._room.notify_all()
        for _ in range(len(self._overflow)):
            task = self._overflow.popleft()
            try:
                self._queue(task)
            except (errors.Error, RuntimeError) as error:
                # No future: it was cancelled meanwhile.
                future = self._pending.pop(task.tag, None)
                if future is not None:
                    future.set_exception(error)

    def _broken_pool(self, error: BaseException) -> BrokenPool:
        return error if isinstance(error, BrokenPool) else BrokenPool(f"the pool has no executor any more: {error}")

    def _break(self, error: BaseException) -> None:
        with self._lock:
            self._broken = error
            self._room.notify_all()
        # One by one: the thread settles what it takes meanwhile.
        while True:
            try:
                _, future = self._pending.popitem()
            except KeyError:
                return
            with contextlib.suppress(Exception):
                if self._leaving:
                    future._fail_at_the_end(self._broken_pool(error))
                else:
                    future.set_exception(self._broken_pool(error))
            self.progress.task_done(failed=True)

    def _end(self) -> None:
        try:
            self.progress.close()
            if self._owns_executor:
                self.executor.close()
        finally:
            self._close_pipe()
            with self._end_seen:
                self._ended = True
                # As in LambdaFuture._fail_at_the_end: it is too late to wake other threads.
                if not self._leaving:
                    self._end_seen.notify_all()


_running: weakref.WeakSet[Loop] = weakref.WeakSet()


def _leave_all() -> None:
    _handle.do_all([loop.leave for loop in list(_running)])


# Runs before what the executor's own module has registered: it was imported first.
atexit.register(_leave_all)
