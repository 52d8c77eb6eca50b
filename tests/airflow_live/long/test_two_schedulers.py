"""Two schedulers on one database. One is killed; the other continues its tasks."""

import runs
import servers
from conftest import Live

from .gate import DAG, Gate
from .test_scheduler_killed import restarted, schedulers

__all__ = ["restarted"]

TASKS = 60
STEPS = 4


def test_one_of_two_schedulers_is_killed(restarted: Live) -> None:
    live, airflow = restarted, restarted.airflow
    for name in ("scheduler-1", "scheduler-2"):
        airflow.start("scheduler", name)
    servers.until("both schedulers work", lambda: schedulers(live) == 2 or None, runs.PATIENCE_S, runs.PROBE_S)
    gate = Gate(live, "two", TASKS, STEPS)

    def both_have_tasks() -> bool | None:
        airflow.check_alive()
        rows = airflow.database.query(
            "select queued_by_job_id, count(*) from task_instance "
            f"where dag_id = '{DAG}' and state in ('queued', 'running') group by queued_by_job_id"
        )
        return len([job for job, _ in rows if job]) == 2 or None

    def progress() -> bool | None:
        if both_have_tasks():
            return True
        # Both schedulers compete for tasks: continue until both have some.
        gate.open_next()
        return None

    servers.until("both schedulers have running tasks", progress, runs.PATIENCE_S, runs.PROBE_S)
    airflow.kill("scheduler-1")
    for _ in range(STEPS):
        gate.open_next()
    assert runs.wait_for_run(airflow, DAG, "two") == "success"
    assert gate.runs_of_tasks() == dict.fromkeys(range(TASKS), 1)
    assert {(task.state, task.try_number) for task in runs.tasks(airflow, DAG, "two")} == {("success", 1)}
