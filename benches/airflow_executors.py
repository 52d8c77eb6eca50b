#!/usr/bin/env python3
"""Airflow's AwsLambdaExecutor and lambda_executor.airflow.LambdaExecutor, side by side, against one local AWS.

    build/venvs/airflow/bin/python benches/airflow_executors.py [--tasks 100 1000 10000] [--full] [--library FILE]

Every measurement is a process of its own, which plays Airflow's scheduler (airflow_rounds.py). AWS is one
lambda-executor-local, with its built-in handler and 20 ms added to each call. A run of AwsLambdaExecutor that takes
longer than --limit-s is cut off, and the table says so; --full lets every run end. Traffic goes to 127.0.0.1 alone.

Exits with 1 if a task does not succeed in a run that was not cut off.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PATHS = [ROOT / "tests" / "airflow", ROOT / "bindings" / "python" / "src"]
sys.path[:0] = [str(path) for path in PATHS]

import local_aws  # noqa: E402

LATENCY_MS = 20
# Of LambdaExecutor: what has not ended by then never does.
PATIENCE_S = 600.0
OURS, AIRFLOWS = "LambdaExecutor", "AwsLambdaExecutor"
CLASSES = {
    OURS: "lambda_executor.airflow.LambdaExecutor",
    AIRFLOWS: "airflow.providers.amazon.aws.executors.aws_lambda.AwsLambdaExecutor",
}
# Requests to the server that the executors do not send.
OWN = frozenset({"GetQueueAttributes", "PurgeQueue"})
HEADS = (
    ("tasks", 7),
    ("executor", 19),
    ("done", 9),
    ("heartbeats", 12),
    ("longest", 13),
    ("of it GC", 11),
    ("total", 12),
    ("tasks/s", 9),
    ("CPU", 10),
    ("CPU/task", 10),
    ("AWS calls/task", 16),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, nargs="+", default=[100, 1_000, 10_000], metavar="N")
    parser.add_argument("--limit-s", type=float, default=120.0, help="AwsLambdaExecutor is cut off after so long; 120")
    parser.add_argument("--full", action="store_true", help="let every run end, however long it takes")
    parser.add_argument("--library", type=Path, default=local_aws.LIBRARY, help="the shared library of LambdaExecutor")
    parser.add_argument("--server", type=Path, default=local_aws.PROGRAM, help="the program lambda-executor-local")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    given = parser.parse_args()
    limit_s = 0.0 if given.full else given.limit_s
    local_aws.PROGRAM = given.server
    options = ["--handler", "builtin", "--faults", json.dumps({"latency_ms": LATENCY_MS})]
    figures: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="airflow-executors-") as name:
        folder = Path(name)
        (folder / "server").mkdir()
        with local_aws.running(folder / "server", *options) as aws:
            print_heads(given, limit_s)
            for tasks in sorted(given.tasks):
                for executor in CLASSES:
                    if figures and figures[-1]["cut"]:
                        empty(aws)
                    bound = limit_s if executor == AIRFLOWS else PATIENCE_S
                    figures.append(run(folder, aws, executor, tasks, bound, given.library))
                    print_row(figures[-1])
    print_calls(figures)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n")
    bad = [figure for figure in figures if not is_good(figure)]
    for figure in bad:
        print(
            f"{figure['executor']}: of {figure['tasks']} tasks, {figure['done']} succeeded, {figure['failed']} failed"
        )
    return int(bool(bad))


def run(
    folder: Path, aws: local_aws.LocalAws, executor: str, tasks: int, limit_s: float, library: Path
) -> dict[str, Any]:
    """One measurement, in a process of its own."""
    home = folder / f"{executor}-{tasks}-{len(list(folder.iterdir()))}"
    home.mkdir()
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("AIRFLOW", "AWS_"))}
    environment |= aws.options() | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API_AUTH__JWT_SECRET": "not-a-secret" * 4,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        # What the process of a scheduler is marked with.
        "_AIRFLOW_PROCESS_CONTEXT": "server",
        "AWS_EC2_METADATA_DISABLED": "true",
        "LAMBDA_EXECUTOR_LIBRARY": str(library.resolve()),
        "PYTHONPATH": os.pathsep.join(map(str, PATHS)),
    }
    task = {"class": CLASSES[executor], "tasks": tasks, "limit_s": limit_s, "aws": vars(aws)}
    given, answer, log = home / "given.json", home / "answer.json", home / "scheduler.log"
    given.write_text(json.dumps(task))
    program = Path(__file__).with_name("airflow_rounds.py")
    with log.open("w") as output:
        done = subprocess.run(
            [sys.executable, str(program), str(given), str(answer)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if done.returncode != 0 or not answer.exists():
        raise SystemExit(f"{executor}, {tasks} tasks: exit status {done.returncode}\n{log.read_text()[-4000:]}")
    figure: dict[str, Any] = json.loads(answer.read_text())
    calls = {name: count for name, count in figure["requests"].items() if count and name not in OWN}
    return {**figure, "executor": executor, "tasks": tasks, "requests": calls}


def is_good(figure: dict[str, Any]) -> bool:
    complete = figure["done"] == figure["tasks"] or (figure["cut"] and figure["executor"] == AIRFLOWS)
    return complete and not figure["failed"]


def empty(aws: local_aws.LocalAws) -> None:
    """After a run that was cut off: its results must not reach the next one."""
    for queue_url in (aws.queue_url, aws.dead_letter_queue_url):
        aws.sqs("PurgeQueue", QueueUrl=queue_url)


def print_heads(given: argparse.Namespace, limit_s: float) -> None:
    bound = f"{AIRFLOWS} is cut off after {limit_s:g} s" if limit_s else "every run ends"
    print(f"Airflow {version('apache-airflow')}, Amazon provider {version('apache-airflow-providers-amazon')}")
    print(f"{os.cpu_count()} processors; {LATENCY_MS} ms added to each AWS call; built-in handler; {bound}")
    print(f"library {shown(given.library)}, server {shown(given.server)}")
    print("".join(head.rjust(width) for head, width in HEADS))


def shown(path: Path) -> str:
    path = path.absolute()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def print_row(figure: dict[str, Any]) -> None:
    done = figure["done"]
    calls = sum(figure["requests"].values())
    cells = (
        f"{figure['tasks']:,}",
        figure["executor"],
        f"{done:,}",
        f"{figure['heartbeats']:,}",
        f"{'' if figure['longest_finished'] else '>'}{figure['longest_ms']:,.1f} ms",
        f"{figure['longest_gc_ms']:,.1f} ms",
        f"{'' if figure['finished'] else '>'}{figure['total_s']:.3f} s",
        f"{done / figure['wall_s']:,.1f}",
        f"{figure['cpu_s']:.2f} s",
        f"{figure['cpu_s'] / done * 1000:.2f} ms" if done else "-",
        f"{calls / done:.2f}" if done else "-",
    )
    row = "".join(cell.rjust(width) for cell, (_, width) in zip(cells, HEADS, strict=True))
    print(row + (f"  CUT OFF after {figure['wall_s']:.0f} s" if figure["cut"] else ""), flush=True)


def print_calls(figures: list[dict[str, Any]]) -> None:
    print("\nAWS calls of each run, as the server counts them (/_local/stats):")
    for figure in figures:
        calls = ", ".join(f"{name} {count:,}" for name, count in sorted(figure["requests"].items()))
        print(f"{figure['tasks']:,}".rjust(7) + figure["executor"].rjust(19) + f"  {calls}")
    print(f"""
longest, total: time blocked in heartbeat(); `>` where the run was cut off inside of a heartbeat.
of it GC: what Python's garbage collector took of the longest one; it looks at all of Airflow's process.
tasks/s: from the first queue_workload() to the last final event. parallelism is {figures[0]["parallelism"]:,}.
CPU: of the scheduler's process, with all its threads, in that time.
AWS calls: until the results queue is empty.
After a round without work the loop sleeps {figures[0]["idle_s"]:g} s, Airflow's scheduler_idle_sleep_time.""")


if __name__ == "__main__":
    sys.exit(main())
