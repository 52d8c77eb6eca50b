"""tools/setup.sh requires the Go that bindings/go/go.mod names. It installs the distribution's Go only if that is new
enough, and then errcheck."""

import re
from pathlib import Path

import pytest
from machine import Machine
from servers import ROOT

_named = re.search(r"^go (.+)$", (ROOT / "bindings" / "go" / "go.mod").read_text(), re.MULTILINE)
assert _named
NEEDED = _named[1]


@pytest.mark.parametrize("have", [f"go{NEEDED}", f"go{NEEDED}.4", "go1.100.0"])
def test_new_enough(tmp_path: Path, have: str) -> None:
    machine = Machine(tmp_path, have, "2:1.19~1")
    done = machine.set_up()
    assert (done.returncode, done.stderr) == (0, "")
    assert not machine.installed.exists()


@pytest.mark.parametrize(
    ("have", "offered", "shown"),
    [
        (None, "2:1.19~1", "none"),
        (None, "(none)", "none"),
        ("go1.21.5", "2:1.99~1", "go1.21.5"),  # an installed Go is not replaced
        ("go1.9", "2:1.19~1", "go1.9"),
    ],
)
def test_too_old(tmp_path: Path, have: str | None, offered: str, shown: str) -> None:
    machine = Machine(tmp_path, have, offered)
    done = machine.set_up()
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"setup: everything except Go is set up: bindings/go needs {NEEDED} or newer, found {shown}; "
        "get it from https://go.dev/dl"
    )
    assert not machine.installed.exists(), "a package that is too old is not installed"
    assert (machine.tree / "build" / "venvs" / "none" / ".stamp").is_file(), "everything else is set up"


@pytest.mark.parametrize("offered", [f"2:{NEEDED}~1", "2:1.99.1-3"])
def test_the_distributions_is_new_enough(tmp_path: Path, offered: str) -> None:
    machine = Machine(tmp_path, None, offered)
    done = machine.set_up()
    assert (done.returncode, done.stderr) == (0, "")
    assert "golang-go" in machine.installed.read_text()


def test_errcheck_is_installed_once_for_each_version_of_go(tmp_path: Path) -> None:
    def installs() -> list[str]:
        return [call for call in machine.go_calls.read_text().splitlines() if " install " in call]

    machine = Machine(tmp_path, "go1.99.0")
    assert machine.set_up().returncode == 0
    (install,) = installs()
    assert re.fullmatch(rf"GOBIN={machine.tree}/build/go/bin install github.com/kisielk/errcheck@v[0-9.]+", install)
    assert machine.set_up().returncode == 0
    assert len(installs()) == 1
    machine.go("go", "go1.100.0")
    assert machine.set_up().returncode == 0
    assert len(installs()) == 2
