"""make bench-scale: a million queued tasks, a hundred thousand running at once, results at 5,000 a second.

python -m report.scale [--library FILE --server FILE] [--tasks N...]

The library runs in C, with a limit on its address space. Each task runs for 20 s, and 5,000 are submitted a second, so
that 100,000 run at once. The same is done with fewer tasks: what a task costs must not grow with their number.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import build, machine, page, run, server
from .contender import BUILD, ROOT, Contender, contenders
from .job import Answer, Job
from .markdown import number, replace, table

#: Tasks submitted a second, and how long each runs.
RATE, RUNS_FOR_S = 5_000, 20
TASKS = (1_000, 10_000, 100_000, 1_000_000)
#: Of the host: address space, which is more than the memory that it uses.
LIMIT_MB = 2_048
#: Beyond the time that the rate asks for.
SLACK = 2.0
#: A cost is flat if the most expensive number of tasks costs so many times the cheapest, at most.
FLAT = 1.5


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-scale", description=__doc__)
    parser.add_argument("--library", type=Path, help="default: built as shipped, but not stripped")
    parser.add_argument("--server", type=Path)
    parser.add_argument("--tasks", type=int, nargs="+", default=list(TASKS))
    parser.add_argument("--limit-mb", type=int, default=LIMIT_MB, help="address space of the host")
    parser.add_argument("--json", type=Path, default=BUILD / "scale.json")
    given = parser.parse_args()
    library, program = (given.library, given.server) if given.library else build.library_and_server()
    build.links(library.resolve())
    build.c()
    c = next(one for one in contenders(library.resolve()) if one.name == "c")
    results: dict[str, Any] = {
        "machine": machine.describe(library.resolve()),
        "scale": {"limit_mb": given.limit_mb, "rate": RATE, "runs_for_s": RUNS_FOR_S, "runs": []},
    }
    builtin = ("--builtin", json.dumps({"duration_ms": RUNS_FOR_S * 1000}))
    with server.running(program.resolve(), *builtin) as at:
        try:
            for tasks in sorted(given.tasks):
                results["scale"]["runs"].append(measured(at, c, tasks, given.limit_mb))
                run.write(given.json, results)
        except (KeyboardInterrupt, run.RunError) as why:
            print(f"\nbench-scale: {why or 'interrupted'}: the report has what ran until now", flush=True)
    runs = results["scale"]["runs"]
    if runs and given.json == BUILD / "scale.json":
        page.PAGE.write_text(replace(page.PAGE.read_text(), "scale", "bench-scale", text(results["scale"])))
        python = BUILD / "venv" / "bin" / "python"
        chart = [
            python if python.exists() else sys.executable,
            "-m",
            "report.charts",
            given.json,
            ROOT / "docs" / "charts",
        ]
        subprocess.run(chart, cwd=ROOT / "benches")
    bad = [one for one in runs if one["failed"] or one["cut"]]
    return int(bool(bad) or len(runs) < len(given.tasks))


def measured(at: server.Server, c: Contender, tasks: int, limit_mb: int) -> dict[str, Any]:
    """One number of tasks."""
    seconds = tasks / RATE + RUNS_FOR_S
    print(f"bench-scale: {tasks:,} tasks, about {seconds:.0f} s", flush=True)
    job = Job(latency_ms=0, tasks=tasks, rate=0.0, limit_s=SLACK * seconds + 60)
    limits = {"max_invokes_per_second": RATE, "max_running_tasks": 0, "max_unacked_results": 100_000}
    with at.where(False) as where, tempfile.TemporaryDirectory(prefix="bench-scale-") as folder:
        samples_to = Path(folder) / "samples"
        calls = at.calls()
        line = job.line(where, {"config": limits})
        answer = limited([*c.arguments(line), str(samples_to)], c.environment, job, limit_mb)
        samples = [[float(word) for word in words.split()] for words in samples_to.read_text().splitlines()]
        made = sum(at.calls().values()) - sum(calls.values())
    result = {**asdict(answer), "tasks": tasks, "samples": samples} | figures(answer, samples, made)
    print(
        f"bench-scale: {answer.done:,} done in {answer.seconds:.1f} s, {result['most_running']:,.0f} at once, "
        f"{result['cpu_us']:.0f} µs CPU a task, {answer.peak_mb:.0f} MB",
        flush=True,
    )
    return result


def limited(command: list[str], environment: dict[str, str], job: Job, limit_mb: int) -> Answer:
    """Runs a contender that may have so much address space. (`ulimit -v`; the limit is the child's own.)"""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit_mb << 20, limit_mb << 20))

    timeout_s = job.limit_s + run.GRACE_S
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=timeout_s, preexec_fn=limit
        )
    except subprocess.TimeoutExpired:
        raise run.RunError(f"{job.tasks:,} tasks: no answer after {timeout_s:.0f} s") from None
    if done.returncode != 0:
        raise run.RunError(f"{job.tasks:,} tasks: exit status {done.returncode}: {done.stderr.strip()}")
    return Answer.read(done.stdout)


def figures(answer: Answer, samples: list[list[float]], calls: int) -> dict[str, Any]:
    """What the table shows. The rate of results is that of the seconds in which most tasks ran."""
    done = max(answer.done, 1)
    most_running = max(sample[2] for sample in samples)
    busy = [sample for sample in samples if sample[2] >= 0.9 * most_running and sample[3] > 0]
    rate = (busy[-1][3] - busy[0][3]) / (busy[-1][0] - busy[0][0]) if len(busy) > 1 else None
    return {
        "most_queued": max(sample[1] for sample in samples),
        "most_running": most_running,
        "results_a_second": rate,
        "cpu_us": answer.cpu_s / done * 1e6,
        "queue_us": (answer.queue_s or 0.0) / done * 1e6,
        "milli_calls": calls / done * 1e3,
    }


def text(scale: dict[str, Any]) -> str:
    """For the page."""
    rows = []
    for one in scale["runs"]:
        rate, event = one["results_a_second"], one["event_ms"]
        rows.append([
            f"{one['tasks']:,}" + (" (cut)" if one["cut"] else ""),
            f"{one['most_queued']:,.0f}",
            f"{one['most_running']:,.0f}",
            number(rate) if rate else "-",
            number(one["cpu_us"]),
            number(one["queue_us"]),
            number(one["milli_calls"] / 1000),
            number(one["peak_mb"]),
            f"{number(event[0])}, {number(event[1])}" if event else "-",
        ])  # fmt: skip
    heads = [
        "tasks",
        "queued, most",
        "running at once, most",
        "results a second, meanwhile",
        "host CPU a task, µs",
        "`queue`, µs a call",
        "AWS calls a task",
        "peak memory, MB",
        "result in SQS to event, p50 and p99, ms",
    ]
    about = (
        f"From C, one host process with at most {scale['limit_mb']:,} MB of address space. {scale['rate']:,} tasks are "
        f"submitted a second, each runs for {scale['runs_for_s']} s.\n\n![Scale](charts/scale.svg)\n"
    )
    return "\n".join([about, table(heads, rows), *flatness(scale["runs"])])


def flatness(runs: list[dict[str, Any]]) -> list[str]:
    """Whether a task's cost grows with the number of tasks."""
    shared = (
        f"polls and threads cost the same in each of the {RUNS_FOR_S} s that even the smallest run lasts, however few "
        "tasks share them"
    )
    lines = []
    for name, title, why_less in (
        ("cpu_us", "Host CPU a task", shared),
        ("queue_us", "A call of `queue`", "the first calls of a process cost more than later ones"),
        ("milli_calls", "AWS calls a task", shared),
    ):
        costs = {one["tasks"]: one[name] / (1_000 if name == "milli_calls" else 1) for one in runs}
        least, most = min(costs, key=lambda tasks: costs[tasks]), max(costs, key=lambda tasks: costs[tasks])
        largest = max(costs)
        if costs[most] <= FLAT * costs[least]:
            verdict = f"flat: between {number(costs[least])} and {number(costs[most])}"
        elif most < least:
            verdict = f"falls with their number, by a factor of {costs[most] / costs[least]:.1f}: {why_less}"
        elif costs[largest] <= FLAT * costs[least]:
            in_between = f"{number(costs[most])}, for {most:,}"
            verdict = f"does not grow: {number(costs[largest])} for {largest:,} tasks; at most {in_between}"
        else:
            verdict = f"**grows** with their number, by a factor of {costs[most] / costs[least]:.1f}"
        unit = " µs" if verdict.startswith("flat") and name != "milli_calls" else ""
        lines.append(f"- {title}: {verdict}{unit}.")
    return lines


if __name__ == "__main__":
    sys.exit(main())
