"""A task whose process is killed, as by the kernel when memory is short."""

import os
import signal

import runs
from conftest import Live


def test_a_killed_task_fails(live: Live) -> None:
    airflow = live.airflow
    live.web.trigger("live_endless", "killed")
    file = airflow.scratch / "endless.killed.1"
    supervisor = int(runs.wait_for_file(airflow, "live_endless", "killed", file))
    # Airflow's supervisor is killed, so nothing in the sandbox can report the task's state to Airflow.
    os.kill(supervisor, signal.SIGKILL)
    assert runs.wait_for_run(airflow, "live_endless", "killed") == "failed"
    task = runs.task(airflow, "live_endless", "killed", "runs_on")
    assert (task.state, task.try_number) == ("failed", 1)
    assert "try 1 runs" in live.web.log("live_endless", "killed", "runs_on", 1)
