"""The wheel in a fresh environment, without Rust, this repository or other packages."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from artefacts import PORTABLE, WHEELS, folders_in, output
from prefix import PATH, VERSION
from servers import VENVS

PROGRAM = """
import lambda_executor
with lambda_executor.Executor({"local": {}}) as executor:
    executor.queue("greeting", ["echo", "hello"])
    for event in executor.events():
        print(event.key, event.state.name.lower(), event.output_tail.strip())
        if event.state.final:
            break
print(lambda_executor.library_version())
"""
PRINTED = f"greeting running \ngreeting succeeded hello\n{VERSION}\n"
BINARIES = {
    "liblambda_executor.so.1": "liblambda_executor.so",
    "lambda-executor-local": "lambda-executor-local",
    "lambda-executor-function": "lambda-executor-function",
}


@pytest.fixture(scope="module")
def wheel() -> Path:
    wheels = list(WHEELS.glob("lambda_executor-*.whl"))
    assert len(wheels) == 1, f"one wheel in {WHEELS}: make wheel"
    return wheels[0]


def test_auditwheel_agrees_with_its_name(wheel: Path) -> None:
    named = re.fullmatch(rf"lambda_executor-{VERSION}-py3-none-manylinux_2_(\d+)_x86_64\.whl", wheel.name)
    assert named
    shown = " ".join(output(VENVS / "bindings" / "bin" / "auditwheel", "show", wheel).split())
    found = re.search(r'consistent with the following platform tag: "manylinux_2_(\d+)_x86_64"', shown)
    assert found, shown
    assert int(found[1]) <= int(named[1]) <= 26


def code(file: Path, dump: Path) -> bytes:
    """Content of an ELF file. The headers may have been rewritten."""
    output("objcopy", "--output-target=binary", "--only-section=.text", file, dump)
    return dump.read_bytes()


def test_has_the_built_files(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        for name, built in BINARIES.items():
            member = file.getinfo(f"lambda_executor/_binaries/{name}")
            extracted = Path(file.extract(member, tmp_path))
            assert len(code(extracted, tmp_path / "dump")) > 100_000
            assert code(extracted, tmp_path / "dump") == code(PORTABLE / built, tmp_path / "dump"), name
            assert name.startswith("lib") or member.external_attr >> 16 & 0o111, f"{name} can be executed"


def test_has_no_folder_of_this_machine(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        assert {f"lambda_executor/_binaries/{name}" for name in BINARIES} <= set(names)
        assert {name: found for name in names if (found := folders_in(file.read(name)))} == {}


def test_in_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    output(sys.executable, "-m", "venv", tmp_path / "venv")
    output(tmp_path / "venv/bin/pip", "install", "--no-index", "--disable-pip-version-check", wheel)

    def run(*command: str) -> str:
        environment = {"PATH": PATH, "HOME": str(tmp_path)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run("venv/bin/python", "-c", PROGRAM) == PRINTED
    assert run("venv/bin/lambda-executor-local", "--version") == f"lambda-executor-local {VERSION}\n"
    # Only Python and the wheel; pip is part of the environment.
    installed = run("venv/bin/python", "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check")
    names = {line.split("==")[0].replace("_", "-") for line in installed.splitlines()}
    assert names - {"pip", "setuptools"} == {"lambda-executor"}
