"""States of Dag runs and tasks in Airflow's database."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import servers
from deployment import Deployment

FINAL = ("success", "failed")

# Time limit of each wait for tasks. A task takes seconds, on a busy machine minutes.
PATIENCE_S = 900.0
# Interval between two queries of the database.
PROBE_S = 0.3


@dataclass(frozen=True)
class Task:
    """A row of task_instance."""

    task: str
    map_index: int
    state: str
    try_number: int
    external_executor_id: str


def state(airflow: Deployment, dag: str, run: str) -> str:
    rows = airflow.database.query(f"select state from dag_run where dag_id = '{dag}' and run_id = '{run}'")
    return rows[0][0] if rows else ""


def tasks(airflow: Deployment, dag: str, run: str) -> list[Task]:
    rows = airflow.database.query(
        # Airflow 3.4 has no column map_index.
        "select task_id, coalesce((to_jsonb(t) ->> 'map_index')::int, -1) as map_index, state, try_number, "
        "external_executor_id from task_instance t "
        f"where dag_id = '{dag}' and run_id = '{run}' order by task_id, map_index"
    )
    return [Task(row[0], int(row[1]), row[2], int(row[3]), row[4]) for row in rows]


def task(airflow: Deployment, dag: str, run: str, name: str) -> Task:
    [found] = [row for row in tasks(airflow, dag, run) if row.task == name]
    return found


def wait_for_task(
    airflow: Deployment, dag: str, run: str, name: str, condition: Callable[[Task], bool], seconds: float = PATIENCE_S
) -> Task:
    def probe() -> Task | None:
        airflow.check_alive()
        rows = [row for row in tasks(airflow, dag, run) if row.task == name and condition(row)]
        return rows[0] if rows else None

    return servers.until(f"task {name} of {dag}", probe, seconds, PROBE_S)


def wait_for_run(airflow: Deployment, dag: str, run: str, seconds: float = PATIENCE_S) -> str:
    """The final state of the Dag run."""

    def probe() -> str | None:
        airflow.check_alive()
        found = state(airflow, dag, run)
        return found if found in FINAL else None

    try:
        return servers.until(f"run {run} of {dag} ends", probe, seconds, PROBE_S)
    except AssertionError as error:
        raise AssertionError(f"{error}; its tasks: {tasks(airflow, dag, run)}") from error


def wait_for_file(airflow: Deployment, dag: str, run: str, file: Path) -> str:
    """Content of a file that a task of the run writes. Fails if the run ends without it."""

    def probe() -> str | None:
        airflow.check_alive()
        ended = state(airflow, dag, run)
        if file.exists() and (text := file.read_text()):
            return text
        assert ended not in FINAL, (
            f"run {run} of {dag} ended as {ended} without {file.name}: {tasks(airflow, dag, run)}"
        )
        return None

    return servers.until(f"{dag} writes {file.name}", probe, PATIENCE_S, PROBE_S)


def events(airflow: Deployment, dag: str, run: str) -> list[list[str]]:
    """Event, task and text of the rows of the page "Audit log"."""
    return airflow.database.query(
        f"select event, task_id, extra from log where dag_id = '{dag}' and run_id = '{run}' order by id"
    )
