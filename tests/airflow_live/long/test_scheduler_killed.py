"""The scheduler is killed at 20 random moments of one run and restarted."""

import os
import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import deployment
import pytest
import runs
import servers
import web
from conftest import Live

from .gate import DAG, Gate

KILLS = int(os.environ.get("LIVE_KILLS", "20"))
TASKS = int(os.environ.get("LIVE_KILLED_TASKS", "200"))
SEED = int(os.environ.get("LIVE_SEED", "20261130"))

# Airflow declares a scheduler dead, and adopts its tasks, after seconds instead of minutes.
SETTINGS = {
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
}


@pytest.fixture
def restarted(tmp_path: Path) -> Iterator[Live]:
    """An Airflow whose scheduler the test starts itself."""
    components = tuple(name for name in deployment.COMPONENTS if name not in ("scheduler", "triggerer"))
    with deployment.deployment(tmp_path / "live", components=components, settings=SETTINGS) as airflow:
        served = web.Web(airflow)
        served.wait_until_ready([DAG])
        # The Dags are in the database now. End the Dag processor, to leave the CPUs to scheduler and tasks.
        airflow.stop("dag-processor")
        yield Live(airflow, served, "ours")


def schedulers(live: Live) -> int:
    """Number of schedulers that have registered so far."""
    [[count]] = live.airflow.database.query("select count(*) from job where job_type = 'SchedulerJob'")
    return int(count)


def test_no_task_is_lost_and_none_runs_twice(restarted: Live, capsys: pytest.CaptureFixture[str]) -> None:
    live, airflow = restarted, restarted.airflow

    def show(line: str) -> None:
        with capsys.disabled():
            print(line, flush=True)

    moments = random.Random(SEED)
    airflow.start("scheduler")
    gate = Gate(live, "kills", TASKS, KILLS)
    began = time.monotonic()
    show(f"\nseed {SEED}\n{'kill':>4} {'after s':>8} {'Invokes':>8}  states of the tasks")
    for number in range(1, KILLS + 1):
        started = time.monotonic()
        servers.until("the scheduler works", partial(_works, live, number), runs.PATIENCE_S, runs.PROBE_S)
        # A random moment without a condition. On a slow machine the time is longer, as for the start.
        time.sleep(moments.uniform(0, time.monotonic() - started))
        airflow.kill("scheduler")
        invokes = airflow.aws.stats()["events_accepted"]
        show(f"{number:4} {time.monotonic() - began:8.1f} {invokes:8}  {gate.states()}")
        gate.open_next()
        airflow.start("scheduler")
    final = runs.wait_for_run(airflow, DAG, "kills", 3600)
    ended = runs.tasks(airflow, DAG, "kills")
    invokes = airflow.aws.stats()["events_accepted"]
    ran = gate.runs_of_tasks()
    lost = [task for task in ended if task.state != "success"]
    twice = {task: count for task, count in ran.items() if count > 1}
    show(f"run {final}: {len(ended)} tasks, {len(lost)} lost, {len(twice)} ran twice, {invokes} Invokes")
    assert final == "success"
    assert not lost
    assert sorted(ran) == list(range(TASKS))
    assert not twice
    assert {task.try_number for task in ended} == {1}


def _works(live: Live, number: int) -> bool | None:
    """True if the scheduler with this number has registered. The test waits for it before the kill."""
    live.airflow.check_alive()
    return schedulers(live) >= number or None
