"""The thread of a pool, and what it shares with the pool and its futures.

It refers to the futures and not to the pool, so that an unreferenced pool can be collected. The thread then ends as
after shutdown(wait=False). It waits for the executor's descriptor and for a pipe of its own, never in a call of the
library.

A thread removes a future from `_pending` before it settles it, so only one thread can settle it. Events, `cancel` and
the end of the pool need no common lock for that.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import selectors
import threading
import weakref
from collections import deque
from typing import Any

from . import _handle, errors, logs
from .event import Event
from .executor import Executor
from .future import LambdaFuture, log, log_exception, wait_for_signals_too
from .outcome import BrokenPool
from .pickled import Functions
from .pool_ends import Ends
from .progress import Progress
from .retries import Delayed
from .statuses import Reason, State
from .summary import Summary, plural
from .task import Task

#: Maximum number of events in one batch of the thread.
_MAX_EVENTS = 1_000
#: Seconds between two attempts to queue. With option running_events false, no event shows that there is room.
_TRY_AGAIN_S = 0.1
#: Seconds for which the end of the interpreter waits for the thread, which closes the executor (shutdown_grace_ms).
_PATIENCE_S = 15.0


class Loop:
    """One executor, its pending futures, and the thread that settles them."""

    def __init__(
        self, executor: Executor, *, owns_executor: bool, functions: Functions, progress: Progress, manual: bool = False
    ) -> None:
        self.executor = executor
        self.functions = functions
        self.ends = Ends(executor, functions, progress, manual=manual)
        self.pid = os.getpid()
        self._owns_executor = owns_executor
        self._pending: dict[int, LambdaFuture[Any]] = {}
        self._tags = itertools.count(1)
        # Reentrant, because garbage collection of another pool can run anywhere.
        self._lock = threading.RLock()
        self._room = threading.Condition(self._lock)
        self._waiting_for_room = 0
        # Tasks that done callbacks submitted while the queue was full. The loop's thread must not wait for room.
        self._overflow: deque[Task] = deque()
        self._retries = Delayed()
        self._retries_allowed = True
        self._shut = False
        self._broken: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._pipe: tuple[int, int] | None = None
        self._ended = False
        self._end_seen = threading.Condition()
        self._leaving = False
        # Number of tasks cancelled by an early exit from the `with` block.
        self._cancelled = 0

    # ---- for the pool

    def submit(self, future: LambdaFuture[Any], task: Task) -> None:
        """Queues the task of `future`, waiting for room if the queue is full."""
        tag = self._expect(future)
        task = task._replace(tag=tag)
        if future._policy is not None:
            future._task = task
        try:
            self._queue(task)
        except BaseException as error:
            self._forget(tag)
            if isinstance(error, (errors.ClosedError, errors.PanicError)):
                raise self._broken_pool(error) from error
            raise

    def adopt(self, future: LambdaFuture[Any], task: Task) -> None:
        """Waits for a task that an earlier process submitted."""
        tag = self._expect(future)
        # An adopted task has no RUNNING event. It is running already.
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
            self._forget(tag)
            raise

    def summary(self) -> Summary:
        """The summary, also after the end of the pool."""
        return self.ends.tally.summary(over=self._ended)

    def refuse_to_wait(self, what: str) -> None:
        """Raises in a callback, where the wait would never end."""
        if self.is_this_thread():
            raise RuntimeError(
                f"a callback of a pool cannot wait {what}: the thread that calls it is the one that settles futures"
            )

    def is_this_thread(self) -> bool:
        """True in a callback."""
        return self._thread is not None and threading.current_thread() is self._thread

    def shutdown(self, *, wait: bool, cancel_futures: bool) -> None:
        """Accepts no more; the thread ends when nothing is pending."""
        if self.pid != os.getpid():
            return
        self.accept_no_more()
        if cancel_futures:
            with self._lock:
                # Tasks that fail from now on are not retried.
                self._retries_allowed = False
            self._cancelled += sum(future.cancel() for future in list(self._pending.values()))
        if self._thread is None:
            self._end()
        elif wait:
            self.refuse_to_wait("for its end (shutdown)")
            wait_for_signals_too(self._end_seen, lambda: self._ended, None)
            with self._end_seen:
                while not self._ended:
                    self._end_seen.wait()

    def accept_no_more(self) -> None:
        """Shuts down without waiting, also when the pool is garbage-collected."""
        if self.pid != os.getpid():
            return
        with self._lock:
            self._shut = True
            self._room.notify_all()
        self._wake()

    def leave(self) -> None:
        """Ends the loop at the end of the interpreter, without waiting for tasks, which may run for minutes."""
        if self.pid != os.getpid() or self._thread is None or self._ended:
            return
        try:
            counts = self.executor.counts()
            # Tasks that wait for a retry or for room are not in the executor.
            dropped = counts.queued + sum(not future._queued for future in list(self._pending.values()))
            running = counts.submitting + counts.running
        except errors.Error:
            dropped, running = 0, len(self._pending)
        self._leaving = True
        # Closed before the pending tasks count as done, and before the log record, which would break the bar's line.
        self.ends.progress.close()
        if self._pending:
            with contextlib.suppress(Exception):  # of a log handler
                log.warning(
                    "the interpreter ends with %s of a LambdaPool unfinished: %d %s, and %d that waited %s; "
                    "%d %s cancelled before. shutdown(wait=True) waits for them",
                    plural(len(self._pending), "task"), running, self._what_becomes_of(running),
                    dropped, "is dropped" if dropped == 1 else "are dropped",
                    self._cancelled, "was" if self._cancelled == 1 else "were",
                )  # fmt: skip
        if self.executor._is_local:
            why = "the interpreter ended before the task did, and with it the Lambda of option local"
        else:
            why = "the interpreter ended before the task did; if Lambda has accepted it, it continues there"
        self._break(BrokenPool(why))
        self._wake()
        self._thread.join(_PATIENCE_S)

    def _what_becomes_of(self, running: int) -> str:
        s = "s" if running == 1 else ""
        return f"end{s} with this process (option local)" if self.executor._is_local else f"continue{s} in Lambda"

    # ---- for futures

    def cancel(self, future: LambdaFuture[Any]) -> bool:
        """Cancels a waiting task: see LambdaFuture.cancel."""
        return self._give_up(future, State.QUEUED) is Reason.NEVER_INVOKED

    def abandon(self, future: LambdaFuture[Any]) -> bool:
        """Cancels a waiting or running task: see LambdaFuture.abandon."""
        return self._give_up(future, State.RUNNING) is not None

    def _give_up(self, future: LambdaFuture[Any], latest: State) -> Reason | None:
        """Cancels a task if its state is not beyond `latest`. Returns the reason of its end, None if it continues."""
        if self.pid != os.getpid():
            return None
        # The loop's thread takes events under this lock, so it cannot take this task's event meanwhile.
        with self._lock:
            if future._tag not in self._pending:
                # If the task has just failed, it is not retried.
                future._policy = None
                return None
            reason = self._cancel(future.key, latest) if future._queued else Reason.NEVER_INVOKED
            # If the task was submitted meanwhile, or was running, its CANCELLED event settles the future.
            if reason is not Reason.NEVER_INVOKED or self._pending.pop(future._tag, None) is None:
                return reason
        self.ends.settle_cancelled(future)
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
        if _handle.ending():
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")
        with self._lock:
            if self._broken is not None or self._shut:
                raise self._refusal()
            if self._thread is None:
                self._start()
            tag = future._tag = next(self._tags)
            # Stored before the task is queued, because its events may arrive before `queue` has returned.
            self._pending[tag] = future
        self.ends.progress.task_submitted(future._items)
        self.ends.tally.submitted()
        return tag

    def _forget(self, tag: int) -> None:
        """Undoes _expect for a task that was refused."""
        future = self._pending.pop(tag, None)
        if future is not None:
            self.ends.progress.task_refused(future._items)
            self.ends.tally.refused()

    def _queue(self, task: Task) -> None:
        while not self._try_to_queue(task):
            if self.is_this_thread():
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
        # `cancel` holds this lock too, so a task that it finds not queued is not queued meanwhile.
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
            future._queued = True
            return True

    def _refusal(self) -> RuntimeError:
        if self._broken is not None:
            return self._broken_pool(self._broken)
        return RuntimeError("cannot schedule new futures after shutdown")

    def _start(self) -> None:
        self._pipe = os.pipe()
        for end in self._pipe:
            os.set_blocking(end, False)
        try:
            # A daemon thread, because Python joins other threads before atexit functions run, and tasks may run for a
            # long time. `leave` joins it.
            thread = threading.Thread(target=self._run, name="lambda-executor-pool", daemon=True)
            thread.start()
        except RuntimeError as error:
            self._close_pipe()
            if not logs.in_main_interpreter():
                raise RuntimeError(
                    f"a LambdaPool cannot run in this subinterpreter; use an Executor: {error}"
                ) from None
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
                # A full pipe wakes the thread too.
                with contextlib.suppress(BlockingIOError):
                    os.write(self._pipe[1], b"\0")

    # ---- the thread

    def _run(self) -> None:
        try:
            self._settle_until_done()
        except BaseException as error:  # even a bug in this module must not leave futures pending
            self._break(error)
            if not isinstance(error, errors.Error):
                log_exception("the thread of a LambdaPool failed")
        finally:
            self._end()

    def _settle_until_done(self) -> None:
        assert self._pipe is not None
        wakeup = self._pipe[0]
        # eventlet and gevent remove `select.poll`.
        with getattr(selectors, "PollSelector", selectors.DefaultSelector)() as selector:
            selector.register(self.executor.fileno(), selectors.EVENT_READ)
            selector.register(wakeup, selectors.EVENT_READ)
            while not self._is_done():
                ready = selector.select(self._seconds_to_wait())
                if any(key.fd == wakeup for key, _ in ready):
                    with contextlib.suppress(BlockingIOError):
                        os.read(wakeup, 4096)
                self._settle_what_came()

    def _settle_what_came(self) -> None:
        with self._lock:
            batch = self.executor.sync(timeout=0, max_events=_MAX_EVENTS)
        kept = [self._take(event, batch) for event in batch]
        if batch:
            if any(kept):
                self.executor.ack(event for event, keep in zip(batch, kept) if not keep)
            else:
                batch.ack()
            self.ends.progress.draw()
        self._overflow.extend(self._retries.due())
        self._use_room()

    def _seconds_to_wait(self) -> float | None:
        waits = (self._retries.seconds_to_next(), _TRY_AGAIN_S if self._overflow else None)
        return min((wait for wait in waits if wait is not None), default=None)

    def _is_done(self) -> bool:
        with self._lock:
            return self._broken is not None or (self._shut and not self._pending)

    def _take(self, event: Event, batch: tuple[Event, ...]) -> bool:
        """Settles the future of an event. True if the user acknowledges the event."""
        future = self._pending.get(event.tag)
        # The event of a cancelled task, or of a task that was not queued by the pool on the same executor.
        if future is None or future.key != event.key:
            return False
        if not event.state.final:
            future._start(event)
            self.ends.acknowledge_failed(future)
            return False
        if self._pending.pop(event.tag, None) is None:
            return False
        self.ends.tally.ran(event)
        if not future._accepted and event.submitted_at is not None:
            # Option running_events is false.
            future._start(event)
        self.ends.acknowledge_failed(future)
        if event.reason is Reason.NEVER_INVOKED:
            # The task has no result that the user could store.
            try:
                self.ends.settle_cancelled(future)
            except BaseException:
                log_exception("task %r: after its end", future.key)
            return False
        value, error = self.ends.outcome(future, event)
        if error is not None and self._submit_again(future, event, error):
            return self.ends.hold_failed(future, event, batch)
        future.event = event
        # Held first, because a done callback may acknowledge it.
        keep = self.ends.hold(event, batch)
        self.ends.settle(future, value, error)
        return keep

    def _submit_again(self, future: LambdaFuture[Any], event: Event, error: BaseException) -> bool:
        """Plans the retry of a failed task. False if it is not retried."""
        policy = future._policy
        try:
            if policy is None or not policy.wants(error, future.retries):
                return False
        except Exception:
            log_exception("task %r: retry_on", event.key)
            return False
        # `shutdown` and `cancel` hold this lock when they look, so they always find the future pending.
        with self._lock:
            if not self._retries_allowed or self._broken is not None or future._task is None or future._policy is None:
                return False
            tag = next(self._tags)
            task = future._task._replace(tag=tag)
            future._start_again(tag)
            self._pending[tag] = future
        self._retries.add(task, policy.delay_before(future.retries))
        self.ends.tally.retried()
        return True

    def _use_room(self) -> None:
        if self._waiting_for_room:
            with self._lock:
                self._room.notify_all()
        for _ in range(len(self._overflow)):
            task = self._overflow.popleft()
            try:
                self._queue(task)
            except (errors.Error, RuntimeError) as error:
                # None if it was cancelled meanwhile.
                future = self._pending.pop(task.tag, None)
                if future is not None:
                    self.ends.acknowledge_failed(future)
                    self.ends.settle(future, None, error)

    def _broken_pool(self, error: BaseException) -> BrokenPool:
        return error if isinstance(error, BrokenPool) else BrokenPool(f"the pool has no executor any more: {error}")

    def _break(self, error: BaseException) -> None:
        with self._lock:
            self._broken = error
            self._room.notify_all()
        # One by one, because the loop's thread may remove and settle futures meanwhile.
        while True:
            try:
                _, future = self._pending.popitem()
            except KeyError:
                return
            self.ends.progress.task_done(future._items, failed=True)
            try:
                if self._leaving:
                    future._fail_at_the_end(self._broken_pool(error))
                else:
                    future.set_exception(self._broken_pool(error))
            except BaseException as of_callback:
                # In the main thread this may be Ctrl-C: `leave` is then called again.
                if not isinstance(of_callback, Exception) and not self.is_this_thread():
                    raise

    def _end(self) -> None:
        try:
            self.ends.progress.close()
            self.ends.tally.keep_cost()
            if self._owns_executor:
                self.executor.close()
        finally:
            self._close_pipe()
            with self._end_seen:
                self._ended = True
                # At the end of the interpreter other threads are not woken, see LambdaFuture._fail_at_the_end.
                if not self._leaving:
                    self._end_seen.notify_all()


_running: weakref.WeakSet[Loop] = weakref.WeakSet()


def _leave_all() -> None:
    _handle.do_all([loop.leave for loop in list(_running)])


# Runs before the atexit function of _handle, which was imported earlier.
atexit.register(_leave_all)
