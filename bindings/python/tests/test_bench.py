"""A short run of the benchmark: it works, and the cost of a task in Python is within a limit."""

from __future__ import annotations

import json
import subprocess
import sys

from processes import LIBRARY, ROOT, SECONDS, environment

TASKS = 5_000
#: Limit of the cost relative to C on the same machine. It is 3 to 10; a quadratic loop, or one that polls, costs more.
MOST_TIMES = 15


def test_the_benchmark() -> None:
    bench = ROOT / "bindings" / "python" / "benches" / "pool.py"
    process = subprocess.run(
        [sys.executable, bench, "--tasks", str(TASKS), "--library", LIBRARY, "--json"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=2 * SECONDS,
    )
    assert process.returncode == 0, process.stderr
    figures = json.loads(process.stdout)
    assert figures["tasks"] == TASKS
    assert 0 < figures["python_us"] < MOST_TIMES * figures["c_us"]
