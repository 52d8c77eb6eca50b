"""The library as `make install` puts it, which the programs in the docs are built against."""

import building
import pytest
from servers import ROOT


@pytest.fixture(scope="session")
def installed() -> None:
    wanted = "make it with `tools/install.sh --from target/debug --prefix build/prefix`"
    header = building.PREFIX / "include" / "lambda_executor.h"
    assert header.exists(), f"build/prefix is not there: {wanted}"
    current = (ROOT / "include" / "lambda_executor.h").read_bytes()
    assert header.read_bytes() == current, f"build/prefix is older than the header: {wanted}"
