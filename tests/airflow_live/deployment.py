"""A real Airflow 3 on the local Lambda: API server, scheduler, Dag processor and triggerer as processes."""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import functions
import leftovers
import servers
from postgres import Database, postgres

LIVE = Path(__file__).resolve().parent
DAGS = LIVE / "dags"
AIRFLOW = servers.VENVS / "airflow"
# Airflow's own executor, which the same deployment runs for comparison.
UPSTREAM = "airflow.providers.amazon.aws.executors.aws_lambda.AwsLambdaExecutor"
EXECUTOR = os.environ.get("LIVE_EXECUTOR", "lambda_executor.airflow.LambdaExecutor")
# The folder of our binding for Airflow's processes, and the installation with library and programs.
BINDING = Path(os.environ.get("LIVE_BINDING", servers.ROOT / "bindings" / "python" / "src"))
# Further folders to import from, for database drivers that Airflow's environments lack.
MORE = os.environ.get("LIVE_PYTHONPATH", "")
PREFIX = Path(os.environ.get("LAMBDA_EXECUTOR_PREFIX", servers.ROOT / "build" / "prefix"))
COMPONENTS = ("api-server", "dag-processor", "scheduler", "triggerer")


@dataclass
class Deployment:
    """One Airflow. Each component writes `<name>.log` below `folder`."""

    folder: Path
    venv: Path
    database: Database
    aws: servers.LocalServer
    environment: dict[str, str]
    api_port: int
    stack: ExitStack
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def scratch(self) -> Path:
        """Folder in which the Dags record their runs."""
        return self.folder / "scratch"

    def airflow(self, *arguments: str) -> str:
        """Output of an `airflow` command."""
        answer = subprocess.run(
            [self.venv / "bin" / "airflow", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def start(self, component: str, name: str = "", **settings: str) -> "subprocess.Popen[bytes]":
        """Starts a component with further environment variables; `name` distinguishes several of one kind."""
        name = name or component
        arguments = [component]
        if component == "api-server":
            arguments += ["--host", "127.0.0.1", "--port", str(self.api_port), "--workers", "1"]
        if component == "triggerer":
            # It would listen on all addresses. The API server reads the triggerer's logs from the folder.
            arguments.append("--skip-serve-logs")
        process = self.stack.enter_context(
            servers.running(
                [str(self.venv / "bin" / "airflow"), *arguments],
                {**self.environment, **settings},
                self.log_file(name),
                append=True,
            )
        )
        self.running[name] = process
        return process

    def stop(self, name: str) -> None:
        """SIGTERM, as by an orderly restart."""
        process = self.running.pop(name)
        process.terminate()
        process.wait(300)

    def kill(self, name: str) -> None:
        """SIGKILL, as by the kernel when memory is short: no code of the process runs after it."""
        process = self.running.pop(name)
        process.kill()
        process.wait(10)

    def log_file(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def check_alive(self) -> None:
        for name, process in self.running.items():
            if process.poll() is not None:
                tail = self.log_file(name).read_text(errors="replace")[-4000:]
                raise AssertionError(f"{name} ended with {process.returncode}:\n{tail}")


@contextmanager
def deployment(
    folder: Path,
    *,
    executor: str = EXECUTOR,
    handler: str = "ours",
    venv: Path = AIRFLOW,
    components: tuple[str, ...] = COMPONENTS,
    dags: Path = DAGS,
    binding: Path | None = BINDING,
    function_reaches_database: bool = False,
    local: dict[str, Any] | None = None,
    settings: dict[str, str] | None = None,
) -> Iterator[Deployment]:
    """An Airflow that runs the Dags below `dags`; everything ends with the block.

    `binding` is the folder that Airflow's processes import our package from; None: it is installed in `venv`, with its
    library. `local` are further options of the local Lambda, `settings` further environment variables of
    Airflow's components.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scratch").mkdir()
    api_port = servers.free_port()
    with ExitStack() as stack:
        database = stack.enter_context(postgres())
        shared = {
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{api_port}/execution/",
            # A folder that function and API server share, like EFS, instead of S3 or CloudWatch.
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
            # The default of 5 s is too short for a machine that runs everything on two cores.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "LIVE_SCRATCH": str(folder / "scratch"),
        }
        in_function = dict(shared)
        if function_reaches_database:
            in_function["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = database.url
            in_function["PYTHONPATH"] = MORE
        options = functions.options(handler, folder / "function", in_function, venv)
        aws = stack.enter_context(servers.local(folder / "aws", PREFIX / "bin", **{**options, **(local or {})}))
        environment = {
            **servers.clean_environment(),
            **shared,
            **_configuration(folder, venv, executor, database, aws, api_port),
            **_package(binding),
            **(settings or {}),
        }
        airflow = Deployment(folder, venv, database, aws, environment, api_port, stack)
        # What the components leave. Not the function's processes: the local Lambda ends those.
        stack.callback(leftovers.end, f"AIRFLOW_HOME={environment['AIRFLOW_HOME']}\0")
        airflow.airflow("db", "migrate")
        for component in components:
            airflow.start(component)
        yield airflow


def _package(binding: Path | None) -> dict[str, str]:
    if binding is None:
        return {"PYTHONPATH": MORE}
    library = str(PREFIX / "lib" / "liblambda_executor.so.1")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(binding), MORE])), "LAMBDA_EXECUTOR_LIBRARY": library}


def _configuration(
    folder: Path, venv: Path, executor: str, database: Database, aws: servers.LocalServer, api_port: int
) -> dict[str, str]:
    connection = {
        "conn_type": "aws",
        "login": aws.access_key_id,
        "password": aws.secret_access_key,
        "extra": {"region_name": aws.region, "endpoint_url": aws.endpoint_url},
    }
    return {
        **leftovers.KEEPS_ENVIRONMENT,
        "PATH": f"{venv / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{api_port}",
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(16),
        # Without it each component creates its own, and the API server rejects the tasks' tokens.
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__AWS_LAMBDA_EXECUTOR__DEAD_LETTER_QUEUE_URL": aws.dead_letter_queue_url,
        "AIRFLOW__AWS_LAMBDA_EXECUTOR__FUNCTION_NAME": aws.function_name,
        "AIRFLOW__AWS_LAMBDA_EXECUTOR__QUEUE_URL": aws.queue_url,
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": executor,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database.url,
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
    }
