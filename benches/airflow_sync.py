#!/usr/bin/env python3
"""How long one call of Airflow's executor blocks the scheduler: with 10,000 events waiting, and without an AWS.

    LAMBDA_EXECUTOR_LIBRARY=build/portable/liblambda_executor.so PYTHONPATH=bindings/python/src:tests/airflow \\
      build/venvs/airflow/bin/python benches/airflow_sync.py [--events 10000] [--limit-ms 100]

Exits with 1 if a call took longer than the limit. One row has none: heartbeats that submit 10,000 tasks. Their new
objects make Python's garbage collector look at all of Airflow's process, which takes 100 ms and more in any executor;
the collector's time is shown apart. Traffic goes to 127.0.0.1 alone.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_garbage import GarbageCollection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler import Scheduler

HOME = tempfile.TemporaryDirectory(prefix="airflow-home-")
GARBAGE = GarbageCollection()
SECTION = "AIRFLOW__AWS_LAMBDA_EXECUTOR__"
PATIENCE_S = 300.0
# Of an AWS that does not answer.
WATCH_S = 5.0
Times = tuple[float, float, float]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=10_000)
    arguments.add_argument("--limit-ms", type=float, default=100.0)
    given = arguments.parse_args()
    for name in [name for name in os.environ if name.startswith(("AIRFLOW", "AWS_"))]:
        del os.environ[name]
    os.environ.update(AIRFLOW_HOME=HOME.name, AIRFLOW__API_AUTH__JWT_SECRET="not-a-secret" * 4)
    rows = [
        ("events waiting, all succeeded", waiting(given.events, {}), True),
        (
            "events waiting, all failed with output",
            waiting(given.events, {"return_code": 1, "output_tail": "x" * 4096}),
            True,
        ),
        # Airflow's own work on so many new objects is most of it.
        ("tasks queued at once (no limit)", submitting(given.events), False),
        ("AWS refuses connections", without_aws(given.events, refusing), True),
        ("AWS accepts connections and does not answer", without_aws(given.events, silent), True),
    ]
    heads = ("calls", "longest", "longest without GC", "median", "total", "longest of CPU")
    print(f"{given.events:,} tasks".ljust(45) + "".join(head.rjust(20) for head in heads))
    worst = 0.0
    for name, calls, limited in rows:
        wall, without_gc, cpu = (sorted(times) for times in zip(*calls, strict=True))
        worst = max(worst, wall[-1]) if limited else worst
        median = wall[len(wall) // 2]
        times = [f"{ms:.1f} ms" for ms in (wall[-1], without_gc[-1], median)]
        figures = [str(len(calls)), *times, f"{sum(wall) / 1000:.2f} s", f"{cpu[-1]:.1f} ms"]
        print(name.ljust(45) + "".join(figure.rjust(20) for figure in figures))
    print(f"longest call of the rows with a limit {worst:.1f} ms, limit {given.limit_ms:.0f} ms")
    return int(worst > given.limit_ms)


def waiting(number: int, builtin: dict[str, Any]) -> list[Times]:
    """Heartbeats that take the events of all tasks, which wait since before the first one."""
    os.environ["AIRFLOW__LAMBDA_EXECUTOR__LOCAL"] = json.dumps({"handler": "builtin"})
    os.environ["AIRFLOW__LAMBDA_EXECUTOR__MAX_UNACKED_RESULTS"] = "100000"
    with started() as scheduler:
        executor, library = scheduler.executor, scheduler.executor.library
        assert library is not None
        queue(scheduler, number, builtin)
        trigger = getattr(executor, "trigger_workloads", None) or executor.trigger_tasks
        while executor.slots_occupied > len(executor.running):
            trigger(number)
        while executor._submit(1000):
            pass
        until(lambda: library.counts().waiting_events >= 2 * number, "all events")
        ended = 0
        calls = []
        while ended < number:
            calls.append(timed(executor.heartbeat))
            taken = executor.get_event_buffer()
            executor._task_event_logs.clear()
            ended += sum(str(getattr(state, "value", state)) in ("success", "failed") for state, _ in taken.values())
        return calls


def submitting(number: int) -> list[Times]:
    """Heartbeats that submit all tasks."""
    os.environ["AIRFLOW__LAMBDA_EXECUTOR__LOCAL"] = json.dumps(
        {"handler": "builtin", "builtin": {"duration_ms": 60_000}}
    )
    with started() as scheduler:
        queue(scheduler, number, None)
        calls = []
        while scheduler.executor.slots_occupied > len(scheduler.executor.running):
            calls.append(timed(scheduler.executor.heartbeat))
            scheduler.executor.get_event_buffer()
        return calls


def without_aws(number: int, endpoint: Callable[[], socket.socket]) -> list[Times]:
    """Heartbeats while nothing answers, after the tasks were submitted to the library."""
    os.environ.pop("AIRFLOW__LAMBDA_EXECUTOR__LOCAL", None)
    with endpoint() as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        names = ("QUEUE_URL", "DEAD_LETTER_QUEUE_URL")
        os.environ.update({f"{SECTION}{name}": f"{url}/1/{name.lower().replace('_', '-')}" for name in names})
        os.environ[f"{SECTION}FUNCTION_NAME"] = "f"
        os.environ[f"{SECTION}CHECK_HEALTH_ON_STARTUP"] = "False"
        extra = {"region_name": "us-east-1", "endpoint_url": url}
        connection = {"conn_type": "aws", "login": "id", "password": "secret", "extra": extra}
        os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps(connection)
        with started() as scheduler:
            queue(scheduler, number, None)
            while scheduler.executor.slots_occupied > len(scheduler.executor.running):
                scheduler.executor.heartbeat()
            calls = []
            end = time.monotonic() + WATCH_S
            while time.monotonic() < end:
                calls.append(timed(scheduler.executor.heartbeat))
                scheduler.executor.get_event_buffer()
                time.sleep(0.01)
            return calls


def refusing() -> socket.socket:
    """A port that is bound, and not listened on."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


def silent() -> socket.socket:
    listening = refusing()
    listening.listen(128)
    return listening


@contextmanager
def started() -> Iterator[Scheduler]:
    from lambda_executor.airflow import LambdaExecutor
    from scheduler import Scheduler, task_instance

    executor = LambdaExecutor(parallelism=1_000_000)
    executor.start()
    # What a scheduler has long done: SQLAlchemy's mappers, names of executors.
    executor.log_task_event(event="warm", extra="", ti_key=task_instance().key)
    executor.heartbeat()
    try:
        yield Scheduler(executor)
    finally:
        executor.terminate()


def queue(scheduler: Scheduler, number: int, builtin: dict[str, Any] | None) -> None:
    for place in range(number):
        scheduler.queue(f"t{place}", builtin=builtin)
    gc.collect()


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {PATIENCE_S:.0f} s")
        time.sleep(0.05)


def timed(call: Callable[[], object]) -> Times:
    """Milliseconds by the clock, the same without garbage collections, and of this thread's CPU time, which other
    programs on the machine do not lengthen."""
    began, cpu, garbage = time.perf_counter(), time.thread_time(), GARBAGE.seconds
    call()
    wall, garbage = time.perf_counter() - began, GARBAGE.seconds - garbage
    return wall * 1000, (wall - garbage) * 1000, (time.thread_time() - cpu) * 1000


if __name__ == "__main__":
    sys.exit(main())
