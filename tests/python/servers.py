"""Servers that speak AWS on a loopback port, each started for the tests and ended with them."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
VENVS = ROOT / "build" / "venvs"

T = TypeVar("T")

# No retries: a test wants to see the first answer, not the third. The read time limit is longer than a long poll.
CLIENT_CONFIG = Config(
    retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=40, max_pool_connections=20, proxies={}
)


@dataclass(frozen=True)
class Server:
    """Where a server listens, and who we are to it."""

    kind: str
    endpoint_url: str
    region: str = "us-east-1"
    access_key_id: str = "AKIDEXAMPLE000000000"
    secret_access_key: str = "not-a-secret"

    def sqs(self) -> "SQSClient":
        client: SQSClient = self._client("sqs")
        return client

    def awslambda(self) -> "LambdaClient":
        client: LambdaClient = self._client("lambda")
        return client

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        return boto3.session.Session().client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            config=CLIENT_CONFIG,
        )

    def environment(self) -> dict[str, str]:
        """Environment for a program that shall reach this server and no other."""
        return {
            **clean_environment(),
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
        }


@dataclass(frozen=True)
class LocalServer(Server):
    """`lambda-executor-local` also tells the function and the queues that it made."""

    function_name: str = ""
    queue_url: str = ""
    dead_letter_queue_url: str = ""


def clean_environment() -> dict[str, str]:
    """Ours without anything that configures AWS clients or Airflow: no test may reach a real account."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "AIRFLOW", "LAMBDA_")) and not name.lower().endswith("_proxy")
    }


def until(what: str, probe: Callable[[], T | None], seconds: float = 20.0) -> T:
    """The first value of `probe` that is not None; fails with `what` when none comes in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value is not None:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


@contextmanager
def running(arguments: list[str], environment: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is gone when the block ends, however it ends. Its output goes to the file `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def moto() -> Iterator[Server]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        yield Server("moto", f"http://127.0.0.1:{port}")
    finally:
        server.stop()


@contextmanager
def local(folder: Path, **options: object) -> Iterator[LocalServer]:
    """Our own server; `options` are those of its configuration file."""
    folder.mkdir(parents=True, exist_ok=True)
    ready, config, log = folder / "ready.json", folder / "config.json", folder / "local.log"
    ready.unlink(missing_ok=True)
    config.write_text(json.dumps(options))
    arguments = [str(PROGRAMS / "lambda-executor-local"), "--config", str(config), "--ready-file", str(ready)]
    with running(arguments, clean_environment(), log) as process:

        def told() -> dict[str, str] | None:
            if process.poll() is not None:
                raise AssertionError(f"lambda-executor-local ended with {process.returncode}: {log.read_text()}")
            try:
                answer: dict[str, str] = json.loads(ready.read_text())
            except (FileNotFoundError, json.JSONDecodeError):
                return None
            return answer

        where = until("lambda-executor-local is ready", told)
        yield LocalServer(
            "local",
            where["endpoint_url"],
            where["region"],
            where["access_key_id"],
            where["secret_access_key"],
            where["function_name"],
            where["queue_url"],
            where["dead_letter_queue_url"],
        )
