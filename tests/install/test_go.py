"""A program in Go, in an empty folder, by way of pkg-config."""

from pathlib import Path

from go_module import TOLD, go_environment, write_module
from prefix import Prefix


def test_go_build(installed: Prefix, tmp_path: Path) -> None:
    write_module(tmp_path)
    installed.sh("go build", tmp_path, **go_environment())
    assert installed.sh("./hello", tmp_path, LD_LIBRARY_PATH=str(installed.libdir)) == TOLD
