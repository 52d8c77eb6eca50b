"""tools/setup.sh needs the Go version of bindings/go/go.mod, and installs the distribution's Go only if it suffices."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from servers import ROOT

_named = re.search(r"^go (.+)$", (ROOT / "bindings" / "go" / "go.mod").read_text(), re.MULTILINE)
assert _named
NEEDED = _named[1]
# Tools that setup.sh would otherwise install, and tools that it uses.
THERE = [
    "cc",
    "gcc",
    "make",
    "g++",
    "nm",
    "readelf",
    "pkg-config",
    "valgrind",
    "cmake",
    "groff",
    "buildah",
    "mmdebstrap",
]
USED = ["bash", "sh", "sed", "head", "tail", "sort", "cut", "tr", "dirname", "sha256sum", "cat", "rm", "ln", "mkdir"]


class Machine:
    """A source tree that is set up except for Go, on a machine with a given Go or none."""

    def __init__(self, folder: Path, have: str | None, offered: str) -> None:
        self.tree, self.bin, self.installed = folder / "tree", folder / "bin", folder / "installed"
        (self.tree / "tools").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / "tools" / "setup.sh", self.tree / "tools")
        for name in ("Cargo.toml", "bindings"):
            (self.tree / name).symlink_to(ROOT / name)
        # No Python requirements, and a stub for every tool.
        (self.tree / "tests" / "python").mkdir(parents=True)
        (self.tree / "tests" / "python" / "requirements-none.txt").touch()
        for tool in THERE:
            self.tool(tool, "")
        self.tool("cargo", "")
        self.tool("rustc", "echo rustc 99.0.0")
        self.tool("python3", f'[ "$2" != venv ] || {{ mkdir -p "$3/bin" && ln -s {self.bin}/make "$3/bin/python"; }}')
        self.tool("id", "echo 0")
        self.tool("apt-cache", f"printf 'golang-go:\\n  Installed: (none)\\n  Candidate: {offered}\\n'")
        self.tool(
            "apt-get", f'echo "$*" >>{self.installed}; case $* in *golang-go*) ln -s go-offered {self.bin}/go ;; esac'
        )
        self.tool("go-offered", f"echo go{offered.partition(':')[2].partition('~')[0]}")
        if have:
            self.tool("go", f"echo {have}")

    def tool(self, name: str, script: str) -> None:
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def set_up(self) -> "subprocess.CompletedProcess[str]":
        """PATH without this machine's own Go."""
        for tool in [
            "bash",
            "sh",
            "sed",
            "head",
            "tail",
            "sort",
            "cut",
            "tr",
            "dirname",
            "sha256sum",
            "cat",
            "rm",
            "ln",
            "mkdir",
        ]:
            where = shutil.which(tool)
            assert where, tool
            (self.bin / tool).symlink_to(where)
        return subprocess.run(
            [self.tree / "tools" / "setup.sh"],
            env={**os.environ, "PATH": str(self.bin)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )


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
        ("go1.21.5", "2:1.99~1", "go1.21.5"),  # not replaced: it may be needed by others
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
    assert not machine.installed.exists(), "a package that is too old must not be installed"
    assert (machine.tree / "build" / "venvs" / "none" / ".stamp").is_file(), "everything else must be set up"


@pytest.mark.parametrize("offered", [f"2:{NEEDED}~1", "2:1.99.1-3"])
def test_the_distributions_go_is_sufficient(tmp_path: Path, offered: str) -> None:
    machine = Machine(tmp_path, None, offered)
    done = machine.set_up()
    assert (done.returncode, done.stderr) == (0, "")
    assert "golang-go" in machine.installed.read_text()
