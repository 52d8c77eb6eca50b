"""The short form: four Dags at once with our function. `long/` has the other tests."""

import pytest
import runs
from conftest import Live

pytestmark = pytest.mark.parametrize("live", ["ours"], indirect=True, scope="session")
TASKS = 20


@pytest.fixture(scope="module")
def started(live: Live) -> Live:
    """Triggers all Dags before the first test waits, so that their processes start at the same time."""
    for dag in ("live_success", "live_retry", "live_deferrable"):
        live.web.trigger(dag, "short")
    live.web.trigger("live_mapped", "short", {"tasks": TASKS})
    return live


def test_tasks_succeed_and_their_logs_appear(started: Live) -> None:
    assert runs.wait_for_run(started.airflow, "live_success", "short") == "success"
    assert {task.state for task in runs.tasks(started.airflow, "live_success", "short")} == {"success"}
    assert "the answer is 42" in started.web.log("live_success", "short", "answer", 1)
    assert "the value arrived" in started.web.log("live_success", "short", "check", 1)


def test_a_failed_task_is_retried(started: Live) -> None:
    assert runs.wait_for_run(started.airflow, "live_retry", "short") == "failed"
    again = runs.task(started.airflow, "live_retry", "short", "fails_once")
    assert (again.state, again.try_number) == ("success", 2)
    assert (started.airflow.scratch / "retry").read_text().split() == ["1", "2"]
    assert runs.task(started.airflow, "live_retry", "short", "fails_always").state == "failed"
    assert "the first try fails on purpose" in started.web.log("live_retry", "short", "fails_once", 1)
    assert "on purpose" not in started.web.log("live_retry", "short", "fails_once", 2)


def test_a_deferred_task_resumes(started: Live) -> None:
    assert runs.wait_for_run(started.airflow, "live_deferrable", "short") == "success"
    assert (started.airflow.scratch / "deferrable.short").read_text().split() == ["deferred", "resumed"]
    assert "resumed by the triggerer" in started.web.log("live_deferrable", "short", "defers", 1)


def test_mapped_tasks_run_once_each(started: Live) -> None:
    assert runs.wait_for_run(started.airflow, "live_mapped", "short") == "success"
    mapped = [task for task in runs.tasks(started.airflow, "live_mapped", "short") if task.task == "count_run"]
    assert [(task.map_index, task.state) for task in mapped] == [(index, "success") for index in range(TASKS)]
    files = started.airflow.scratch / "short"
    assert {file.name: len(file.read_text().split()) for file in files.iterdir()} == dict.fromkeys(
        map(str, range(TASKS)), 1
    )
