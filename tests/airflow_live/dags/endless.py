"""Tasks that run until they are ended from outside."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import dag, get_current_context, task


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
def live_endless() -> None:
    @task
    def runs_on() -> None:
        """The first try runs until it is ended, later tries return at once."""
        attempt = get_current_context()["ti"].try_number
        folder = Path(os.environ["LIVE_SCRATCH"])
        # The parent process is the supervisor, which the function started.
        (folder / f"endless.{get_current_context()['dag_run'].run_id}.{attempt}").write_text(str(os.getppid()))
        print("try", attempt, "runs")
        while attempt == 1:
            time.sleep(0.2)

    runs_on()


live_endless()
