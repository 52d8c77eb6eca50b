"""Metrics go to the same backend as Airflow's own. Rows R17 and D13."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from conftest import Start
from lambda_executor.airflow import versions
from local_aws import LocalAws
from scheduler import Scheduler, task_instance


class Recorded:
    """Replaces Airflow's stats."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any]] = []

    def timer(self, name: str, *, tags: Any = None) -> Any:
        self.calls.append(("timer", name, tags))
        return nullcontext()

    def gauge(self, name: str, value: float, *, tags: Any = None) -> None:
        self.calls.append(("gauge", name, tags))

    def incr(self, name: str, *, tags: Any = None) -> None:
        self.calls.append(("incr", name, tags))


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    stats = Recorded()
    monkeypatch.setattr(versions, "stats", stats)
    return stats


def test_adoption_is_timed_as_by_airflows_executor(scheduler: Scheduler, recorded: Recorded) -> None:
    scheduler.executor.try_adopt_task_instances([task_instance()])
    assert recorded.calls == [("timer", "lambda_executor.adopt_task_instances.duration", {})]


@pytest.mark.airflow(3, 1)
def test_a_team_is_a_tag(aws: LocalAws, recorded: Recorded) -> None:
    from lambda_executor.airflow import LambdaExecutor

    LambdaExecutor(team_name="blue").try_adopt_task_instances([])
    assert recorded.calls[0][2] == {"team_name": "blue"}


def test_gauges_and_failures(scheduler: Scheduler, recorded: Recorded) -> None:
    scheduler.until_ended(scheduler.queue(builtin={"return_code": 1}))
    names = {(kind, name) for kind, name, _ in recorded.calls}
    assert names == {
        ("gauge", "lambda_executor.waiting"),
        ("gauge", "lambda_executor.running"),
        ("gauge", "lambda_executor.events"),
        ("gauge", "lambda_executor.unacknowledged"),
        ("incr", "lambda_executor.failures.exit"),
    }


def test_airflows_own_object_takes_them(scheduler: Scheduler) -> None:
    """R17: the object differs by version."""
    with versions.timer("lambda_executor.adopt_task_instances.duration", None):
        versions.gauge("lambda_executor.running", 1, None)
        versions.count("lambda_executor.failures.exit", "blue")


def test_importing_it_does_not_warn() -> None:
    """R17: since 3.3 the old module warns."""
    import subprocess
    import sys

    program = (
        "import warnings; import airflow.executors.base_executor; warnings.simplefilter('error'); "
        "import lambda_executor.airflow.versions"
    )
    environment_path = ":".join(path for path in sys.path if path)
    import os

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": environment_path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_slots_are_airflows_metrics(aws: LocalAws, start: Start) -> None:
    """Airflow's core emits them from the base class's counts, which this class maintains."""
    scheduler = start(parallelism=2)
    for place in range(3):
        scheduler.queue(f"t{place}", builtin={"duration_ms": 100_000})
    scheduler.executor.heartbeat()
    assert (len(scheduler.executor.running), scheduler.executor.slots_available) == (2, -1)
