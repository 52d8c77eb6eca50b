"""An installation for all tests that build against one, a moved copy of it, and one of the shipped files."""

import pytest
from artefacts import PORTABLE
from prefix import Prefix, copy_of, debug_build, install


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    return debug_build(tmp_path_factory.mktemp("installed") / "prefix")


@pytest.fixture(scope="session")
def moved(installed: Prefix, tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    """The same files in a folder that none of them names. Its path has a space."""
    return copy_of(installed, tmp_path_factory.mktemp("moved") / "a prefix")


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    """Only for the tests in packages/: `make portable` takes minutes."""
    prefix = tmp_path_factory.mktemp("shipped") / "prefix"
    install(PORTABLE, prefix)
    return Prefix(prefix)
