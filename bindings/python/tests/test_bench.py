"""A short run of the benchmark: that it works, and that a task costs no more in Python than it may."""

from __future__ import annotations

import json
import subprocess
import sys

from processes import LIBRARY, ROOT, SECONDS, environment

TASKS = 5_000
#: Several times what it takes, for a machine that is slow or busy; a loop that is quadratic, or polls, is far above.
MAX_US = 1_000


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
    assert 0 < figures["c_us"] < MAX_US
    assert 0 < figures["python_us"] < MAX_US
