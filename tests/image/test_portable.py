"""What is shipped runs wherever we say it does: on x86_64 with glibc 2.26, and nothing else to install."""

import re
import subprocess
from pathlib import Path

import pytest
from servers import ROOT

NEWEST_GLIBC = (2, 26)
# All of glibc itself.
LIBRARIES = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2"}
ARTEFACTS = ["function/lambda-executor-function"]


@pytest.fixture(params=ARTEFACTS)
def artefact(request: pytest.FixtureRequest) -> Path:
    path: Path = ROOT / "build" / request.param
    return path


def readelf(*arguments: str | Path) -> str:
    return subprocess.run(["readelf", "--wide", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def test_needs_no_newer_glibc(artefact: Path) -> None:
    symbols = re.findall(r" (\w+)@GLIBC_([0-9.]+)", readelf("--dyn-syms", artefact))
    versions = re.findall(r"Name: GLIBC_([0-9.]+)", readelf("--version-info", artefact))
    assert symbols, "no symbol of glibc: is this the program?"
    assert versions

    def newer(version: str) -> bool:
        return tuple(int(part) for part in version.split(".")) > NEWEST_GLIBC

    too_new = sorted(f"{name} ({version})" for name, version in symbols if newer(version))
    assert not too_new, f"needs a glibc newer than 2.26 for {', '.join(too_new)}"
    assert {version for version in versions if newer(version)} == set()


def test_needs_no_library_but_glibc(artefact: Path) -> None:
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", readelf("--dynamic", artefact)))
    assert "libc.so.6" in needed
    assert needed - LIBRARIES == set()


def test_is_for_x86_64_and_stripped(artefact: Path) -> None:
    header = readelf("--file-header", artefact)
    assert re.search(r"Class: +ELF64\n", header)
    assert re.search(r"Machine: +Advanced Micro Devices X86-64\n", header)
    sections = re.findall(r"\[ *\d+\] (\S+)", readelf("--sections", artefact))
    assert ".text" in sections
    assert [name for name in sections if name == ".symtab" or name.startswith((".debug", ".zdebug"))] == []


def test_knows_no_folder_of_this_machine(artefact: Path) -> None:
    dynamic = readelf("--dynamic", artefact)
    assert "RPATH" not in dynamic
    assert "RUNPATH" not in dynamic
