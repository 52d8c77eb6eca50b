"""CPython's own tests of concurrent.futures pass with LambdaPool, but for the deviations in cpython_deviations.py."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import cloudpickle
import interpreters
import pytest
from cpython_deviations import FAILING, NOT_RUN
from cpython_suite import MODULES
from processes import SOURCES, TESTS, environment

SECONDS = 120


@pytest.fixture(scope="module")
def interpreter() -> str:
    found = interpreters.with_tests()
    if found is None:
        pytest.fail(f"no interpreter of this machine has {interpreters.TESTS}: tools/setup.sh installs it")
    return found


@pytest.fixture
def packages(tmp_path: Path) -> str:
    """The import path of the interpreter. cloudpickle is the one of this environment, in pure Python."""
    (tmp_path / "cloudpickle").symlink_to(Path(cloudpickle.__file__).parent)
    return f"{SOURCES}:{TESTS}:{tmp_path}"


@pytest.mark.parametrize("mixin", MODULES)
def test_cpythons_own_tests_pass_but_for_the_documented_deviations(mixin: str, interpreter: str, packages: str) -> None:
    process = subprocess.run(
        [interpreter, TESTS / "cpython_suite.py", mixin],
        env=environment() | {"PYTHONPATH": packages},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert process.returncode == 0, process.stderr
    outcomes: dict[str, str] = json.loads(process.stdout.splitlines()[-1])
    assert len(outcomes) >= 5
    assert not [name for name, outcome in outcomes.items() if outcome.startswith("skipped")]
    # Older versions have fewer tests.
    failing = {name.partition(".")[2]: why for name, why in FAILING.items() if name.startswith(f"{mixin}.")}
    for name, outcome in outcomes.items():
        if name in failing:
            said, why = failing[name]
            assert said in outcome, f"{name} is to fail, because {why}:\n{outcome}"
        else:
            assert outcome == "passed", f"{name}:\n{outcome}"


def test_the_page_names_the_table_of_deviations() -> None:
    page = (TESTS.parents[2] / "docs" / "python.md").read_text()
    assert "bindings/python/tests/cpython_deviations.py" in page
    assert {name.partition(".")[0] for name in [*FAILING, *NOT_RUN]} <= set(MODULES)
