#!/usr/bin/env python3
"""One measurement of airflow_executors.py, which starts it: plays Airflow's scheduler with one executor.

    airflow_rounds.py GIVEN.json ANSWER.json

A round is what the scheduler's loop does with an executor, without its database: queue tasks while there are free
slots, heartbeat, take the events, sleep if nothing was queued and nothing has happened.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

from airflow_garbage import GarbageCollection
from local_aws import LocalAws

# Enough for every task at once.
PARALLELISM = 100_000
PATIENCE_S = 120.0


class CutOffError(BaseException):
    """The time is over. Not an Exception, since executors catch these."""


@dataclass
class Heartbeat:
    seconds: float
    gc_s: float


@dataclass
class Rounds:
    """An executor, and what its rounds have cost."""

    executor: Any
    idle_s: float
    collection: GarbageCollection
    waiting: deque[Any] = field(default_factory=deque)
    heartbeats: list[Heartbeat] = field(default_factory=list)
    #: False while one is under way, which is the last one of the list.
    finished: bool = True
    succeeded: int = 0
    failed: int = 0

    def run(self, number: int, limit_s: float = 0.0) -> bool:
        """Rounds until so many tasks have ended. True if they were cut off."""
        signal.setitimer(signal.ITIMER_REAL, limit_s)
        try:
            while self.succeeded + self.failed < number:
                self.round()
            signal.setitimer(signal.ITIMER_REAL, 0)
        except CutOffError:
            return True
        return False

    def round(self) -> None:
        queued = min(len(self.waiting), self.executor.slots_available)
        for _ in range(queued):
            self.executor.queue_workload(self.waiting.popleft(), None)
        self.heartbeat()
        events = self.executor.get_event_buffer()
        # The scheduler writes these to its database.
        self.executor._task_event_logs.clear()
        for state, _ in events.values():
            name = str(getattr(state, "value", state))
            self.succeeded += name == "success"
            self.failed += name == "failed"
        if not queued and not events:
            time.sleep(self.idle_s)

    def heartbeat(self) -> None:
        began, gc_before = time.perf_counter(), self.collection.seconds
        self.finished = False
        try:
            self.executor.heartbeat()
            self.finished = True
        finally:
            self.heartbeats.append(Heartbeat(time.perf_counter() - began, self.collection.seconds - gc_before))

    def settle(self, aws: LocalAws) -> None:
        """Rounds until no result is left in the queue: LambdaExecutor deletes in the background."""
        deadline = time.monotonic() + PATIENCE_S
        while aws.depth(aws.queue_url) != (0, 0):
            if time.monotonic() > deadline:
                raise SystemExit(f"the results queue is not empty after {PATIENCE_S:.0f} s")
            self.round()


def measure(given: dict[str, Any]) -> dict[str, Any]:
    from airflow.configuration import conf
    from scheduler import task_instance, workload

    aws = LocalAws(given["aws"])
    module, _, name = given["class"].rpartition(".")
    executor = getattr(import_module(module), name)(parallelism=PARALLELISM)
    executor.start()
    idle_s = conf.getfloat("scheduler", "scheduler_idle_sleep_time")
    # Connections, imports and mappers, which a scheduler has had for long.
    collection = GarbageCollection()
    warm = Rounds(executor, idle_s, collection, deque([workload(task_instance("warm"))]))
    if warm.run(1, PATIENCE_S):
        raise SystemExit(f"no event of the first task within {PATIENCE_S:.0f} s")
    warm.settle(aws)

    rounds = Rounds(executor, idle_s, collection)
    rounds.waiting.extend(workload(task_instance(f"t{place}")) for place in range(given["tasks"]))
    gc.collect()
    requests_before = aws.stats()["requests"]
    began, cpu_before = time.perf_counter(), time.process_time()
    cut = rounds.run(given["tasks"], given["limit_s"])
    ended, cpu = time.perf_counter(), time.process_time() - cpu_before
    heartbeats = list(rounds.heartbeats)
    longest = max(heartbeats, key=lambda heartbeat: heartbeat.seconds)
    finished = rounds.finished
    if not cut:
        rounds.settle(aws)
    requests = aws.stats()["requests"]
    with suppress(NotImplementedError):
        executor.terminate()
    return {
        "done": rounds.succeeded,
        "failed": rounds.failed,
        "cut": cut,
        "finished": finished,
        "heartbeats": len(heartbeats),
        "longest_ms": longest.seconds * 1000,
        "longest_gc_ms": longest.gc_s * 1000,
        "longest_finished": finished or longest is not heartbeats[-1],
        "total_s": sum(heartbeat.seconds for heartbeat in heartbeats),
        "wall_s": ended - began,
        "cpu_s": cpu,
        "requests": {name: count - requests_before.get(name, 0) for name, count in requests.items()},
        "parallelism": PARALLELISM,
        "idle_s": idle_s,
    }


def _cut_off(number: int, frame: FrameType | None) -> None:
    raise CutOffError


def main(given: str, answer: str) -> None:
    signal.signal(signal.SIGALRM, _cut_off)
    figures = measure(json.loads(Path(given).read_text()))
    Path(answer).write_text(json.dumps(figures))
    sys.stdout.flush()
    # Whatever is left of a run that was cut off is not waited for.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
