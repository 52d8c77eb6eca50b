"""A task whose process is killed, as by the kernel when memory is short."""

import os
import signal

import runs
import servers
from conftest import Live


def test_a_killed_task_fails(live: Live) -> None:
    airflow = live.airflow
    live.web.trigger("live_endless", "killed")
    file = airflow.scratch / "endless.killed.1"
    supervisor = int(servers.until("the task runs", lambda: file.read_text() or None if file.exists() else None, 180))
    # Airflow's supervisor is killed: nothing in the sandbox can report the task's state to Airflow any more.
    os.kill(supervisor, signal.SIGKILL)
    assert runs.wait_for_run(airflow, "live_endless", "killed") == "failed"
    task = runs.task(airflow, "live_endless", "killed", "runs_on")
    assert (task.state, task.try_number) == ("failed", 1)
    assert "try 1 runs" in live.web.log("live_endless", "killed", "runs_on", 1)
