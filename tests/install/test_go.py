"""A program in Go, built in an empty folder with pkg-config."""

import re
import shutil
from pathlib import Path

from go_module import PRINTED, go_environment, write_module
from prefix import Prefix, copy_of


def libraries(prefix: Prefix, folder: Path) -> set[str]:
    """Builds, and returns our files that the linker used. Libraries of all prefixes have the same name."""
    prefix.sh("go build -ldflags=-extldflags=-Wl,-Map=link.map", folder, **go_environment(prefix))
    return set(re.findall(r"^LOAD (.*/liblambda_executor.*)", (folder / "link.map").read_text(), re.MULTILINE))


def test_go_build(installed: Prefix, tmp_path: Path) -> None:
    write_module(tmp_path)
    assert libraries(installed, tmp_path) == {f"{installed.libdir}/liblambda_executor.so"}
    assert installed.sh("./hello", tmp_path, LD_LIBRARY_PATH=str(installed.libdir)) == PRINTED


def test_another_installation_is_rebuilt(installed: Prefix, tmp_path: Path) -> None:
    other = copy_of(installed, tmp_path / "other")
    for file in (other.libdir / "pkgconfig").iterdir():
        text = file.read_text().replace(str(installed.folder), str(other.folder))
        file.unlink()  # unlinked first: it is a hard link to the other prefix's file
        file.write_text(text)
    for prefix in (installed, other, installed):
        folder = tmp_path / "program"
        folder.mkdir()
        write_module(folder)
        assert libraries(prefix, folder) == {f"{prefix.libdir}/liblambda_executor.so"}
        shutil.rmtree(folder)
