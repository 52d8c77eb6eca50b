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
import os
import selectors
import threading
import weakref
from collections import deque
from functools import partial
from typing import Any, Callable, TypeVar

from . import _handle, errors, logs
from .event import Event
from .executor import Executor
from .future import LambdaFuture, log, log_exception, wait_for_signals_too
from .outcome import BrokenPool, Completed, TaskCancelled, TaskError, TaskFailed, TaskLost
from .pickled import Functions
from .progress import Progress
from .retries import Delayed
from .statuses import Reason, State
from .summary import Summary, Tally, plural
from .task import Task

A = TypeVar("A", Completed, TaskError)

#: Events taken at once: so many futures are settled before anything else happens.
_MAX_EVENTS = 1_000
#: Seconds between two tries if no event says that there is room: with option running_events false none does.
_TRY_AGAIN_S = 0.1
#: Seconds that the end of the interpreter waits for the thread, which closes the executor (shutdown_grace_ms).
_PATIENCE_S = 15.0
#: Failed attempts whose results stay in their queue until Lambda has accepted the retry. More would, with those that
#: the user has not acknowledged, reach option max_unacked_results, and then nothing would be received any more.
_MOST_FAILED_HELD = 1_000


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
        self._tally = Tally(executor)
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
        self._retries = Delayed()
        self._retries_allowed = True
        self._failed_held = 0
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
            self._forget(tag)
            raise

    def summary(self) -> Summary:
        """Also after the end."""
        return self._tally.summary(over=self._ended)

    def refuse_to_wait(self, what: str) -> None:
        """In a callback: nothing would end the wait."""
        if self.is_this_thread():
            raise RuntimeError(
                f"a callback of a pool cannot wait {what}: the thread that calls it is the one that settles futures"
            )

    def is_this_thread(self) -> bool:
        """In a callback."""
        return self._thread is not None and threading.current_thread() is self._thread

    def shutdown(self, *, wait: bool, cancel_futures: bool) -> None:
        """Accepts no more; the thread ends when nothing is pending."""
        if self.pid != os.getpid():
            return
        self.accept_no_more()
        if cancel_futures:
            with self._lock:
                # What fails from now on ends so.
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
            # Those that wait for a retry or for room are in the pool alone.
            dropped = counts.queued + sum(not future._queued for future in list(self._pending.values()))
            running = counts.submitting + counts.running
        except errors.Error:
            dropped, running = 0, len(self._pending)
        self._leaving = True
        # Before all that is pending counts as done, and before the message, which would be written into the bar.
        self.progress.close()
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
            if future._tag not in self._pending:
                return None
            reason = self._cancel(future.key, latest) if future._queued else Reason.NEVER_INVOKED
            # If the task was submitted just then, or ran, its CANCELLED event settles the future.
            if reason is not Reason.NEVER_INVOKED or self._pending.pop(future._tag, None) is None:
                return reason
        self._acknowledge_failed(future)
        self._count_end(future, failed=True, count=self._tally.cancelled)
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
        if _handle.ending():
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")
        with self._lock:
            if self._broken is not None or self._shut:
                raise self._refusal()
            if self._thread is None:
                self._start()
            tag = future._tag = next(self._tags)
            # Before the task is queued: its events may be here before `queue` has returned.
            self._pending[tag] = future
        self.progress.task_submitted(future._items)
        self._tally.submitted()
        return tag

    def _forget(self, tag: int) -> None:
        """A task that was refused."""
        future = self._pending.pop(tag, None)
        if future is not None:
            self.progress.task_refused(future._items)
            self._tally.refused()

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
            # A daemon: others are joined before atexit, and tasks may run for a long time. `leave` joins it.
            thread = threading.Thread(target=self._run, name="lambda-executor-pool", daemon=True)
            thread.start()
        except RuntimeError as error:
            self._close_pipe()
            if not logs.in_main_interpreter():
                raise RuntimeError(
                    f"a LambdaPool cannot run in this subinterpreter, but an Executor can: {error}"
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
                # A full pipe wakes as well.
                with contextlib.suppress(BlockingIOError):
                    os.write(self._pipe[1], b"\0")

    # ---- the thread

    def _run(self) -> None:
        try:
            self._settle_until_done()
        except BaseException as error:  # a bug of ours, too, must not leave futures pending
            self._break(error)
            if not isinstance(error, errors.Error):
                log_exception("the thread of a LambdaPool failed")
        finally:
            self._end()

    def _settle_until_done(self) -> None:
        assert self._pipe is not None
        wakeup = self._pipe[0]
        # Neither eventlet nor gevent leave `select.poll`.
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
            self.progress.draw()
        self._overflow.extend(self._retries.due())
        self._use_room()

    def _seconds_to_wait(self) -> float | None:
        waits = (self._retries.seconds_to_next(), _TRY_AGAIN_S if self._overflow else None)
        return min((wait for wait in waits if wait is not None), default=None)

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
            self._acknowledge_failed(future)
            return False
        if self._pending.pop(event.tag, None) is None:
            return False
        self._tally.ran(event)
        if not future._accepted and event.submitted_at is not None:
            # With option running_events false.
            future._start(event)
        self._acknowledge_failed(future)
        if event.reason is Reason.NEVER_INVOKED:
            # No result to store.
            self._settle_cancelled(future)
            return False
        value, error = self._outcome(future, event)
        if error is not None and self._submit_again(future, event, error):
            return self._hold_failed(future, event, batch)
        future.event = event
        if self._manual:
            # Before a done callback acknowledges it.
            self._held[event.seq] = batch
        self._settle(future, value, error)
        return self._manual

    def _outcome(self, future: LambdaFuture[Any], event: Event) -> tuple[Any, BaseException | None]:
        """What the future returns or raises."""
        try:
            if event.state is State.CANCELLED:
                raise TaskCancelled(event)
            if event.state is State.LOST:
                raise TaskLost(event)
            if future._function:
                return self.functions.result(event, future._nonce), None
            if event.state is State.SUCCEEDED:
                completed = Completed(event.key, event.return_code or 0, event.output_tail, event.value, event)
                return self._with_ack(completed, event), None
            raise TaskFailed(event)
        except BaseException as error:  # also what unpickling raises
            if isinstance(error, TaskError):
                self._with_ack(error, event)
            # Our own frames would keep the event alive, and are of no use to the user.
            return None, error.with_traceback(None)

    def _settle(self, future: LambdaFuture[Any], value: object, error: BaseException | None) -> None:
        if error is None:
            count = self._tally.succeeded
        elif isinstance(error, TaskCancelled):
            count = self._tally.cancelled
        else:
            count = self._tally.lost if isinstance(error, TaskLost) else self._tally.failed
        self._count_end(future, failed=error is not None, count=count)
        try:
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)
        except BaseException:
            # A done callback raised what is not an Exception, a log handler raised, or another thread settled the
            # future.
            log_exception("task %r: after its end", future.key)

    def _settle_cancelled(self, future: LambdaFuture[Any]) -> None:
        self._count_end(future, failed=True, count=self._tally.cancelled)
        try:
            future._finish_cancelled()
        except BaseException:
            log_exception("task %r: after its end", future.key)

    def _count_end(self, future: LambdaFuture[Any], *, failed: bool, count: Callable[[], None]) -> None:
        """Before the future is done: who has its result finds it counted."""
        count()
        self.progress.task_done(future._items, failed=failed)
        # Not needed for a retry any more.
        future._task = None

    # ---- retries

    def _submit_again(self, future: LambdaFuture[Any], event: Event, error: BaseException) -> bool:
        """Whether the task that failed so is to be submitted once more."""
        policy = future._policy
        try:
            if policy is None or not policy.wants(error, future.retries):
                return False
        except Exception:
            log_exception("task %r: retry_on", event.key)
            return False
        # `shutdown` and `cancel` look under it: the future is pending all the time.
        with self._lock:
            if not self._retries_allowed or self._broken is not None or future._task is None:
                return False
            tag = next(self._tags)
            task = future._task._replace(tag=tag)
            future._start_again(tag)
            self._pending[tag] = future
        self._retries.add(task, policy.delay_before(future.retries))
        self._tally.retried()
        return True

    def _hold_failed(self, future: LambdaFuture[Any], event: Event, batch: tuple[Event, ...]) -> bool:
        """With manual acknowledgement, the result of a failed attempt stays in its queue until the retry is known by
        its own attempt_id: a program that dies meanwhile adopts the failed one."""
        if not self._manual or self._failed_held >= _MOST_FAILED_HELD:
            return False
        self._held[event.seq] = batch
        self._failed_held += 1
        future._failed_event = event
        return True

    def _acknowledge_failed(self, future: LambdaFuture[Any]) -> None:
        event, future._failed_event = future._failed_event, None
        if event is not None:
            self._failed_held -= 1
            with contextlib.suppress(errors.Error):
                self.acknowledge(event.seq)

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
                    self._acknowledge_failed(future)
                    self._settle(future, None, error)

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
            self.progress.task_done(future._items, failed=True)
            try:
                if self._leaving:
                    future._fail_at_the_end(self._broken_pool(error))
                else:
                    future.set_exception(self._broken_pool(error))
            except BaseException as of_callback:
                # In the main thread it may be Ctrl-C, after which `leave` is called again.
                if not isinstance(of_callback, Exception) and not self.is_this_thread():
                    raise

    def _end(self) -> None:
        try:
            self.progress.close()
            self._tally.keep_cost()
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
