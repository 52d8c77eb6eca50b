"""The wheel: built by one command, installed by pip alone, used from an empty folder without Rust."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import processes
import pytest

TOOL = processes.ROOT / "tools" / "build_wheel.sh"
USE = """
from lambda_executor import Executor, _library

assert _library.path().startswith({venv!r}), _library.path()
with Executor({{"local": {{}}}}) as executor:
    executor.queue("one", ["echo", "hello from the wheel"])
    for event in executor.events(60):
        if event.state.final:
            print(event.state, event.output_tail, end="")
            break
"""


def build(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    # The tests' environment has the build's tools.
    environment = {**os.environ, "BINDINGS_VENV": sys.prefix}
    return subprocess.run(
        [TOOL, "--from", processes.PROGRAMS, "--to", folder, *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    (made,) = folder.iterdir()
    assert done.stdout.startswith(f"{made}: ")
    return made


@pytest.fixture(scope="module")
def environments() -> dict[str, Path]:
    """Virtual environments by their Python, created on first use."""
    return {}


@pytest.fixture
def installed(
    wheel: Path,
    python: str,
    environments: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    bare: dict[str, str],
) -> Path:
    """A fresh virtual environment with the wheel and nothing else."""
    if python not in environments:
        venv = tmp_path_factory.mktemp("environment") / "venv"
        subprocess.run([python, "-m", "venv", venv], check=True, env=bare, timeout=processes.SECONDS)
        pip = [
            str(venv / "bin" / "python"),
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "--quiet",
            "--no-index",
        ]
        subprocess.run([*pip, wheel], check=True, env=bare, timeout=processes.SECONDS)
        environments[python] = venv
    return environments[python]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables without those of this project, and a PATH without cargo and rustc."""
    folder = tmp_path_factory.mktemp("bin")
    for name in ("sh", "echo"):
        tool = shutil.which(name)
        assert tool
        (folder / name).symlink_to(tool)
    return {"PATH": str(folder), "HOME": str(folder)}


def test_its_name_says_what_it_is_for(wheel: Path) -> None:
    assert wheel.name == "lambda_executor-0.2.0-py3-none-linux_x86_64.whl"
    with zipfile.ZipFile(wheel) as contents:
        names = contents.namelist()
        assert {name for name in names if "/_binaries/" in name} == {
            "lambda_executor/_binaries/liblambda_executor.so.1",
            "lambda_executor/_binaries/lambda-executor-local",
            "lambda_executor/_binaries/lambda-executor-function",
        }
        assert "lambda_executor/py.typed" in names
        licenses = "lambda_executor-0.2.0.dist-info/licenses/"
        assert licenses + "LICENSE" in names
        # Licences of the packages whose code is in the library.
        assert "\n  tokio " in contents.read(licenses + "LICENSE-THIRD-PARTY").decode()
        assert b"License-File: LICENSE-THIRD-PARTY\n" in contents.read("lambda_executor-0.2.0.dist-info/METADATA")
        assert not any("tests" in name for name in names)
        sources = {f"lambda_executor/{file.name}" for file in (processes.SOURCES / "lambda_executor").glob("*.py")}
        assert sources <= set(names)


def test_a_debug_build_is_not_called_portable(tmp_path: Path) -> None:
    """It needs this machine's glibc, which is newer than 2.26 on every machine that runs current Rust."""
    done = build(tmp_path, "--portable")
    assert done.returncode == 1
    assert "auditwheel does not agree with manylinux_2_26" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_stripped_is_taken_as_it_is(wheel: Path, tmp_path: Path) -> None:
    stripped = tmp_path / "stripped"
    with zipfile.ZipFile(wheel) as contents:
        for name in contents.namelist():
            if "/_binaries/" in name:
                file = stripped / name.rsplit("/")[-1].replace(".so.1", ".so")
                stripped.mkdir(exist_ok=True)
                # strip would remove data after the sections.
                file.write_bytes(contents.read(name) + b"as it is")
    done = build(tmp_path / "again", "--from", str(stripped))
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next((tmp_path / "again").iterdir())) as contents:
        for file in stripped.iterdir():
            name = file.name.replace(".so", ".so.1")
            assert contents.read(f"lambda_executor/_binaries/{name}") == file.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "/no/such/folder"], "/no/such/folder/liblambda_executor.so is missing"),
        (["--from"], "--from needs a folder"),
        (["--form", "x"], "--form: unknown; usage: tools/build_wheel.sh"),
    ],
)
def test_what_the_tool_refuses(arguments: list[str], says: str) -> None:
    environment = {**os.environ, "BINDINGS_VENV": sys.prefix}
    done = subprocess.run([TOOL, *arguments], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert done.stderr.startswith(f"build_wheel: {says}")


def test_it_works_from_an_empty_folder(installed: Path, tmp_path: Path, bare: dict[str, str]) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    program = tmp_path / "use.py"
    program.write_text(USE.format(venv=str(installed)))
    done = subprocess.run(
        [installed / "bin" / "python", program],
        cwd=folder,
        env=bare,
        capture_output=True,
        text=True,
        timeout=processes.SECONDS,
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "succeeded hello from the wheel\n")


def test_it_brings_the_local_server(installed: Path, tmp_path: Path, bare: dict[str, str]) -> None:
    process = subprocess.Popen(
        [installed / "bin" / "lambda-executor-local", "--handler", "builtin"],
        cwd=tmp_path,
        env=bare,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    # If it prints nothing, the loop below ends with it.
    late = threading.Timer(processes.SECONDS, process.kill)
    late.start()
    try:
        assert process.stdout
        assert any("LAMBDA_EXECUTOR_CONFIG" in line for line in process.stdout)
    finally:
        late.cancel()
        process.terminate()
        process.wait(processes.SECONDS)
        assert process.stdout
        process.stdout.close()


def test_without_its_binaries_the_package_says_where_they_may_come_from(tmp_path: Path) -> None:
    """A wheel without a platform uses an installed library."""
    program = "import sys; from lambda_executor import _library; sys.argv = ['x']; _library.local()"
    done = subprocess.run(
        [sys.executable, "-c", program], env=processes.environment(), cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("lambda-executor-local: this installation")
