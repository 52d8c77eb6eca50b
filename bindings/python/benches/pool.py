"""Measures the cost of a task in Python: N tasks through LambdaPool with the built-in handler, and the same loop in C.

    python benches/pool.py [--tasks N] [--library FILE] [--json]

The CPU time is that of the threads that run Python or C. It does not include the threads of the library and of the
local Lambda in the same process. Both sides run one after the other, with the same library and the same options.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[3]
# Limits the number of waiting tasks, so that memory does not grow.
CONFIG = json.dumps({"local": {"handler": "builtin"}, "max_queued_tasks": 20_000, "keep_finished": 1_000})


class Cost(NamedTuple):
    """Times of all tasks together."""

    wall_s: float
    cpu_s: float


def in_python(tasks: int) -> Cost:
    """Submits all tasks, and drops each future when it is done."""
    from lambda_executor import LambdaPool

    cpu_of_loop = 0.0
    failures: list[BaseException] = []
    # Atomic, because a callback runs in the pool's thread, or in this thread if the future is already done.
    number = itertools.count(1)
    all_done = threading.Event()

    def done(future: Any) -> None:  # noqa: ANN401 - a future
        nonlocal cpu_of_loop
        error = future.exception()
        if error is not None:
            failures.append(error)
        if threading.current_thread() is not threading.main_thread():
            cpu_of_loop = time.thread_time()
        if next(number) == tasks:
            all_done.set()

    with LambdaPool(CONFIG) as pool:
        pool.executor.check_health(60)
        wall, cpu = time.monotonic(), time.thread_time()
        for _ in range(tasks):
            pool.submit(["true"]).add_done_callback(done)
        all_done.wait()
        cost = Cost(time.monotonic() - wall, time.thread_time() - cpu + cpu_of_loop)
    if failures:
        raise failures[0]
    return cost


def in_c(tasks: int, library: Path) -> Cost:
    """The same measurement with c_side.c."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "c_side"
        source = Path(__file__).with_name("c_side.c")
        # By its file name: the folder may not have the name that the linker looks for.
        subprocess.run(
            ["cc", "-O2", "-std=c99", f"-I{ROOT / 'include'}", "-o", program, source, library],
            check=True,
        )
        # The program loads the library by its SONAME.
        (Path(folder) / "liblambda_executor.so.1").symlink_to(library.resolve())
        environment = {**os.environ, "LD_LIBRARY_PATH": folder, "LAMBDA_EXECUTOR_LIBRARY": str(library)}
        printed = subprocess.run(
            [program, str(tasks), CONFIG], env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
    wall, cpu = map(float, printed.stdout.split())
    return Cost(wall, cpu)


def main() -> int:
    parser = argparse.ArgumentParser(description="What a task costs in Python, beside C.")
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--library", type=Path, default=Path(os.environ.get("LAMBDA_EXECUTOR_LIBRARY", "")))
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    os.environ["LAMBDA_EXECUTOR_LIBRARY"] = str(options.library)

    c, python = in_c(options.tasks, options.library), in_python(options.tasks)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "tasks": options.tasks,
        "c_us": c.cpu_s / options.tasks * 1e6,
        "python_us": python.cpu_s / options.tasks * 1e6,
        "c_tasks_per_s": options.tasks / c.wall_s,
        "python_tasks_per_s": options.tasks / python.wall_s,
        "peak_mb": peak_mb,
    }
    if options.json:
        print(json.dumps(figures))
        return 0
    print(f"{options.tasks:,} tasks on the built-in handler, one run each")
    print(f"{'':10} {'CPU a task':>12} {'tasks/s':>10}")
    for name in ("c", "python"):
        print(f"{name:10} {figures[f'{name}_us']:9.1f} µs {figures[f'{name}_tasks_per_s']:10,.0f}")
    print(f"peak memory of the Python process, the local Lambda included: {peak_mb:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
