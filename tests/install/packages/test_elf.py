"""The shared library and the programs need x86_64 and glibc 2.26, and show what they should."""

import re
from pathlib import Path

import pytest
from artefacts import PROGRAMS, SHARED, declared_functions, output, readelf

NEWEST_GLIBC = (2, 26)
# All of glibc itself.
LIBRARIES = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2"}

each = pytest.mark.parametrize("file", [SHARED, *PROGRAMS], ids=lambda file: file.name)


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


@each
def test_needs_no_newer_glibc(file: Path) -> None:
    symbols = re.findall(r" (\w+)@GLIBC_([0-9.]+)", readelf("--dyn-syms", file))
    versions = re.findall(r"Name: GLIBC_([0-9.]+)", readelf("--version-info", file))
    assert symbols
    assert versions
    assert [f"{name} ({needed})" for name, needed in symbols if version(needed) > NEWEST_GLIBC] == []
    assert [needed for needed in versions if version(needed) > NEWEST_GLIBC] == []


@each
def test_needs_no_function_that_the_linker_did_not_find(file: Path) -> None:
    """A shared library is linked also where one is missing, and cannot be loaded then."""
    undefined = re.findall(r" (GLOBAL|WEAK) +DEFAULT +UND (\S+)", readelf("--dyn-syms", file))
    assert undefined
    assert [name for binding, name in undefined if binding == "GLOBAL" and "@" not in name] == []


@each
def test_needs_no_library_but_glibc(file: Path) -> None:
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", readelf("--dynamic", file)))
    assert "libc.so.6" in needed
    assert needed - LIBRARIES == set()


@each
def test_is_for_x86_64_and_stripped(file: Path) -> None:
    header = readelf("--file-header", file)
    assert re.search(r"Class: +ELF64\n", header)
    assert re.search(r"Machine: +Advanced Micro Devices X86-64\n", header)
    sections = re.findall(r"\[ *\d+\] (\S+)", readelf("--sections", file))
    assert ".text" in sections
    assert [name for name in sections if name == ".symtab" or name.startswith((".debug", ".zdebug"))] == []


@each
def test_is_hardened_and_knows_no_folder_of_this_machine(file: Path) -> None:
    dynamic = readelf("--dynamic", file)
    assert "RPATH" not in dynamic
    assert "RUNPATH" not in dynamic
    assert "BIND_NOW" in dynamic
    segments = readelf("--segments", file)
    assert "GNU_RELRO" in segments
    assert re.search(r"GNU_STACK .* RW ", segments), "the stack is not executable"


def test_soname_and_nodelete() -> None:
    dynamic = readelf("--dynamic", SHARED)
    assert "[liblambda_executor.so.0]" in dynamic
    assert "NODELETE" in dynamic


def test_exports_are_the_functions_of_the_header() -> None:
    symbols = output("nm", "--dynamic", "--defined-only", "--format=posix", SHARED)
    assert {line.split()[0] for line in symbols.splitlines()} == declared_functions()
