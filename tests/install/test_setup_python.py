"""tools/setup.sh makes sure that an interpreter has CPython's own tests, which the tests of LambdaPool run."""

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
