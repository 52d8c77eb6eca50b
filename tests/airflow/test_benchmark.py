"""benches/airflow_executors.py runs and counts what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from local_aws import ROOT


@pytest.mark.airflow(3, 1)
@pytest.mark.needs_amazon
def test_both_executors_side_by_side(tmp_path: Path) -> None:
    """400 Invokes one after the other take 8 s: Airflow's executor is cut off within its first heartbeat."""
    answer = tmp_path / "figures.json"
    arguments = ["--tasks", "20", "400", "--limit-s", "6", "--json", str(answer)]
    program = ROOT / "benches" / "airflow_executors.py"
    done = subprocess.run([sys.executable, str(program), *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    figures: dict[tuple[str, int], dict[str, Any]] = {
        (figure["executor"], figure["tasks"]): figure for figure in json.loads(answer.read_text())
    }
    for name in ("LambdaExecutor", "AwsLambdaExecutor"):
        few = figures[name, 20]
        assert (few["done"], few["failed"], few["cut"]) == (20, 0, False)
        assert few["requests"]["Invoke"] == 20
        assert 0 < few["longest_ms"] <= few["total_s"] * 1000 <= few["wall_s"] * 1000
        assert few["cpu_s"] > 0
    assert figures["AwsLambdaExecutor", 20]["longest_ms"] > 20 * 20
    assert (figures["LambdaExecutor", 400]["done"], figures["LambdaExecutor", 400]["cut"]) == (400, False)
    many = figures["AwsLambdaExecutor", 400]
    assert (many["done"], many["cut"], many["in_heartbeat"]) == (0, True, True)
    assert many["longest_ms"] > 5000
    assert "CUT OFF" in done.stdout
