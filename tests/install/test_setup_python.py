"""tools/setup.sh makes sure that an interpreter has CPython's own tests, which the tests of LambdaPool run.

It installs Python packages with uv, or with pip where uv does not work.
"""

import subprocess
from pathlib import Path

from machine import Machine

DEBIAN = "/usr/bin/python3"


def test_an_interpreter_with_tests_is_used(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "go1.99.0")
    done = machine.set_up()
    assert (done.returncode, done.stderr) == (0, "")
    assert not machine.installed.exists()


def test_otherwise_those_of_debians_interpreter_are_installed(tmp_path: Path) -> None:
    asked = [DEBIAN, "-c", "import sys; print('libpython%d.%d-testsuite' % sys.version_info[:2])"]
    package = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    machine = Machine(tmp_path, "go1.99.0", python_tests=False)
    done = machine.set_up()
    assert (done.returncode, done.stderr) == (0, "")
    assert package in machine.installed.read_text().split()
    machine.installed.unlink()
    assert machine.set_up().returncode == 0
    assert not machine.installed.exists(), "installed once"


def installers(machine: Machine) -> list[str]:
    """Those which installed the packages of requirements-none.txt, in their order."""
    calls = [line.split() for line in machine.installers.read_text().splitlines()]
    return [words[0] for words in calls if words[-1].endswith("requirements-none.txt")]


def test_uv_installs_packages(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "go1.99.0")
    assert machine.set_up().returncode == 0
    assert installers(machine) == ["uv"]
    before = machine.installers.read_text()
    assert machine.set_up().returncode == 0
    assert machine.installers.read_text() == before, "what is there is not installed again"


def test_without_uv_pip_installs_them(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "go1.99.0", uv="")
    done = machine.set_up()
    assert (done.returncode, installers(machine)) == (0, ["pip"]), done.stderr


def test_where_uv_fails_pip_installs_them(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "go1.99.0", uv="exit 2")
    done = machine.set_up()
    assert (done.returncode, installers(machine)) == (0, ["uv", "pip"]), done.stderr
    assert "uv cannot install tests/python/requirements-none.txt, pip tries" in done.stdout
