"""Builds each runner once, and starts all requested scenarios at once, since scenarios mostly wait."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import runners
import servers
from messages import messages

SCENARIOS = Path(__file__).with_name("scenarios")
# More than the number of processors, since most runs wait.
SIDE_BY_SIDE = 8
# For a runner that hangs; its own waits end after 60 s each.
SECONDS = 150


@dataclass(frozen=True)
class Outcome:
    exit_status: int
    printed: bytes
    stderr: str
    # Faults of the scenario that did not occur.
    missing: list[str]


Runners = dict[str, "Future[list[str]]"]
Outcomes = dict[tuple[str, str], "Future[Outcome]"]


def steps_of(scenario: Path) -> tuple[dict[str, dict[str, Any]], list[list[str]], str]:
    """The parts of a scenario: objects for the harness by step, tasks submitted before, and the runner's part."""
    settings: dict[str, dict[str, Any]] = {"options": {}, "local": {}, "faults": {}}
    submitted = []
    rest = []
    for line in scenario.read_text().splitlines():
        step, *fields = line.split("\t")
        if step in settings:
            settings[step] = json.loads(fields[0])
        elif step == "submitted":
            submitted.append(fields)
        if step != "submitted":
            rest.append(line)
    return settings, submitted, "".join(f"{line}\n" for line in rest)


def submit(server: servers.LocalServer, key: str, attempt_id: str, command: str) -> None:
    """Submits a task like an executor that has ended."""
    event = {
        "task_key": key,
        "attempt_id": attempt_id,
        "command": json.loads(command),
        "executor_config": {},
        "reply_to": server.queue_url,
    }
    server.awslambda().invoke(
        FunctionName=server.function_name, InvocationType="Event", Payload=json.dumps(event).encode()
    )


def carry_out(runner: list[str], scenario: Path, folder: Path) -> Outcome:
    """One run against its own server."""
    settings, submitted, steps = steps_of(scenario)
    with servers.local(folder, **settings["local"]) as server:
        config = {
            "function_name": server.function_name,
            "queue_url": server.queue_url,
            "dead_letter_queue_url": server.dead_letter_queue_url,
            "endpoint_url": server.endpoint_url,
            "region_name": server.region,
            **settings["options"],
        }
        for fields in submitted:
            submit(server, *fields)
        if settings["faults"]:
            server.faults(**settings["faults"])
        for_runner = folder / scenario.name
        for_runner.write_text(steps)
        done = subprocess.run(
            [*runner, str(for_runner)],
            env={**runners.environment(), **credentials(server), "LAMBDA_EXECUTOR_CONFIG": json.dumps(config)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
        )
        missing = missing_faults(server, settings["faults"])
    return Outcome(done.returncode, done.stdout, done.stderr.decode(errors="replace"), missing)


def missing_faults(server: servers.LocalServer, faults: dict[str, Any]) -> list[str]:
    """Faults that did not occur: without them a scenario would prove nothing. An outage is visible in the outcome."""
    missing = []
    if faults.keys() & {"lambda", "sqs", "throttle", "error", "drop"} and server.stats()["faults"] == 0:
        missing.append("no request was throttled, failed or dropped")
    rough = faults.get("messages", {})
    if "duplicate" in rough or "delay" in rough:
        # The server does not count these, so send own messages with the same faults. Copies of results may remain.
        server.sqs().purge_queue(QueueUrl=server.queue_url)
        for number in range(8):
            server.sqs().send_message(QueueUrl=server.queue_url, MessageBody=str(number))
        twice = rough.get("duplicate") == 1
        taken = [message["Attributes"] for message in messages(server, server.queue_url, 16 if twice else 8)]
        late = [int(at["ApproximateFirstReceiveTimestamp"]) - int(at["SentTimestamp"]) for at in taken]
        if "delay" in rough and max(late) < rough["delay_ms"]:
            missing.append(f"no message was delayed: {late} ms")
    return missing


def credentials(server: servers.Server) -> dict[str, str]:
    return {name: value for name, value in server.environment().items() if name.startswith("AWS_")}


@contextmanager
def at_work(threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool that starts no further runs when its results are no longer needed, as after Ctrl-C or with -x."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def workplace() -> Iterator[Path]:
    check = [str(Path(__file__).with_name("check_prefix.sh")), str(runners.PREFIX)]
    done = subprocess.run(check, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    folder = Path(tempfile.mkdtemp(prefix="lambda-executor-bindings.", dir=os.environ.get("TMPDIR")))
    runners.OUT.mkdir(parents=True, exist_ok=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def made(request: pytest.FixtureRequest, workplace: Path) -> Iterator[Runners]:
    """The runners of the requested languages, being built."""
    wanted = {item.callspec.params["language"] for item in asked_for(request)}
    with at_work(2) as pool:
        yield {name: pool.submit(make) for name, make in runners.LANGUAGES.items() if name in wanted}


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest, made: Runners, workplace: Path) -> Iterator[Outcomes]:
    """Runs of the requested languages and scenarios, the longest first, since all others run at the same time."""
    wanted = {
        (str(item.callspec.params["language"]), str(item.callspec.params["scenario"]))
        for item in asked_for(request)
        if "scenario" in item.callspec.params
    }

    def one(language: str, scenario: str) -> Outcome:
        folder = workplace / f"{language}-{scenario}"
        return carry_out(made[language].result(), SCENARIOS / f"{scenario}.tsv", folder)

    in_order = sorted(wanted, key=lambda pair: (pair[1] != "lost", pair[1], pair[0]))
    with at_work(SIDE_BY_SIDE) as pool:
        yield {pair: pool.submit(one, *pair) for pair in in_order}


def asked_for(request: pytest.FixtureRequest) -> list[pytest.Function]:
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    return [item for item in items if hasattr(item, "callspec") and "language" in item.callspec.params]
