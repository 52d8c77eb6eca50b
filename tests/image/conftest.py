"""The base images, and a folder for images that is removed after the tests."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import images
import pytest

# Images are copied repeatedly, which is five times faster in memory if there is enough.
MEMORY = Path("/dev/shm")
ENOUGH = 12 * 2**30


def place() -> Path | None:
    """The folder for images; None: the folder of temporary files."""
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return MEMORY if MEMORY.is_dir() and min(available, shutil.disk_usage(MEMORY).free) > ENOUGH else None


@pytest.fixture(scope="session")
def workplace() -> Iterator[Path]:
    """Accessible to every user, since functions have their own user."""
    assert os.geteuid() == 0, "building images without an engine needs root: for chroot, and for files of several users"
    folder = Path(tempfile.mkdtemp(prefix="lambda-executor-image.", dir=place()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def store(workplace: Path) -> images.Store:
    """A store with two bases: `plain`, without CA certificates, and `python`."""
    store = images.Store(workplace / "store")
    store.add_base("plain", images.base_tar("plain", []), certificates=False)
    python = images.base_tar("python", ["python3", "python3-pip", "ca-certificates"])
    store.add_base("python", python, certificates=True)
    return store
