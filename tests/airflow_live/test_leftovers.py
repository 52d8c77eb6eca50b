"""What a killed component leaves behind is found and ended, and nothing else is."""

import subprocess
import sys
import uuid
from collections.abc import Iterator

import leftovers
import pytest
import servers

# Starts a process of its own, renames it as Airflow renames its server of logs, and is killed.
PARENT = """
import os, subprocess, sys
child = "import time, setproctitle; setproctitle.setproctitle('renamed'); print('ready', flush=True); time.sleep(600)"
process = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
process.stdout.readline()
print(process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
PYTHON = servers.VENVS / "airflow" / "bin" / "python"


@pytest.fixture
def mark() -> Iterator[str]:
    text = f"LEFTOVERS_TEST={uuid.uuid4()}\0"
    yield text
    leftovers.end(text)


def environment(mark: str) -> dict[str, str]:
    name, _, value = mark.removesuffix("\0").partition("=")
    return {**servers.clean_environment(), **leftovers.KEEPS_ENVIRONMENT, name: value}


def test_an_orphan_is_ended(mark: str) -> None:
    killed = subprocess.run([PYTHON, "-c", PARENT], env=environment(mark), capture_output=True, text=True, timeout=300)
    assert killed.returncode == -9, killed.stderr
    orphan = int(killed.stdout)
    assert leftovers.of(mark) == {orphan: "renamed"}
    assert leftovers.wait(mark, 0.2) == {orphan: "renamed"}
    leftovers.end(mark)
    assert leftovers.wait(mark, 0) == {}


def test_others_go_on(mark: str) -> None:
    """Also one whose text begins with ours, as that of the folder pytest-12 does with that of pytest-1."""
    longer = mark.replace("\0", "0")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=environment(longer)) as other:
        leftovers.end(mark)
        assert list(leftovers.of(longer + "\0")) == [other.pid]
        other.communicate(b"\n", timeout=300)
        assert other.returncode == 0
