"""One installation of what is shipped."""

import pytest
from artefacts import PORTABLE
from prefix import Prefix, install


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    """In place of that of the debug build."""
    prefix = tmp_path_factory.mktemp("shipped") / "prefix"
    install(PORTABLE, prefix)
    return Prefix(prefix)
