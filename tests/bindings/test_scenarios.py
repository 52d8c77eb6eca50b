"""The same scenarios through every binding, with the same outcome."""

import difflib
import subprocess
from pathlib import Path

import pytest
import runners
from conftest import SCENARIOS, Outcomes, Runners

NAMES = sorted(path.stem for path in SCENARIOS.glob("*.tsv"))


def test_each_scenario_has_its_outcome() -> None:
    assert NAMES
    assert sorted(path.stem for path in SCENARIOS.glob("*.expected")) == NAMES


@pytest.mark.parametrize("language", runners.LANGUAGES)
@pytest.mark.parametrize("scenario", NAMES)
def test_the_outcome_is_the_same(language: str, scenario: str, outcomes: Outcomes) -> None:
    outcome = outcomes[language, scenario].result()
    assert outcome.exit_status == 0, outcome.stderr
    expected = (SCENARIOS / f"{scenario}.expected").read_bytes()
    if outcome.printed != expected:
        wanted, found = (text.decode(errors="backslashreplace").split("\n") for text in (expected, outcome.printed))
        lines = difflib.unified_diff(wanted, found, "expected", language, "", "", 0, "")
        pytest.fail("\n".join([*lines, outcome.stderr]), pytrace=False)
    assert not outcome.missing


@pytest.mark.parametrize("language", runners.LANGUAGES)
@pytest.mark.parametrize("step", ["finnish", "cancel", "after\tdinner"])
def test_an_unknown_step_is_refused(language: str, step: str, made: Runners, tmp_path: Path) -> None:
    """Otherwise a scenario with a misspelt step would pass in every language that ignores it."""
    scenario = tmp_path / "misspelt.tsv"
    scenario.write_text(f"{step}\n")
    environment = {**runners.environment(), "LAMBDA_EXECUTOR_CONFIG": '{"local": {"handler": "builtin"}}'}
    done = subprocess.run(
        [*made[language].result(), str(scenario)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert step.split("\t")[-1] in done.stderr
