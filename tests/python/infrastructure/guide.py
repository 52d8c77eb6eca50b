"""The blocks, sections and tables of docs/aws-setup.md, and a shell that runs its commands."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import servers

GUIDE = servers.ROOT / "docs" / "aws-setup.md"
TEXT = GUIDE.read_text()
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
SHELL = [block for kind, block in BLOCKS if kind == "sh"]


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, title
    return str(found[1])


def block_with(text: str) -> str:
    """The only shell block with this text."""
    (block,) = (block for block in SHELL if text in block)
    return block


def rows(title: str) -> list[list[str]]:
    """Cells of the tables of a section, without their heads."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    heads = {number - 1 for number, line in enumerate(lines) if set(line) <= set("|-: ")}
    kept = [line for number, line in enumerate(lines) if number not in heads and number - 1 not in heads]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in kept]


def run(server: servers.Server, folder: Path, *blocks: str) -> str:
    """Runs shell blocks of the guide with AWS's own command line against the server. Returns the output."""
    (folder / "function").mkdir(parents=True, exist_ok=True)
    shutil.copy(servers.ROOT / "function" / "template.yaml", folder / "function")
    # Version 1 ignores the environment's endpoint for SQS; it needs the option.
    command = folder / "bin" / "aws"
    command.parent.mkdir(exist_ok=True)
    command.write_text(
        f'#!/bin/sh\nexec {Path(sys.executable).with_name("aws")} --endpoint-url $AWS_ENDPOINT_URL "$@"\n'
    )
    command.chmod(0o755)
    # Requests to any other host would go to a port on which nothing listens.
    astray = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        ["/bin/bash", "-c", "\n".join(["set -euo pipefail", *blocks])],
        cwd=folder,
        env={**server.environment(), **astray, "HOME": str(folder), "PATH": f"{command.parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        # Each start of the command line costs a second of CPU.
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


NAMES = block_with("REPOSITORY=")


def named(name: str) -> str:
    """The block that all others need, with another name, since the tests share moto."""
    assert "NAME=my-executor" in NAMES
    return NAMES.replace("NAME=my-executor", f"NAME={name}")
