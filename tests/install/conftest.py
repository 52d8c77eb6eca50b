"""One installation for all tests that build against one, a copy of it that was moved, and one of what is shipped."""

import pytest
from artefacts import PORTABLE
from prefix import Prefix, copy_of, debug_build, install


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    return debug_build(tmp_path_factory.mktemp("installed") / "prefix")


@pytest.fixture(scope="session")
def moved(installed: Prefix, tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    """The same files elsewhere, where none of them was told to be. Its path has a space."""
    return copy_of(installed, tmp_path_factory.mktemp("moved") / "a prefix")


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    """For the tests in packages/ alone: `make portable` takes minutes."""
    prefix = tmp_path_factory.mktemp("shipped") / "prefix"
    install(PORTABLE, prefix)
    return Prefix(prefix)
