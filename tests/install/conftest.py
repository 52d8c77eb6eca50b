"""One installation for all tests that build against one, and a copy of it that was moved."""

import shutil
from pathlib import Path

import pytest
from prefix import Prefix, debug_build


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    return debug_build(tmp_path_factory.mktemp("installed") / "prefix")


@pytest.fixture(scope="session")
def moved(installed: Prefix, tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    """The same files elsewhere, where none of them was told to be. Its path has a space."""
    copy = tmp_path_factory.mktemp("moved") / "a prefix"
    shutil.copytree(installed.folder, copy, symlinks=True, copy_function=_link)
    return Prefix(copy)


def _link(source: str, destination: str) -> None:
    """Half a gigabyte need not be copied."""
    Path(destination).hardlink_to(source)
