"""The run's configuration sets the number of tasks. Each counts its own runs in a file."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import dag, get_current_context, task


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), max_active_tasks=1000)
def live_mapped() -> None:
    @task
    def numbers() -> list[int]:
        return list(range(get_current_context()["dag_run"].conf["tasks"]))

    @task
    def count_run(number: int) -> None:
        run = get_current_context()["dag_run"]
        folder = Path(os.environ["LIVE_SCRATCH"], run.run_id)
        folder.mkdir(exist_ok=True)
        # One write of a few bytes with O_APPEND keeps lines whole even if two runs write at once.
        with (folder / str(number)).open("a") as file:
            file.write(f"{os.environ.get('LAMBDA_EXECUTOR_ATTEMPT_ID', '-')}\n")
        time.sleep(run.conf.get("seconds", 0))

    count_run.expand(number=numbers())


live_mapped()
