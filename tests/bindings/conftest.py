"""Runners made once, and every outcome that is asked for under way from the start, since scenarios mostly wait."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import runners
import servers

SCENARIOS = Path(__file__).with_name("scenarios")
# More waits than processors have work.
SIDE_BY_SIDE = 8
# A runner that hangs; its own waits end before, after 60 s each.
SECONDS = 150


@dataclass(frozen=True)
class Outcome:
    exit_status: int
    printed: str
    said: str


Runners = dict[str, "Future[list[str]]"]
Outcomes = dict[tuple[str, str], "Future[Outcome]"]


def settings(scenario: Path) -> dict[str, dict[str, object]]:
    """What a scenario says to the harness, by step."""
    told: dict[str, dict[str, object]] = {"options": {}, "local": {}, "faults": {}}
    for line in scenario.read_text().splitlines():
        step, _, rest = line.partition("\t")
        if step in told:
            told[step] = json.loads(rest)
    return told


def carry_out(runner: list[str], scenario: Path, folder: Path) -> Outcome:
    """One run against a server of its own."""
    told = settings(scenario)
    with servers.local(folder, **told["local"]) as server:
        config = {
            "function_name": server.function_name,
            "queue_url": server.queue_url,
            "dead_letter_queue_url": server.dead_letter_queue_url,
            "endpoint_url": server.endpoint_url,
            "region_name": server.region,
            **told["options"],
        }
        if told["faults"]:
            server.faults(**told["faults"])
        done = subprocess.run(
            [*runner, str(scenario)],
            env={**runners.environment(), **credentials(server), "LAMBDA_EXECUTOR_CONFIG": json.dumps(config)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
        )
    return Outcome(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def credentials(server: servers.Server) -> dict[str, str]:
    return {name: value for name, value in server.environment().items() if name.startswith("AWS_")}


@pytest.fixture(scope="session")
def workplace() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="lambda-executor-bindings.", dir=os.environ.get("TMPDIR")))
    runners.OUT.mkdir(parents=True, exist_ok=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def made(request: pytest.FixtureRequest, workplace: Path) -> Iterator[Runners]:
    """The runners of the languages that were asked for, each being made."""
    wanted = {item.callspec.params["language"] for item in asked_for(request)}
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(make) for name, make in runners.LANGUAGES.items() if name in wanted}


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest, made: Runners, workplace: Path) -> Iterator[Outcomes]:
    """Of each language and scenario that was asked for. The longest first: all others fit beside it."""
    wanted = {
        (str(item.callspec.params["language"]), str(item.callspec.params["scenario"]))
        for item in asked_for(request)
        if "scenario" in item.callspec.params
    }

    def one(language: str, scenario: str) -> Outcome:
        folder = workplace / f"{language}-{scenario}"
        return carry_out(made[language].result(), SCENARIOS / f"{scenario}.tsv", folder)

    in_order = sorted(wanted, key=lambda pair: (pair[1] != "lost", pair[1], pair[0]))
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield {pair: pool.submit(one, *pair) for pair in in_order}


def asked_for(request: pytest.FixtureRequest) -> list[pytest.Function]:
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    return [item for item in items if hasattr(item, "callspec") and "language" in item.callspec.params]
