"""A run that misses its deadline: Airflow runs `note` on the executor, as a callback workload."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import dag, task

try:
    from airflow.sdk import DeadlineAlert, DeadlineReference, SyncCallback
except ImportError:
    pass  # Executors run callbacks since Airflow 3.3.
else:

    def note(text: str) -> None:
        Path(os.environ["LIVE_SCRATCH"], "callback").write_text(text)

    @dag(
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        deadline=DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(seconds=1),
            callback=SyncCallback(note, kwargs={"text": "the deadline was missed"}),
        ),
    )
    def live_callback() -> None:
        @task
        def waits_for_the_callback() -> None:
            for _ in range(1200):
                if Path(os.environ["LIVE_SCRATCH"], "callback").exists():
                    return
                time.sleep(0.1)
            raise TimeoutError("the callback did not run")

        waits_for_the_callback()

    live_callback()
