"""One run of one contender; all runs by turns."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .contender import Contender
from .job import Answer, Job
from .plan import Group
from .server import CALLS, Server

#: A process that has not ended so long after its limit has failed.
GRACE_S = 60.0
Row = dict[str, Any]


class RunError(Exception):
    """A contender did not answer. The text is its own."""


def run_one(server: Server, contender: Contender, job: Job) -> Row:
    """In a process of its own."""
    server.set_latency(job.latency_ms)
    with server.where(contender.own_queue) as where:
        line = job.line(where, contender.more)
        calls, server_cpu = server.calls(), server.cpu_s()
        answer = _answer(contender, line, job.limit_s)
        after = server.calls()
        counted = {name: after[name] - calls[name] for name in CALLS}
        if answer.requests is not None:
            counted = {name: answer.requests.get(name, 0) for name in CALLS}
        return {
            "contender": contender.name,
            "latency_ms": job.latency_ms,
            "tasks": job.tasks,
            "rate": job.rate,
            **{name: value for name, value in asdict(answer).items() if name != "requests"},
            "calls": {name: count for name, count in counted.items() if count},
            "server_cpu_s": server.cpu_s() - server_cpu,
        }


def _answer(contender: Contender, line: dict[str, Any], limit_s: float) -> Answer:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "AIRFLOW"))}
    environment |= {"AWS_EC2_METADATA_DISABLED": "true", "PYTHONDONTWRITEBYTECODE": "1"} | contender.environment
    process = subprocess.Popen(
        contender.arguments(line),
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        output, errors = process.communicate(json.dumps(line) + "\n", timeout=limit_s + GRACE_S)
    except subprocess.TimeoutExpired:
        raise RunError(f"no answer {GRACE_S:g} s after the limit of {limit_s:g} s") from None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode != 0:
        said = [text for text in errors.strip().splitlines() if text.strip()]
        raise RunError(said[-1] if said else f"exit status {process.returncode}")
    try:
        return Answer.read(output)
    except (ValueError, TypeError, IndexError) as why:
        raise RunError(f"the answer cannot be read: {why}") from None


def usable(server: Server, contenders: Iterable[Contender]) -> tuple[list[Contender], dict[str, str]]:
    """Those that run one task, and why the others do not."""
    able, left_out = [], {}
    for contender in contenders:
        if contender.needs is not None and not contender.needs.exists():
            left_out[contender.name] = "not built or not installed: see the start of the run"
        else:
            try:
                row = run_one(server, contender, Job(latency_ms=0, tasks=1, rate=0.0, limit_s=30.0))
                if row["done"] != 1:
                    raise RunError("a single task did not succeed")
                able.append(contender)
            except RunError as why:
                left_out[contender.name] = str(why)
        if contender.name in left_out:
            print(f"bench: left out: {contender.title}: {left_out[contender.name]}", flush=True)
    return able, left_out


def run_all(
    server: Server,
    contenders: list[Contender],
    groups: list[Group],
    repeats: int,
    budget_s: float,
    save: Callable[[Row], None],
    first: int = 0,
) -> None:
    """Each repeat runs every row once; the order of the contenders changes from repeat to repeat. When they would
    not fit into the budget, optional groups are left out, then repeats. `first`: so many were run before."""
    began, took = time.monotonic(), dict.fromkeys(groups, 0.0)
    for repeat in range(first, first + repeats):
        left, done = first + repeats - repeat, repeat - first
        chosen = fitting(took, left, budget_s - (time.monotonic() - began)) if done else groups
        if not chosen:
            print(f"bench: {done} repeats in the time given; --minutes allows more", flush=True)
            return
        for group in chosen:
            group_began = time.monotonic()
            turn = repeat % len(contenders)
            for contender in contenders[turn:] + contenders[:turn]:
                job = group.job_for(contender)
                if job is not None:
                    save(
                        {"repeat": repeat}
                        | _row(server, contender, job, f"{repeat + 1}/{first + repeats} {group.title}")
                    )
            took[group] = max(took[group], time.monotonic() - group_began)


def fitting(took: dict[Group, float], repeats: int, seconds: float) -> list[Group]:
    """The groups that can run so many times more in the time that is left: all, or all but the optional ones. Without
    these at least once; if even that does not fit, none."""
    if sum(took.values()) * repeats <= seconds:
        return list(took)
    needed = [group for group in took if not group.optional]
    return needed if sum(took[group] for group in needed) <= seconds else []


def _row(server: Server, contender: Contender, job: Job, title: str) -> Row:
    print(f"bench: {title:44} {contender.title:42} ", end="", flush=True)
    try:
        row = run_one(server, contender, job)
    except RunError as why:
        print(f"FAILED: {why}", flush=True)
        fields = {"latency_ms": job.latency_ms, "tasks": job.tasks, "rate": job.rate}
        return {"contender": contender.name, **fields, "error": str(why)}
    done = max(row["done"], 1)
    cut = f"  cut off with {row['done']:,} done" if row["cut"] else ""
    bad = f"  {row['failed']:,} FAILED" if row["failed"] else ""
    rate, cpu_us = row["done"] / row["seconds"], row["cpu_s"] / done * 1e6
    print(f"{rate:9,.0f} tasks/s {cpu_us:9,.1f} µs CPU a task{cut}{bad}", flush=True)
    return row


def write(path: Path, document: dict[str, Any]) -> None:
    """In one step: an interrupted run leaves the last whole file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(document, indent=1) + "\n")
    part.replace(path)
