"""The library as `make install` installs it, for the programs in the docs."""

import subprocess

import building
import pytest
from servers import ROOT


@pytest.fixture(scope="session")
def installed() -> None:
    check = [str(ROOT / "tests" / "bindings" / "check_prefix.sh"), str(building.PREFIX)]
    done = subprocess.run(check, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
