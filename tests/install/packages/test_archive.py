"""The static library: one object, compatible with other libraries in the same program."""

from pathlib import Path

import pytest
from artefacts import ARCHIVE, PORTABLE_PYTHON, output
from elf import readelf
from header import EXPORTED
from prefix import HELLO, MINIMAL, VERSION, Prefix

OTHER_LIBRARY = """
#[unsafe(no_mangle)]
pub extern "C" fn other() -> i32 {
    std::panic::catch_unwind(|| std::env::args().map(|text| text.len()).sum::<usize>()).map_or(1, |_| 0)
}
"""
CALLS_BOTH = """
#include <lambda_executor.h>
#include <stdio.h>
int other(void);
int main(void) { printf("%s %d\\n", lambda_executor_version_string(), other()); return 0; }
"""


def test_exports_only_the_functions_of_the_header() -> None:
    members = output("ar", "t", ARCHIVE).split()
    assert members == ["lambda_executor.o"]
    symbols = output("nm", "--extern-only", "--defined-only", "--format=posix", ARCHIVE)
    assert {line.split()[0] for line in symbols.splitlines() if " T " in line} == EXPORTED
    assert [line for line in symbols.splitlines() if " " in line and " T " not in line] == []


def test_has_neither_debug_lines_nor_bitcode() -> None:
    sections = readelf("--sections", ARCHIVE)
    assert " .text" in sections
    for name in (" .debug", " .llvm"):
        assert name not in sections
    assert "COMDAT" not in readelf("--section-groups", ARCHIVE), "the linker would discard groups of equal names"


def test_the_flags_of_pkg_config_are_sufficient(shipped: Prefix, tmp_path: Path) -> None:
    shipped.sh(f"cc {MINIMAL} $(pkg-config --cflags --libs lambda_executor-static) -o hello", tmp_path)
    path = f"/usr/bin:/bin:{shipped.folder}/bin"
    assert shipped.sh("./hello", tmp_path, PATH=path) == HELLO
    # With --gc-sections the linker removes unused code.
    flags = "$(pkg-config --cflags --libs lambda_executor-static) -Wl,--gc-sections"
    shipped.sh(f"cc {MINIMAL} {flags} -o small", tmp_path)
    assert shipped.sh("./small", tmp_path, PATH=path) == HELLO
    # If only the static library is installed, --static is sufficient.
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / ARCHIVE.name).symlink_to(ARCHIVE)
    flags = f"$(pkg-config --define-variable=libdir={tmp_path}/lib --static --cflags --libs lambda_executor)"
    shipped.sh(f"cc {MINIMAL} {flags} -o alone", tmp_path)
    assert shipped.sh("./alone", tmp_path, PATH=path) == HELLO


def test_beside_another_library_in_rust(shipped: Prefix, tmp_path: Path) -> None:
    (tmp_path / "other.rs").write_text(OTHER_LIBRARY)
    (tmp_path / "both.c").write_text(CALLS_BOTH)
    output("rustc", "--edition=2024", "--crate-type=staticlib", "-O", "other.rs", cwd=tmp_path)
    for order in ("libother.a $flags", "$flags libother.a"):
        shipped.sh(f"flags=$(pkg-config --cflags --libs lambda_executor-static); cc both.c {order} -o both", tmp_path)
        assert shipped.sh("./both", tmp_path) == f"{VERSION} 0\n"


@pytest.mark.parametrize("glibc", ["2.26", "2.28", "2.36"])
def test_links_against_older_and_newer_glibc(shipped: Prefix, tmp_path: Path, glibc: str) -> None:
    """zig's linker with its stubs of that glibc: a missing function is an error."""
    flags = shipped.sh("pkg-config --cflags --libs lambda_executor-static", tmp_path).split()
    target = f"x86_64-linux-gnu.{glibc}"
    output(PORTABLE_PYTHON, "-m", "ziglang", "cc", "-target", target, MINIMAL, *flags, "-o", tmp_path / "hello")
    path = f"/usr/bin:/bin:{shipped.folder}/bin"
    assert shipped.sh("./hello", tmp_path, PATH=path) == HELLO
