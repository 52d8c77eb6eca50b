import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import dag, get_current_context, task


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
def live_retry() -> None:
    @task(retries=2, retry_delay=timedelta(seconds=1))
    def fails_once() -> None:
        """The first try fails, the second succeeds."""
        attempt = get_current_context()["ti"].try_number
        with Path(os.environ["LIVE_SCRATCH"], "retry").open("a") as file:
            file.write(f"{attempt}\n")
        if attempt == 1:
            raise ValueError("the first try fails on purpose")

    @task(trigger_rule="all_done")
    def fails_always() -> None:
        raise ValueError("this task fails on purpose")

    fails_once() >> fails_always()


live_retry()
