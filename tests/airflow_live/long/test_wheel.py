"""The wheel with the extra `airflow`, installed beside Airflow in a fresh environment as docs/airflow.md says."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import deployment
import pytest
import runs
import servers
import web

# Airflow's releases have a file of versions each, on GitHub; LIVE_CONSTRAINTS may be its URL. Where no network is, the
# versions that pip has resolved for the environment of the other tests.
PINNED = servers.ROOT / "tests" / "python" / "requirements-airflow.txt"
CONSTRAINTS = os.environ.get("LIVE_CONSTRAINTS", str(PINNED))
AIRFLOW = os.environ.get("LIVE_AIRFLOW", re.findall(r"^apache-airflow==(.+)$", PINNED.read_text(), re.MULTILINE)[0])
EXECUTOR = "lambda_executor.airflow.LambdaExecutor"
# Where the package and its library are.
WHERE = "import lambda_executor; from lambda_executor import _library; print(lambda_executor.__file__, _library.path())"


@dataclass
class Fresh:
    """A virtual environment, used with nothing of this repository and no setting of the user."""

    venv: Path
    home: Path

    def __call__(self, program: str, *arguments: str | Path, **variables: str) -> str:
        environment = {
            **servers.clean_environment(),
            "PYTHONPATH": "",
            "PATH": f"{self.venv / 'bin'}:/usr/bin:/bin",
            "HOME": str(self.home),
            "AIRFLOW_HOME": str(self.home / "airflow"),
            **variables,
        }
        command = [self.venv / "bin" / program, *arguments]
        done = subprocess.run(
            command, cwd=self.home, env=environment, capture_output=True, text=True, timeout=900, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the binaries that the other tests use."""
    built, made = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("wheel")
    for name in ("bin/lambda-executor-local", "bin/lambda-executor-function", "lib/liblambda_executor.so"):
        (built / Path(name).name).symlink_to((deployment.PREFIX / name).resolve())
    tool = servers.ROOT / "tools" / "build_wheel.sh"
    done = subprocess.run(
        [tool, "--from", built, "--to", made], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [file] = made.glob("lambda_executor-*.whl")
    return file


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    folder = tmp_path_factory.mktemp("fresh")
    (folder / "home").mkdir()
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True, timeout=300)
    # With the machine's own settings of pip: where packages come from.
    python = folder / "venv" / "bin" / "python"
    pip: list[Path | str] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    wanted = [f"{wheel}[airflow]", f"apache-airflow=={AIRFLOW}", "psycopg2-binary", "asyncpg"]
    done = subprocess.run(
        [*pip, "--constraint", CONSTRAINTS, *wanted],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Fresh(folder / "venv", folder / "home")


def test_nothing_conflicts(fresh: Fresh) -> None:
    assert fresh("pip", "--disable-pip-version-check", "check") == "No broken requirements found.\n"
    for place in fresh("python", "-c", WHERE).split():
        assert Path(place).is_relative_to(fresh.venv), place


def test_airflow_knows_the_package(fresh: Fresh) -> None:
    configured = {"AIRFLOW__CORE__EXECUTOR": EXECUTOR}
    assert fresh("airflow", "config", "get-value", "core", "executor", **configured).split()[-1] == EXECUTOR
    # Options and their defaults come from the package.
    assert fresh("airflow", "config", "get-value", "aws_lambda_executor", "conn_id").split()[-1] == "aws_default"
    assert "lambda-executor" in fresh("airflow", "providers", "list", "--output", "plain")


def test_a_dag_runs(fresh: Fresh, tmp_path: Path) -> None:
    components = ("api-server", "dag-processor", "scheduler")
    with deployment.deployment(
        tmp_path / "live", venv=fresh.venv, components=components, dags=deployment.DAGS / "basic", binding=None
    ) as airflow:
        served = web.Web(airflow)
        served.wait_until_ready(["live_success"])
        served.trigger("live_success", "run")
        assert runs.wait_for_run(airflow, "live_success", "run") == "success"
        assert "the answer is 42" in served.log("live_success", "run", "answer", 1)
