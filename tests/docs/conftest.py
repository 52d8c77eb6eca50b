"""The library as `make install` installs it, for the programs in the docs, and the file of an earlier server."""

import subprocess

import building
import pytest
from servers import PROGRAMS, ROOT, clean_environment


@pytest.fixture(scope="session")
def installed() -> None:
    check = [str(ROOT / "tests" / "bindings" / "check_prefix.sh"), str(building.PREFIX)]
    done = subprocess.run(check, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def stale() -> str:
    """What a server that has ended printed: the `local.env` that an earlier run of a page's commands left behind."""
    command = [str(PROGRAMS / "lambda-executor-local"), "--exit-with-stdin"]
    done = subprocess.run(
        command,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout
