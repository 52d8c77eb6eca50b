"""Airflow's Amazon provider and the library read the same connections: keys, token, region, profile, role, and so on.

The results are equal, except for the differences that docs/connections.md lists.
"""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import servers
from airflow_connections.cases import CASES, Case

PYTHON = servers.VENVS / "airflow/bin/python"
READER = Path(__file__).with_name("airflow_reader.py")
OURS = servers.PROGRAMS / "examples/aws_connection"
PAGE = servers.ROOT / "docs/connections.md"
IDS = [case.name for case in CASES]

Answer = dict[str, Any]


def answers(command: list[str | Path], lines: str, folder: Path) -> list[Any]:
    # As a library, so that the import of Airflow starts nothing.
    environment = {
        **{"PATH": os.environ["PATH"], "HOME": str(folder)},
        **{"AIRFLOW_HOME": str(folder), "_AIRFLOW__AS_LIBRARY": "1"},
    }
    result = subprocess.run(
        command, input=lines, capture_output=True, text=True, env=environment, cwd=folder, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith(("{", '"ready"'))]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Answer, Answer]]:
    """Results of the provider and of the library for each case: one process each, for all cases."""
    folder = tmp_path_factory.mktemp("connections")
    cases = [{"environment": case.variables, "conn_id": case.conn_id, "team": case.team} for case in CASES]
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    ready, *theirs = answers([PYTHON, READER], lines, folder)
    assert ready == "ready"
    ours = answers([OURS], lines, folder)
    assert len(theirs) == len(ours) == len(CASES)
    return dict(zip(IDS, zip(theirs, ours, strict=True), strict=True))


def outcome(answer: Answer) -> object:
    """The hook treats an empty text like no text for these."""
    if "error" in answer or "errors" in answer:
        return "error"
    return {name: value or None for name, value in answer.items()}


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_both_read_the_same(case: Case, read: dict[str, tuple[Answer, Answer]]) -> None:
    theirs, ours = read[case.name]
    if case.differs:
        assert outcome(theirs) != outcome(ours), "the difference is gone: remove it from the list"
    else:
        assert outcome(theirs) == outcome(ours), f"\nAirflow: {theirs}\nours: {ours}"


def test_no_error_contains_a_secret(read: dict[str, tuple[Answer, Answer]]) -> None:
    all_errors = "\n".join(line for _, ours in read.values() for line in ours.get("errors", []))
    assert all_errors.count("AIRFLOW_CONN_AWS_DEFAULT: ") == len(all_errors.splitlines()) > 0
    assert not re.search("AKID|secret/|123456", all_errors)


def test_names_of_cases_are_unique() -> None:
    assert len(set(IDS)) == len(IDS)


def test_the_page_lists_exactly_these_differences() -> None:
    section = PAGE.read_text().split("## Where it differs from Airflow\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)
    assert sorted(rows) == sorted({case.differs for case in CASES if case.differs})
