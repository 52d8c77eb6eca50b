"""Which library is loaded, and the error if it is the wrong one or missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import processes
import pytest

import lambda_executor
from lambda_executor import _library


def failure(tmp_path: Path, library: str) -> str:
    """The error of the first use of the package with that library."""
    done = subprocess.run(
        [sys.executable, "-c", "import lambda_executor; lambda_executor.Executor({'local': {}})"],
        env={**processes.environment(), "LAMBDA_EXECUTOR_LIBRARY": library},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=processes.SECONDS,
    )
    assert done.returncode == 1
    return done.stderr.splitlines()[-1]


def compiled(tmp_path: Path, source: str) -> str:
    library = tmp_path / "other.so"
    file = tmp_path / "other.c"
    file.write_text(source)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(file)], check=True)
    return str(library)


def test_the_version_is_the_librarys() -> None:
    assert lambda_executor.library_version() == lambda_executor.__version__


def test_a_library_that_is_not_there(tmp_path: Path) -> None:
    said = failure(tmp_path, "/no/such/library.so")
    assert said.startswith("ImportError: the library of lambda_executor was not loaded: /no/such/library.so")
    assert "LAMBDA_EXECUTOR_LIBRARY" in said


def test_without_a_name_it_is_the_wheels_or_the_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(_library.VARIABLE)
    monkeypatch.setattr(_library, "BINARIES", tmp_path)
    assert _library.path() == "liblambda_executor.so.1"
    (tmp_path / _library.NAME).touch()
    assert _library.path() == str(tmp_path / "liblambda_executor.so.1")


def test_another_library(tmp_path: Path) -> None:
    assert "other.so is not the library of lambda_executor" in failure(tmp_path, compiled(tmp_path, ""))


def test_another_abi(tmp_path: Path) -> None:
    said = failure(tmp_path, compiled(tmp_path, "unsigned lambda_executor_abi_version(void) { return 9; }"))
    assert "other.so has ABI 9, this version of the package lambda_executor needs ABI 1" in said


def test_an_older_library_of_the_same_abi(tmp_path: Path) -> None:
    said = failure(tmp_path, compiled(tmp_path, "unsigned lambda_executor_abi_version(void) { return 1; }"))
    assert "other.so is older than this version of the package lambda_executor" in said


@pytest.mark.parametrize("name", lambda_executor.__all__)
def test_what_the_package_promises_is_there(name: str) -> None:
    assert hasattr(lambda_executor, name)
