"""A task that is cleared while it runs."""

import runs
from conftest import Live


def test_a_task_that_is_cleared_while_running_runs_again(live: Live) -> None:
    airflow = live.airflow
    live.web.trigger("live_endless", "cleared")
    runs.wait_for_file(airflow, "live_endless", "cleared", airflow.scratch / "endless.cleared.1")
    runs.wait_for_task(airflow, "live_endless", "cleared", "runs_on", lambda task: task.state == "running")
    live.web.clear("live_endless", "cleared", "runs_on")
    assert runs.wait_for_run(airflow, "live_endless", "cleared") == "success"
    task = runs.task(airflow, "live_endless", "cleared", "runs_on")
    assert (task.state, task.try_number) == ("success", 2)
    assert (airflow.scratch / "endless.cleared.2").exists()
    assert "try 2 runs" in live.web.log("live_endless", "cleared", "runs_on", 2)
