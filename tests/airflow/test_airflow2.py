"""Airflow 2.11 queues commands."""

from __future__ import annotations

import pytest
from lambda_executor.airflow import LambdaExecutor
from scheduler import Scheduler

pytestmark = pytest.mark.airflow_before(3, 0)


def test_commands_run(scheduler: Scheduler) -> None:
    keys = [scheduler.queue(f"t{place}") for place in range(20)]
    assert set(scheduler.until_ended(*keys)) == {"success"}
    assert scheduler.executor.running == set()


def test_no_dag_is_pickled() -> None:
    assert LambdaExecutor.supports_pickling is False


def test_unlimited_parallelism(aws: object, start: object) -> None:
    """In 2.11 it is 0."""
    scheduler: Scheduler = start(parallelism=0)  # type: ignore[operator]
    assert scheduler.until_ended(scheduler.queue()) == ["success"]
