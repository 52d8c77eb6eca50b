"""function/Dockerfile with its defaults: Airflow with its providers, and the functions that a worker needs."""

from collections.abc import Iterator
from pathlib import Path

import images
import pytest
import sandbox
from servers import ROOT

VERSION = "3.3.2"
# The import of Airflow takes seconds, on a busy machine longer.
PATIENCE = 300
DAG = """
from airflow.sdk import dag, task

@dag(schedule=None)
def report():
    @task
    def add(): return 1 + 1
    add()

DAG = report()
"""


def constraints() -> str:
    """Replaces Airflow's own file, which no package registry has. If a package has two lines, the later one counts."""
    files = [ROOT / "tests/python/requirements-airflow.txt", Path(__file__).with_name("constraints.txt")]
    lines = [line for path in files for line in path.read_text().splitlines() if "==" in line]
    return "".join(f"{line}\n" for line in {line.split("==")[0]: line for line in lines}.values())


@pytest.fixture(scope="module")
def function(
    store: images.Store, tmp_path_factory: pytest.TempPathFactory, workplace: Path
) -> Iterator[sandbox.Function]:
    project = tmp_path_factory.mktemp("airflow-project")
    (project / "constraints.txt").write_text(constraints())
    (project / "requirements.txt").write_text("tabulate\n")
    (project / "dags").mkdir()
    (project / "dags" / "report.py").write_text(DAG)
    contexts = {"program": ROOT / "build" / "image-program", "project": project}
    image = store.build("function/Dockerfile", "python", contexts=contexts)
    with sandbox.function(image, workplace / "airflow") as function:
        yield function


def test_airflow_runs(function: sandbox.Function) -> None:
    assert function.output(["airflow", "version"], PATIENCE).splitlines()[-1] == VERSION


def test_the_providers_are_there(function: sandbox.Function) -> None:
    modules = "airflow.providers.amazon.aws.hooks.s3, airflow.providers.postgres.hooks.postgres"
    function.output(["python", "-c", f"import {modules}"], PATIENCE)


def test_a_workload_finds_its_module(function: sandbox.Function) -> None:
    command = ["python", "-m", "airflow.sdk.execution_time.execute_workload", "--help"]
    assert "--json-path" in function.output(command, PATIENCE)


def test_a_dag_is_read_from_the_folder(function: sandbox.Function) -> None:
    program = (
        "import os, runpy; from airflow.configuration import conf; folder = conf.get('core', 'dags_folder'); "
        "print(folder, runpy.run_path(os.path.join(folder, 'report.py'))['DAG'].task_ids)"
    )
    assert function.output(["python", "-c", program], PATIENCE).splitlines()[-1] == "/var/task/dags ['add']"
