"""The bases that images are built on, and a folder for them that is gone after the tests."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import images
import pytest

# Images are copied again and again: five times faster in memory, where there is enough of it.
MEMORY = Path("/dev/shm")
ENOUGH = 12 * 2**30


def place() -> Path | None:
    """Where the images are made; None: where temporary files are."""
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return MEMORY if MEMORY.is_dir() and min(available, shutil.disk_usage(MEMORY).free) > ENOUGH else None


@pytest.fixture(scope="session")
def workplace() -> Iterator[Path]:
    """Open to every user, as a function's own user works in it."""
    assert os.geteuid() == 0, "building images without an engine takes root: chroot, and files of several users"
    folder = Path(tempfile.mkdtemp(prefix="lambda-executor-image.", dir=place()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def store(workplace: Path) -> images.Store:
    """With two bases: `plain`, which has not even certificates, and `python`."""
    store = images.Store(workplace / "store")
    store.add_base("plain", images.base_tar("plain", []), certificates=False)
    python = images.base_tar("python", ["python3", "python3-pip", "ca-certificates"])
    store.add_base("python", python, certificates=True)
    return store
