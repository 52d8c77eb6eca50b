"""Airflow's own parser and ours read the same configurations. The results are equal, except for the differences that
docs/configuration.md lists."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import servers
from airflow_config.cases import CASES, Case

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / "build/venvs/airflow/bin/python"
READER = Path(__file__).with_name("airflow_reader.py")
OURS = servers.PROGRAMS / "examples/effective_config"
PAGE = ROOT / "docs/configuration.md"
# The options that Airflow's executor reads, and `qualifier`, the name in its metadata, which only we read.
NAMES = (
    *("function_name", "function_qualifier", "queue_url", "dead_letter_queue_url", "region_name"),
    *("check_health_on_startup", "max_invoke_attempts", "end_wait_timeout", "conn_id"),
)
IDS = [case.name for case in CASES]


def prepared(case: Case, folder: Path) -> str:
    """Writes the files of a case. Returns the line for both readers."""
    (folder / "home/airflow").mkdir(parents=True)
    if case.cfg is not None:
        file = folder / case.file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(case.cfg if isinstance(case.cfg, bytes) else case.cfg.encode())
    environment = {
        name: value.replace("{dir}", str(folder)) if isinstance(value, str) else value
        for name, value in case.environment.items()
    }
    return json.dumps({"environment": environment, "json": case.json})


def answers(command: list[str | Path], lines: str, environment: dict[str, str], folder: Path) -> list[dict[str, Any]]:
    result = subprocess.run(
        command, input=lines, capture_output=True, text=True, env=environment, cwd=folder, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.rstrip("\n").split("\n")]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Results of Airflow and of the library for each case: one process each, for all cases."""
    root = tmp_path_factory.mktemp("airflow")
    lines = "".join(prepared(case, root / str(number)) + "\n" for number, case in enumerate(CASES))
    bare = {"PATH": os.environ["PATH"], "HOME": str(root)}
    # As a library, so that the import starts nothing.
    theirs = answers([PYTHON, READER], lines, {**bare, "AIRFLOW_HOME": str(root), "_AIRFLOW__AS_LIBRARY": "1"}, root)
    ours = answers([OURS], lines, bare, root)
    assert len(theirs) == len(ours) == len(CASES)
    return dict(zip(IDS, zip(theirs, ours, strict=True), strict=True))


def wrong_options(answer: dict[str, Any]) -> set[str]:
    """The options that errors concern; `file` means the whole airflow.cfg."""
    errors = answer.get("errors", {})
    if isinstance(errors, dict):
        return set(errors)
    return {option_of(line) for line in errors}


def option_of(line: str) -> str:
    variable = re.match(r"AIRFLOW__(?:[^=]*?___)?AWS_LAMBDA_EXECUTOR__([A-Z_]+)[=:]", line)
    in_file = re.match(r"\S+:\d+: \[[^]]+\] ([a-z_]+)[=:]", line)
    in_json = re.match(r"([a-z_]+): ", line)
    found = variable or in_file or in_json
    return found[1].lower() if found else "file"


def outcome(answer: dict[str, Any]) -> object:
    """The values to compare: the options, or the names of the invalid ones. With a broken file the rest is ignored."""
    wrong = wrong_options(answer)
    if "file" in wrong:
        return "file"
    return wrong or {name: answer["options"][name] for name in NAMES}


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_both_read_the_same(case: Case, read: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> None:
    theirs, ours = read[case.name]
    if case.differs:
        assert outcome(theirs) != outcome(ours), "the difference is gone: remove it from the list"
    else:
        assert outcome(theirs) == outcome(ours), f"\nAirflow: {theirs}\nours: {ours}"


def test_names_of_cases_are_unique() -> None:
    assert len(set(IDS)) == len(IDS)


def test_the_page_lists_exactly_these_differences() -> None:
    section = PAGE.read_text().split("## Where it differs from Airflow\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.MULTILINE)
    shown = {case.differs for case in CASES if case.differs}
    assert sorted(rows) == sorted(shown)
