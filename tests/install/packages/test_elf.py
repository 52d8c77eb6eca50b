"""The shared library and the programs need only x86_64 and glibc 2.26, and have the expected symbols."""

import re
from pathlib import Path

import elf
import pytest
from artefacts import PROGRAMS, SHARED, output
from elf import readelf
from header import EXPORTED

each = pytest.mark.parametrize("file", [SHARED, *PROGRAMS], ids=lambda file: file.name)


@each
def test_needs_no_newer_glibc(file: Path) -> None:
    elf.needs_no_newer_glibc(file)


@each
def test_no_function_is_undefined(file: Path) -> None:
    """The linker accepts a shared library with a missing function, but it cannot be loaded."""
    undefined = re.findall(r" (GLOBAL|WEAK) +DEFAULT +UND (\S+)", readelf("--dyn-syms", file))
    assert undefined
    assert [name for binding, name in undefined if binding == "GLOBAL" and "@" not in name] == []


@each
def test_needs_no_library_but_glibc(file: Path) -> None:
    elf.needs_no_library_but_glibc(file)


@each
def test_is_for_x86_64_and_stripped(file: Path) -> None:
    elf.is_for_x86_64_and_stripped(file)


@each
def test_is_hardened_and_contains_no_folder_of_this_machine(file: Path) -> None:
    elf.knows_no_folder_of_this_machine(file)
    assert "BIND_NOW" in readelf("--dynamic", file)
    segments = readelf("--segments", file)
    assert "GNU_RELRO" in segments
    assert re.search(r"GNU_STACK .* RW ", segments), "the stack is not executable"


def test_the_library_has_at_most_8_mb() -> None:
    assert SHARED.stat().st_size <= 8_000_000


def test_soname_and_nodelete() -> None:
    dynamic = readelf("--dynamic", SHARED)
    assert "[liblambda_executor.so.1]" in dynamic
    assert "NODELETE" in dynamic


def test_exports_are_the_functions_of_the_header() -> None:
    symbols = output("nm", "--dynamic", "--defined-only", "--format=posix", SHARED)
    assert {line.split()[0] for line in symbols.splitlines()} == EXPORTED
