"""One Dag on each other version of Airflow 3 that is installed in build/venvs/airflow-<version>."""

from pathlib import Path

import deployment
import pytest
import runs
import servers
import web

VERSIONS = sorted(
    folder.name.removeprefix("airflow-")
    for folder in servers.VENVS.glob("airflow-3*")
    if (folder / "bin" / "airflow").exists()
)


def test_the_versions_are_there() -> None:
    assert {".".join(version.split(".")[:2]) for version in VERSIONS} >= {"3.0", "3.1", "3.4"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_dag_runs(version: str, tmp_path: Path) -> None:
    venv = servers.VENVS / f"airflow-{version}"
    components = ("api-server", "dag-processor", "scheduler")
    with deployment.deployment(
        tmp_path / "live", venv=venv, components=components, dags=deployment.DAGS / "basic"
    ) as airflow:
        served = web.Web(airflow)
        served.wait_until_ready(["live_success"])
        served.trigger("live_success", "run")
        assert runs.wait_for_run(airflow, "live_success", "run") == "success"
        assert {task.state for task in runs.tasks(airflow, "live_success", "run")} == {"success"}
        assert "the answer is 42" in served.log("live_success", "run", "answer", 1)
        # The image's list of modules for the warm start can be loaded here.
        assert "modules cannot be loaded" not in (airflow.folder / "function" / "function.log").read_text()
