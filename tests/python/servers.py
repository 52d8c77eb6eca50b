"""AWS servers on loopback ports, started for the tests and ended with them."""

import contextlib
import json
import os
import random
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
VENVS = ROOT / "build" / "venvs"

T = TypeVar("T")

# No retries: a test checks the first answer. The read time limit is longer than a long poll.
CLIENT_CONFIG = Config(
    retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=40, max_pool_connections=20, proxies={}
)


@dataclass(frozen=True)
class Server:
    """URL of a server, and our credentials."""

    kind: str
    endpoint_url: str
    region: str = "us-east-1"
    access_key_id: str = "AKIDEXAMPLE000000000"
    secret_access_key: str = "not-a-secret"
    session_token: str | None = None

    def sqs(self) -> "SQSClient":
        client: SQSClient = self.client("sqs")
        return client

    def awslambda(self) -> "LambdaClient":
        client: LambdaClient = self.client("lambda")
        return client

    def s3(self) -> "S3Client":
        client: S3Client = self.client("s3")
        return client

    def client(self, service: str, config: Config | None = None) -> Any:  # noqa: ANN401 - boto3 makes them at run time
        return boto3.session.Session().client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            aws_session_token=self.session_token,
            config=CLIENT_CONFIG.merge(config) if config else CLIENT_CONFIG,
        )

    def environment(self) -> dict[str, str]:
        """Environment of a program that must use this server only."""
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
    """`lambda-executor-local`, with its function and queues."""

    function_name: str = ""
    queue_url: str = ""
    dead_letter_queue_url: str = ""

    def faults(self, **faults: object) -> None:
        """Replaces the faults; without arguments there are none."""
        self._admin("faults", json.dumps(faults).encode())

    def stats(self) -> dict[str, Any]:
        """Counters since its start. Not available while an outage refuses connections."""
        return self._admin("stats", None)

    def _admin(self, path: str, body: bytes | None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.endpoint_url}/_local/{path}",
            data=body,
            headers={"authorization": f"Bearer {self.secret_access_key}", "content-type": "application/json"},
        )
        reply: dict[str, Any] = json.loads(ask(request))
        return reply


def ask(request: urllib.request.Request | str, seconds: float = 10.0) -> bytes:
    """The answer of a server on this machine, without any proxy of the environment."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=seconds) as answer:
        body: bytes = answer.read()
    return body


def clean_environment() -> dict[str, str]:
    """Our environment without settings of AWS clients or Airflow: no test may use a real account."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "AIRFLOW", "LAMBDA_")) and not name.lower().endswith("_proxy")
    }


def until(what: str, probe: Callable[[], T | None], seconds: float = 20.0, every: float = 0.02) -> T:
    """The first value of `probe` that is not None. Fails with `what` at the time limit."""
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value is not None:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(every)


@contextmanager
def running(
    arguments: list[str], environment: dict[str, str], log: Path, *, append: bool = False
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is killed at the end of the block. Its output goes to the file `log`."""
    with log.open("ab" if append else "wb") as output:
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
def ministack(folder: Path) -> Iterator[Server]:
    """Retries asynchronous events after 1 and 2 s. Writes its files below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "ministack.log"
    port = free_port()
    # It passes its own environment to the functions, so set the endpoint here.
    server = Server("ministack", f"http://127.0.0.1:{port}", access_key_id="test", secret_access_key="test")
    environment = {
        **clean_environment(),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "AWS_ENDPOINT_URL": server.endpoint_url,
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "1",
        "TMPDIR": str(folder),
    }
    with running([str(VENVS / "ministack" / "bin" / "ministack")], environment, log) as process:

        def answers() -> bool | None:
            if process.poll() is not None:
                raise AssertionError(f"ministack ended with {process.returncode}: {log.read_text()}")
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1):
                    return True
            except OSError:
                return None

        until("ministack listens", answers, 60)
        yield server


def free_port() -> int:
    """A currently free port, for servers that cannot choose one themselves.

    Outside of the system's range of automatic ports: another server could get one of those before this one starts.
    """
    lowest_of_the_system = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10_000, lowest_of_the_system)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def local(folder: Path, programs: Path = PROGRAMS, /, **options: object) -> Iterator[LocalServer]:
    """Our own server, from the folder `programs`; `options` are those of its configuration file.

    Our function has its temporary files below `folder`, unless the option `env` sets another place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if options.get("handler", "exec") == "exec":
        temporary = folder / "tmp"
        temporary.mkdir(exist_ok=True)
        env = options.get("env", {})
        assert isinstance(env, dict)
        options["env"] = {"TMPDIR": str(temporary), **env}
    ready, config, log = folder / "ready.json", folder / "config.json", folder / "local.log"
    ready.unlink(missing_ok=True)
    config.write_text(json.dumps(options))
    arguments = [str(programs / "lambda-executor-local"), "--config", str(config), "--ready-file", str(ready)]
    with running(arguments, clean_environment(), log) as process:

        def read_ready() -> dict[str, str] | None:
            if process.poll() is not None:
                raise AssertionError(f"lambda-executor-local ended with {process.returncode}: {log.read_text()}")
            try:
                answer: dict[str, str] = json.loads(ready.read_text())
            except (FileNotFoundError, json.JSONDecodeError):
                return None
            return answer

        where = until("lambda-executor-local is ready", read_ready)
        of_us = ("endpoint_url", "region", "access_key_id", "secret_access_key", "function_name")
        queues = ("queue_url", "dead_letter_queue_url")
        yield LocalServer(kind="local", **{name: where[name] for name in of_us + queues})
