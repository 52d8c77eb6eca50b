"""The unchanged example program in C with servers of other projects: only its configuration differs."""

import json
import subprocess

import pytest
import servers

from .conftest import Deployment, deploy_function

RUN_COMMANDS = servers.ROOT / "build" / "examples" / "run_commands"
COMMANDS = "echo one\necho two >&2; exit 3\nprintf 'a\\nb'\n"


@pytest.fixture
def deployment(ministack: servers.Server) -> Deployment:
    return deploy_function(ministack)


def test_run_commands(deployment: Deployment) -> None:
    server = deployment.server
    config = {**deployment.config, "endpoint_url": server.endpoint_url, "region_name": server.region}
    done = subprocess.run(
        [str(RUN_COMMANDS), "--config", json.dumps(config), "--tsv"],
        input=COMMANDS,
        env=server.environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    header, *lines = (line.split("\t") for line in done.stdout.splitlines())
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    assert [(row["state"], row["return_code"]) for row in rows] == [
        ("succeeded", "0"),
        ("failed", "3"),
        ("succeeded", "0"),
    ]
