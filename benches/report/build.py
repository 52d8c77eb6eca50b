"""What has to be built before a run. Each step says what it does; a contender whose step fails is left out."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from hashlib import sha256
from pathlib import Path

from .contender import BUILD, HERE, ROOT

#: Packages of the contenders in Python, and matplotlib.
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
LIBRARY, SERVER = "liblambda_executor.so", "lambda-executor-local"


def library_and_server() -> tuple[Path, Path]:
    """The library as shipped, for this machine, but with the names of functions, which the flame graph shows. The
    server for speed, where the shipped one is small: all contenders share it."""
    _step("the library as shipped, and the local server (many minutes the first time)")
    environment = {**os.environ, "CARGO_PROFILE_DIST_STRIP": "none"}
    cargo = ["cargo", "rustc", "--quiet", "--locked", "--profile"]
    library = ["dist", "-p", "lambda-executor", "--lib", "--crate-type", "cdylib"]
    server = ["release", "-p", "lambda-executor-local", "--bin", SERVER]
    for words in (library, server):
        subprocess.run([*cargo, *words], cwd=ROOT, env=environment, check=True)
    BUILD.mkdir(parents=True, exist_ok=True)
    return _copied(_target() / "dist" / LIBRARY), _copied(_target() / "release" / SERVER)


def _target() -> Path:
    return Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")


def _copied(built: Path) -> Path:
    """Into the folder of the benchmark: a later build does not change what runs."""
    copy = BUILD / built.name
    part = copy.with_suffix(".part")
    part.write_bytes(built.read_bytes())
    part.chmod(0o755)
    return part.replace(copy)


def links(library: Path) -> None:
    """Names under which programs find the library."""
    folder = BUILD / "lib"
    folder.mkdir(parents=True, exist_ok=True)
    for name in (LIBRARY, f"{LIBRARY}.1"):
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(library.resolve())
    (folder / "lambda_executor.pc").write_text(
        f"Name: lambda_executor\nDescription: for the benchmark\nVersion: 0\n"
        f"Cflags: -I{ROOT / 'include'}\nLibs: -L{folder} -llambda_executor\n"
    )


def c() -> None:
    _step("the contender in C")
    source, program = HERE / "c" / "executor.c", BUILD / "c-executor"
    command: list[str | Path] = [
        "cc",
        "-O2",
        "-std=c99",
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-I{ROOT / 'include'}",
        "-o",
        program,
        source,
    ]
    subprocess.run([*command, f"-L{BUILD / 'lib'}", "-llambda_executor"], check=True)


def go() -> None:
    _step("the contender in Go")
    # Go's build cache ignores the output of pkg-config and the header: this makes both part of its key.
    flags = (BUILD / "lib" / "lambda_executor.pc").read_bytes() + (ROOT / "include" / "lambda_executor.h").read_bytes()
    environment = {
        **os.environ,
        "PKG_CONFIG_PATH": str(BUILD / "lib"),
        "CGO_CPPFLAGS": f"-DLAMBDA_EXECUTOR_BUILD=0x{sha256(flags).hexdigest()[:16]}",
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
    }
    command = ["go", "build", "-o", str(BUILD / "go-executor"), "."]
    subprocess.run(command, cwd=HERE / "go", env=environment, check=True)


def rust() -> None:
    _step("the bare loops in Rust, optimised (minutes the first time)")
    command = ["cargo", "build", "--quiet", "--locked", "--release", "--target-dir", str(_target())]
    subprocess.run(command, cwd=HERE / "rust", check=True)
    _copied(_target() / "release" / "bare-loops")


def python_packages() -> None:
    folder = BUILD / "venv"
    stamp = folder / ".requirements"
    if stamp.exists() and stamp.read_text() == REQUIREMENTS.read_text():
        return
    _step("the Python environment of boto3, Lithops and matplotlib")
    venv.create(folder, clear=True, with_pip=True)
    pip: list[str | Path] = [
        folder / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    subprocess.run([*pip, "-r", REQUIREMENTS], check=True)
    stamp.write_text(REQUIREMENTS.read_text())


def contenders(quick: bool) -> dict[str, str]:
    """Builds all, the quick form only what takes seconds. Returns why steps failed, by their name."""
    steps = (c, go) if quick else (c, go, rust, python_packages)
    failed = {}
    for step in steps:
        try:
            step()
        except (subprocess.CalledProcessError, OSError) as why:
            failed[step.__name__] = str(why)
            print(f"bench: not built: {why}", file=sys.stderr, flush=True)
    return failed


def _step(what: str) -> None:
    print(f"bench: building {what}", flush=True)
