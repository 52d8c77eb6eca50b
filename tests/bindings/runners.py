"""Builds and starts the runner of each language."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import servers
from go_flags import go_flags

# The prefix with the library for the tests.
PREFIX = Path(os.environ.get("LAMBDA_EXECUTOR_PREFIX", servers.ROOT / "build" / "prefix"))
OUT = servers.ROOT / "build" / "tests" / "bindings"


def environment() -> dict[str, str]:
    """Environment in which compilers and programs find the installed library."""
    return {
        **servers.clean_environment(),
        "PKG_CONFIG_PATH": str(PREFIX / "lib" / "pkgconfig"),
        "LD_LIBRARY_PATH": str(PREFIX / "lib"),
    }


def run(*command: str | Path, cwd: Path = servers.ROOT, **variables: str) -> str:
    """Output of a command. Fails with its standard error."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**environment(), **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{done.stderr}{done.stdout}"
    return done.stdout


def compiled(compiler: str, source: str, *options: str) -> list[str]:
    """Builds against the installed library like a user."""
    program = OUT / f"{Path(source).stem}-{compiler}"
    library = run("pkg-config", "--cflags", "--libs", "lambda_executor").split()
    run(compiler, *options, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", source, "-o", program, *library)
    return [str(program)]


def c() -> list[str]:
    return compiled("cc", "tests/bindings/scenario_runner.c", "-std=c99")


def cpp() -> list[str]:
    return compiled("c++", "bindings/cpp/scenario_runner.cpp", "-std=c++17")


def python() -> list[str]:
    program = servers.ROOT / "bindings" / "python" / "tests" / "scenario_runner.py"
    assert program.exists(), f"{program} is not there"
    return [
        "/usr/bin/env",
        f"PYTHONPATH={servers.ROOT / 'bindings' / 'python' / 'src'}",
        f"LAMBDA_EXECUTOR_LIBRARY={PREFIX / 'lib' / 'liblambda_executor.so'}",
        sys.executable,
        str(program),
    ]


def go() -> list[str]:
    program = OUT / "scenario_runner-go"
    binding = servers.ROOT / "bindings" / "go"
    run("go", "build", "-o", program, "./internal/scenario_runner", cwd=binding, **go_flags(PREFIX))
    return [str(program)]


LANGUAGES: dict[str, Callable[[], list[str]]] = {"c": c, "cpp": cpp, "python": python, "go": go}
