"""An executor of APScheduler 3 that runs its jobs on Lambda.

    python apscheduler_on_lambda.py

A scheduler with two jobs: one runs twice, one fails. The image needs this package and cloudpickle too.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from datetime import datetime
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from lambda_executor import LambdaPool


class LambdaExecutor(BaseExecutor):  # type: ignore[misc]
    """Sends a job's function with its arguments. (APScheduler's own pools send the job, which needs an import path.)"""

    def __init__(self, pool: LambdaPool) -> None:
        super().__init__()
        self._pool = pool

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        def done(future: Future[Any]) -> None:
            error = future.exception()
            event = JobExecutionEvent(
                EVENT_JOB_EXECUTED if error is None else EVENT_JOB_ERROR,
                job.id,
                job._jobstore_alias,
                run_times[-1],
                retval=future.result() if error is None else None,
                exception=error,
                traceback=str(error.__cause__) if error else None,
            )
            # The job has run, perhaps with an exception. _run_job_error is for jobs that could not run, and notifies no
            # listener.
            self._run_job_success(job.id, [event])

        self._pool.submit(job.func, *job.args, **job.kwargs).add_done_callback(done)

    def shutdown(self, wait: bool = True) -> None:
        self._pool.shutdown(wait)


def total(numbers: list[int]) -> int:
    return sum(numbers)


def main() -> None:
    config = os.environ.get("LAMBDA_EXECUTOR_CONFIG", '{"local": {}}')
    scheduler = BackgroundScheduler(executors={"default": LambdaExecutor(LambdaPool(config))})
    finished = threading.Semaphore(0)

    def report(event: Any) -> None:
        outcome = f"failed: {event.exception!r}" if event.exception else f"returned {event.retval}"
        print(event.job_id, outcome, flush=True)
        finished.release()

    scheduler.add_listener(report, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    scheduler.start()
    scheduler.add_job(total, "interval", seconds=1, args=[[1, 2, 3]], id="sum")
    scheduler.add_job(total, args=[[1, "2"]], id="wrong")
    for _ in range(3):
        finished.acquire(timeout=60)
    scheduler.shutdown()


if __name__ == "__main__":
    main()
