"""A machine on which tools/setup.sh finds everything but what a test leaves out."""

import os
import shutil
import subprocess
from pathlib import Path

from servers import ROOT

# Tools that setup.sh would install otherwise, and those that it uses itself.
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
    """A tree of sources. `have` is what `go` prints as its version, None without Go; `offered` is apt's version.

    python_tests: an interpreter has CPython's own tests. uv: what uv does when it is called, "" if it cannot be had.
    """

    def __init__(
        self,
        folder: Path,
        have: str | None,
        offered: str = "(none)",
        *,
        python_tests: bool = True,
        uv: str = ":",
    ) -> None:
        self.tree, self.bin, self.installed = folder / "tree", folder / "bin", folder / "installed"
        self.installers = folder / "installers"
        self.go_calls, tests = folder / "go-calls", folder / "python-tests"
        if python_tests:
            tests.touch()
        (self.tree / "tools").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / "tools" / "setup.sh", self.tree / "tools")
        for name in ("Cargo.toml", "bindings"):
            (self.tree / name).symlink_to(ROOT / name)
        # Without requirements of Python. All tools are there, at least by name.
        (self.tree / "tests" / "python").mkdir(parents=True)
        (self.tree / "tests" / "python" / "requirements-none.txt").touch()
        for tool in THERE:
            self.tool(tool, "")
        self.tool("cargo", "")
        self.tool("rustc", "echo rustc 99.0.0")
        self.tool(
            "python3",
            f'[ "$2" != venv ] || {{ mkdir -p "$3/bin" && ln -s {self.bin}/pip "$3/bin/python"\n'
            f"{f'ln -s {self.bin}/uv $3/bin/uv' if uv else ':'}; }}\n"
            f"case $1 in */interpreters.py) [ -e {tests} ] ;; esac",
        )
        self.tool("pip", f'echo "pip $*" >>{self.installers}; case $* in *uv==*) {":" if uv else "exit 1"} ;; esac')
        self.tool("uv", f'echo "uv $*" >>{self.installers}; {uv}')
        self.tool("id", "echo 0")
        self.tool("apt-cache", f"printf 'golang-go:\\n  Installed: (none)\\n  Candidate: {offered}\\n'")
        self.tool(
            "apt-get",
            f'echo "$*" >>{self.installed}\n'
            f"case $* in *golang-go*) ln -s go-offered {self.bin}/go ;; *-testsuite*) : >{tests} ;; esac",
        )
        self.go("go-offered", f"go{offered.partition(':')[2].partition('~')[0]}")
        if have:
            self.go("go", have)

    def tool(self, name: str, script: str) -> None:
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def go(self, name: str, version: str) -> None:
        self.tool(name, f'echo "GOBIN=$GOBIN $*" >>{self.go_calls}; echo {version}')

    def set_up(self) -> "subprocess.CompletedProcess[str]":
        """PATH has only the tools of this object, and not a Go of the real machine."""
        for tool in USED:
            where = shutil.which(tool)
            assert where, tool
            if not (self.bin / tool).exists():
                (self.bin / tool).symlink_to(where)
        return subprocess.run(
            [self.tree / "tools" / "setup.sh"],
            env={**os.environ, "PATH": str(self.bin)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
