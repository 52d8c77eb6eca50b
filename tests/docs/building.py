"""Builds and runs a program like a reader of its page: from one file, against the installed library."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from go_flags import go_flags
from recipes import Program
from servers import PROGRAMS, ROOT, VENVS, clean_environment

PREFIX = ROOT / "build" / "prefix"
GO_BINDING = ROOT / "bindings" / "go"
ERRCHECK = ROOT / "build" / "go" / "bin" / "errcheck"
# Long, because compilers on a busy machine are slow. What comes in time costs nothing.
BUILD_SECONDS = 300
RUN_SECONDS = 60

# For scripts that start a server: it ends with the script, also when a command fails.
END_SERVER = "trap 'kill ${!:-} 2>/dev/null || true' EXIT"

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def environment() -> dict[str, str]:
    """Environment with the installed library, and without settings that would configure it."""
    return {
        **clean_environment(),
        "PKG_CONFIG_PATH": str(PREFIX / "lib" / "pkgconfig"),
        "CMAKE_PREFIX_PATH": str(PREFIX),
        "LD_LIBRARY_PATH": str(PREFIX / "lib"),
        "PYTHONPATH": str(ROOT / "bindings" / "python" / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_EXECUTOR_LIBRARY": str(PROGRAMS / "liblambda_executor.so"),
        # No downloads, and no files in the home folder.
        "GOCACHE": str(ROOT / "build" / "go-cache"),
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod",
    }


def build(program: Program, folder: Path) -> list[str]:
    """Builds in `folder`. Returns the command that runs the program."""
    builders: dict[str, Callable[[str, Path], list[str]]] = {
        "c": build_c,
        "cpp": build_cpp,
        "go": build_go,
        "python": build_python,
    }
    return builders[program.language](program.source, folder)


def build_c(source: str, folder: Path) -> list[str]:
    (folder / "program.c").write_text(source)
    call(["cc", "-std=c99", *WARNINGS, "program.c", *pkg_config(), "-o", "program"], folder, BUILD_SECONDS)
    return [str(folder / "program")]


def build_cpp(source: str, folder: Path) -> list[str]:
    (folder / "program.cpp").write_text(source)
    call(["c++", "-std=c++17", *WARNINGS, "program.cpp", *pkg_config(), "-o", "program"], folder, BUILD_SECONDS)
    return [str(folder / "program")]


def build_python(source: str, folder: Path) -> list[str]:
    (folder / "program.py").write_text(source)
    return [str(VENVS / "bindings" / "bin" / "python"), str(folder / "program.py")]


def build_go(source: str, folder: Path) -> list[str]:
    (folder / "program.go").write_text(source)
    binding = (GO_BINDING / "go.mod").read_text()
    module = re.search(r"^module (\S+)", binding, re.MULTILINE)
    version = re.search(r"^go (\S+)", binding, re.MULTILINE)
    assert module, "bindings/go/go.mod has no module line"
    assert version, "bindings/go/go.mod has no go line"
    (folder / "go.mod").write_text(
        f"module program\n\ngo {version[1]}\n\nrequire {module[1]} v0.0.0\n\nreplace {module[1]} => {GO_BINDING}\n"
    )
    flags = go_flags(PREFIX)
    call(["go", "vet", "."], folder, BUILD_SECONDS, **flags)
    call([str(ERRCHECK), "."], folder, BUILD_SECONDS, **flags)
    call(["go", "build", "-o", "program", "."], folder, BUILD_SECONDS, **flags)
    return [str(folder / "program")]


def pkg_config() -> list[str]:
    return call(["pkg-config", "--cflags", "--libs", "lambda_executor"], ROOT, BUILD_SECONDS).split()


def run(command: Sequence[str], folder: Path, **variables: str) -> str:
    """Output of a program, which must end by itself with status 0."""
    (folder / "tmp").mkdir(exist_ok=True)
    working = folder / "work"
    working.mkdir(exist_ok=True)
    return call(command, working, RUN_SECONDS, TMPDIR=str(folder / "tmp"), **variables)


def call(command: Sequence[str], folder: Path, seconds: float, **variables: str) -> str:
    assert shutil.which(command[0]) is not None, f"{command[0]} is not there"
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**environment(), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, complaints = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        printed, complaints = process.communicate()
        raise AssertionError(f"{command}: not within {seconds} s; printed:\n{printed}{complaints}") from None
    assert process.returncode == 0, f"{command}: ended with {process.returncode}; printed:\n{printed}{complaints}"
    return printed
