"""Requirements of shipped binaries: x86_64 and glibc 2.26, no other library."""

import re
import subprocess
from pathlib import Path

NEWEST_GLIBC = (2, 26)
# All of these are parts of glibc.
LIBRARIES = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2"}


def readelf(*arguments: str | Path) -> str:
    return subprocess.run(["readelf", "--wide", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def needs_no_newer_glibc(file: Path) -> None:
    symbols = re.findall(r" (\w+)@GLIBC_([0-9.]+)", readelf("--dyn-syms", file))
    versions = re.findall(r"Name: GLIBC_([0-9.]+)", readelf("--version-info", file))
    assert symbols, "no symbol of glibc: is this the shipped file?"
    assert versions
    too_new = sorted(f"{name} ({version})" for name, version in symbols if _is_newer(version))
    assert not too_new, f"needs a glibc newer than 2.26 for {', '.join(too_new)}"
    assert [version for version in versions if _is_newer(version)] == []


def _is_newer(version: str) -> bool:
    return tuple(int(part) for part in version.split(".")) > NEWEST_GLIBC


def needs_no_library_but_glibc(file: Path) -> None:
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", readelf("--dynamic", file)))
    assert "libc.so.6" in needed
    assert needed - LIBRARIES == set()


def is_for_x86_64_and_stripped(file: Path) -> None:
    header = readelf("--file-header", file)
    assert re.search(r"Class: +ELF64\n", header)
    assert re.search(r"Machine: +Advanced Micro Devices X86-64\n", header)
    sections = re.findall(r"\[ *\d+\] (\S+)", readelf("--sections", file))
    assert ".text" in sections
    assert [name for name in sections if name == ".symtab" or name.startswith((".debug", ".zdebug"))] == []


def knows_no_folder_of_this_machine(file: Path) -> None:
    dynamic = readelf("--dynamic", file)
    assert "RPATH" not in dynamic
    assert "RUNPATH" not in dynamic
