"""Tasks that end in steps: each task waits until the file `gate` has as many bytes as the task's step."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import dag, get_current_context, task


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), max_active_tasks=1000)
def live_gated() -> None:
    @task
    def steps() -> list[int]:
        conf = get_current_context()["dag_run"].conf
        return [number * conf["steps"] // conf["tasks"] for number in range(conf["tasks"])]

    @task
    def work(step: int) -> None:
        context = get_current_context()
        scratch = Path(os.environ["LIVE_SCRATCH"])
        folder = scratch / context["dag_run"].run_id
        folder.mkdir(exist_ok=True)
        # One write of a few bytes with O_APPEND keeps lines whole even if two runs write at once.
        with (folder / str(context["ti"].map_index)).open("a") as file:
            file.write(f"{os.environ.get('LAMBDA_EXECUTOR_ATTEMPT_ID', '-')}\n")
        while (scratch / "gate").stat().st_size < step:
            time.sleep(0.1)

    work.expand(step=steps())


live_gated()
