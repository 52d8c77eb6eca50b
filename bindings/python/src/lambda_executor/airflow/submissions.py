"""Tasks that wait to be passed to the library, because it is full or not open yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from lambda_executor import Error, Executor, Status, Task

from .dispatches import Dispatch


class Submission(NamedTuple):
    dispatch: Dispatch
    tasks: list[Task]
    """One task to queue, or the tasks to adopt, one for each key on the wire."""
    adopted: bool


class Submissions:
    """Submits tasks in the order of their arrival."""

    def __init__(self, tracked: Callable[[Dispatch], bool], refused: Callable[[Dispatch, str], None]) -> None:
        # Returns False for a dispatch that was abandoned before it was submitted.
        self._tracked = tracked
        self._refused = refused
        self._waiting: deque[Submission] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, submission: Submission) -> None:
        self._waiting.append(submission)

    def submit(self, library: Executor, most: int) -> int:
        """Submits up to this many. Returns the number of submitted ones."""
        taken: list[Submission] = []
        while self._waiting and len(taken) < most and self._waiting[0].adopted == (taken or self._waiting)[0].adopted:
            submission = self._waiting.popleft()
            if self._tracked(submission.dispatch):
                taken.append(submission)
        if not taken:
            return 0
        tasks = [task for submission in taken for task in submission.tasks]
        if taken[0].adopted:
            # DUPLICATE: already tracked. Invalid tasks were refused before, or the scheduler ends them.
            library.adopt_many(tasks)
            return len(taken)
        try:
            statuses = library.queue_many(tasks)
        except BaseException:
            self._waiting.extendleft(reversed(taken))
            raise
        full = []
        for submission, status in zip(taken, statuses):
            if status is Status.QUEUE_FULL:
                full.append(submission)
            elif status is not Status.OK:
                self._refused(submission.dispatch, _why(library, submission.tasks[0], status))
        self._waiting.extendleft(reversed(full))
        return len(taken) - len(full)


def _why(library: Executor, task: Task, status: Status) -> str:
    """The library's reason. Queues the task alone: a call on many tasks has only the first error."""
    try:
        library.queue(
            *task[:1],
            task.command or "",
            executor_config=task.executor_config,
            queue=task.queue,
            attempt_id=task.attempt_id,
        )
    except Error as error:
        return error.message
    return f"refused with status {status}"
