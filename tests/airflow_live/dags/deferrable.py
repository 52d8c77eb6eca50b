"""A task that defers to a trigger that fires at once: it resumes while its first process still ends."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import BaseOperator, dag


class Defers(BaseOperator):
    def execute(self, context: dict[str, Any]) -> None:
        self.note("deferred", context)
        self.defer(trigger=TimeDeltaTrigger(timedelta(0)), method_name="resume")

    def resume(self, context: dict[str, Any], event: object = None) -> None:
        self.note("resumed", context)
        print("resumed by the triggerer")

    def note(self, text: str, context: dict[str, Any]) -> None:
        with Path(os.environ["LIVE_SCRATCH"], f"deferrable.{context['run_id']}").open("a") as file:
            file.write(f"{text}\n")


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
def live_deferrable() -> None:
    Defers(task_id="defers")


live_deferrable()
