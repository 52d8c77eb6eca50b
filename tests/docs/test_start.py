"""The commands that start lambda-executor-local in a shell, beside the file that an earlier one has left."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import building
import pytest
from pages import Page
from servers import PROGRAMS, ROOT, VENVS

# What local/README.md asks the server that the shell's environment names.
QUEUES = 'python3 -c \'import boto3; print(boto3.client("sqs").list_queues()["QueueUrls"])\'\n'


def readme() -> str:
    block = next(block for block in Page(ROOT / "local" / "README.md").blocks if block.language == "console")
    commands = block.text.replace("$ ", "", 1).replace("\n$ ", "\n")
    assert commands.endswith(QUEUES)
    return commands.removesuffix(QUEUES)


def man_page() -> str:
    page = ROOT / "packaging" / "man" / "lambda-executor-local.1"
    command = ["groff", "-mandoc", "-Tascii", "-P-cbou", "-rLL=200n", str(page)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    examples = shown.split("\nEXAMPLES\n")[1].split("\nSEE ALSO\n")[0]
    return "".join(f"{line}\n" for line in re.findall(r"^ {8,}(\S.*)$", examples, re.MULTILINE))


def help_text() -> str:
    command = [str(PROGRAMS / "lambda-executor-local"), "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    example = shown.split("\nexample:")[1].split("\noptions\n")[0]
    return "".join(f"{line}\n" for line in re.findall(r"^ {4}(\S.*)$", example, re.MULTILINE))


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("commands", [readme, man_page, help_text], ids=lambda source: source.__name__)
def test_commands_read_the_settings_of_the_server_that_they_start(
    commands: Callable[[], str], shell: str, stale: str, tmp_path: Path
) -> None:
    (tmp_path / "local.env").write_text(stale)
    path = f"{VENVS / 'boto' / 'bin'}:{PROGRAMS}:/usr/bin:/bin"
    script = f"{building.END_SERVER}\n{commands()}{QUEUES}"
    printed = building.call([shell, "-euc", script], tmp_path, building.RUN_SECONDS, PATH=path)
    (endpoint,) = re.findall(r"^export AWS_ENDPOINT_URL=(.*)$", (tmp_path / "local.env").read_text(), re.MULTILINE)
    names = ("lambda-executor-dead-letters", "lambda-executor-results")
    assert printed == f"{[f'{endpoint}/000000000000/{name}' for name in names]}\n"
    assert endpoint not in stale
