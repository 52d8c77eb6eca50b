"""One Dag on Airflow 2.11, whose tasks are commands `airflow tasks run` that connect to the database themselves."""

from pathlib import Path

import deployment
import pytest
import runs
import servers

VENVS = sorted(folder for folder in servers.VENVS.glob("airflow-2.11*") if (folder / "bin" / "airflow").exists())


def test_the_version_is_there() -> None:
    assert VENVS


@pytest.mark.parametrize("venv", VENVS, ids=lambda venv: venv.name)
def test_a_dag_runs(venv: Path, tmp_path: Path) -> None:
    with deployment.deployment(
        tmp_path / "live",
        venv=venv,
        components=("scheduler",),
        dags=deployment.LIVE / "dags_airflow2",
        function_reaches_database=True,
    ) as airflow:

        def known() -> bool | None:
            airflow.check_alive()
            return bool(airflow.database.query("select dag_id from dag where dag_id = 'live_airflow2'")) or None

        servers.until("the scheduler has read the Dag", known, runs.PATIENCE_S, runs.PROBE_S)
        airflow.airflow("dags", "trigger", "live_airflow2", "--run-id", "run")
        assert runs.wait_for_run(airflow, "live_airflow2", "run") == "success"
        assert {task.state for task in runs.tasks(airflow, "live_airflow2", "run")} == {"success"}
        [log] = (airflow.folder / "logs").glob("*/run_id=run/task_id=answer/attempt=1.log")
        assert "the answer is 42" in log.read_text()
