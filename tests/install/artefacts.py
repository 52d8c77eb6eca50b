"""The shipped files, and the content of their ELF headers."""

import os
import subprocess
from pathlib import Path

from servers import ROOT, VENVS

PORTABLE = ROOT / "build" / "portable"
PACKAGES = ROOT / "build" / "packages"
WHEELS = ROOT / "build" / "wheels"
SHARED = PORTABLE / "liblambda_executor.so"
ARCHIVE = PORTABLE / "liblambda_executor.a"
PROGRAMS = [PORTABLE / "lambda-executor-local", PORTABLE / "lambda-executor-function"]
# Has zig, which can link against any glibc.
PORTABLE_PYTHON = VENVS / "portable" / "bin" / "python"


# Folders of this machine that compilers may have written into their output.
FOLDERS = [
    ROOT,
    Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")),
    Path(os.environ.get("RUSTUP_HOME", Path.home() / ".rustup")),
    Path.home() / ".cache",  # zig's
]


def folders_in(content: bytes) -> list[str]:
    """The folders of this machine that a shipped file names. There must be none."""
    # The slash: one may have a name that begins like another's.
    return [str(folder) for folder in FOLDERS if os.fsencode(folder) + b"/" in content]


def output(*command: str | Path, cwd: Path = ROOT) -> str:
    """Output of a command, which must succeed."""
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout
