"""What a contender in Python measures of itself, and the line that it prints (benches/report/job.py describes both)."""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def job() -> dict[str, Any]:
    """What is asked for: one JSON line on standard input."""
    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    return asked


class Measured:
    """Times and counts from `begin` on."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.done = self.failed = 0
        #: From queueing to the start of the function, and from the result in SQS to the event, in ms.
        self.start_ms: list[float] = []
        self.event_ms: list[float] = []
        self.cut = False
        self.seconds = self.blocked_s = self.blocked_longest_s = 0.0
        self._began = self._cpu = 0.0

    @property
    def ended(self) -> int:
        return self.done + self.failed

    def begin(self) -> None:
        self._began, self._cpu = time.perf_counter(), time.process_time()

    def elapsed(self) -> float:
        return time.perf_counter() - self._began

    def over(self) -> bool:
        """True when the limit has passed."""
        self.cut = self.cut or self.elapsed() > self.limit_s
        return self.cut

    def stop(self) -> None:
        """After the last event. CPU time counts until `report`."""
        self.seconds = self.elapsed()

    def blocked_since(self, began: float) -> None:
        """The calling thread was inside of a call that submits or fetches, since this time of `time.perf_counter`."""
        took = time.perf_counter() - began
        self.blocked_s += took
        if took > self.blocked_longest_s:
            self.blocked_longest_s = took

    def report(self) -> None:
        answer: dict[str, Any] = {
            "done": self.done,
            "failed": self.failed,
            "cut": self.cut,
            "seconds": self.seconds,
            "cpu_s": time.process_time() - self._cpu,
            "blocked_s": self.blocked_s,
            "blocked_longest_ms": self.blocked_longest_s * 1000,
            "peak_mb": peak_mb(),
        }
        for name, values in (("start_ms", self.start_ms), ("event_ms", self.event_ms)):
            if values:
                values.sort()
                answer[name] = [values[len(values) // 2], values[len(values) - 1 - len(values) // 100]]
        print(json.dumps(answer), flush=True)


def peak_mb() -> float:
    """Largest memory in RAM. ru_maxrss includes the process that started this one."""
    with open("/proc/self/status") as status:
        kb = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
    return int(kb) / 1024
