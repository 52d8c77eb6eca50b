"""benches/airflow_executors.py runs, and counts correctly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from local_aws import ROOT

EXECUTORS = ("LambdaExecutor", "AwsLambdaExecutor")

pytestmark = [pytest.mark.airflow(3, 1), pytest.mark.needs_amazon]


def run(folder: Path, *arguments: str) -> tuple[dict[str, dict[str, Any]], str]:
    """The figures of each executor, and the table."""
    answer = folder / "figures.json"
    command = [sys.executable, str(ROOT / "benches" / "airflow_executors.py"), *arguments, "--json", str(answer)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    figures: list[dict[str, Any]] = json.loads(answer.read_text())
    assert tuple(figure["executor"] for figure in figures) == EXECUTORS
    return {figure["executor"]: figure for figure in figures}, done.stdout


def test_both_executors_run_all_tasks(tmp_path: Path) -> None:
    figures, table = run(tmp_path, "--tasks", "20")
    for figure in figures.values():
        assert (figure["done"], figure["failed"], figure["cut"]) == (20, 0, False)
        assert figure["requests"]["Invoke"] == 20
        assert 0 < figure["longest_ms"] <= figure["total_s"] * 1000 <= figure["wall_s"] * 1000
        assert figure["cpu_s"] > 0
    # Airflow's executor sends them one after the other in one heartbeat, 20 ms each.
    assert figures["AwsLambdaExecutor"]["longest_ms"] > 20 * 20
    assert figures["AwsLambdaExecutor"]["requests"]["DeleteMessage"] == 20
    assert "CUT OFF" not in table


def test_a_run_that_takes_too_long_is_cut_off(tmp_path: Path) -> None:
    """100 sequential Invokes take 2 s: the time limit is exceeded within the first heartbeat."""
    figures, table = run(tmp_path, "--tasks", "100", "--limit-s", "1")
    assert (figures["LambdaExecutor"]["done"], figures["LambdaExecutor"]["cut"]) == (100, False)
    figure = figures["AwsLambdaExecutor"]
    assert (figure["done"], figure["cut"], figure["longest_finished"]) == (0, True, False)
    assert figure["longest_ms"] > 900
    assert "CUT OFF" in table
