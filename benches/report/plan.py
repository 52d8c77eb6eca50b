"""Which contender runs how many tasks at which latency, and for how long at most."""

from __future__ import annotations

from dataclasses import dataclass

from .contender import LIMIT, Contender
from .job import Job

#: Tasks a second of the rows that measure latencies: less than any of the fast contenders can do.
PACE = 250.0
CORE = (LIMIT, "sdk", "c", "python", "go", "c-batch-10")
THREADS = (*CORE, "boto3-64", "boto3-1", "lithops")


@dataclass(frozen=True)
class Group:
    """Runs that are compared with each other."""

    latency_ms: int
    tasks: int
    rate: float = 0.0
    #: Contenders by name; empty: all.
    only: tuple[str, ...] = ()
    #: A run is cut off after so many seconds; 0 leaves these contenders out.
    limit_s: float = 60.0
    slow_s: float = 0.0
    #: For those that invoke all tasks before they read the first result, so that nothing is known before the end.
    all_first_s: float = 0.0
    #: Left out of further repeats when time is short.
    optional: bool = False

    @property
    def title(self) -> str:
        how = f", {self.rate:g} a second" if self.rate else ""
        return f"{self.tasks:,} tasks{how}, {self.latency_ms} ms"

    def job_for(self, contender: Contender) -> Job | None:
        """None where it does not take part."""
        if (self.only and contender.name not in self.only) or (self.rate and contender.bursts_only):
            return None
        limit_s = self.all_first_s if contender.all_first else self.slow_s if contender.slow else self.limit_s
        return Job(self.latency_ms, self.tasks, self.rate, limit_s) if limit_s else None


LATENCIES_MS = (0, 20, 100)
FEW, THOUSAND, TEN_THOUSAND, HUNDRED_THOUSAND = 50, 1_000, 10_000, 100_000
SLOW_S = 2.0

#: About 20 minutes with five repeats on two processors.
DEFAULT = [
    *(Group(latency_ms, FEW, only=(LIMIT, "c", "airflow"), all_first_s=30.0) for latency_ms in LATENCIES_MS),
    Group(0, THOUSAND, only=THREADS, slow_s=SLOW_S),
    Group(20, THOUSAND, slow_s=SLOW_S),
    Group(100, THOUSAND, only=THREADS, slow_s=SLOW_S),
    *(Group(latency_ms, TEN_THOUSAND, only=(*CORE, "c-sdk")) for latency_ms in LATENCIES_MS),
    Group(20, 500, rate=PACE, slow_s=SLOW_S),
    Group(20, HUNDRED_THOUSAND, only=CORE),
    Group(0, HUNDRED_THOUSAND, only=(LIMIT, "c", "c-batch-10"), optional=True),
]
#: Hours.
FULL = [
    Group(20, 2_500, rate=PACE, slow_s=60.0),
    *(
        Group(latency_ms, tasks, limit_s=600.0, slow_s=120.0, all_first_s=240.0)
        for latency_ms in LATENCIES_MS
        for tasks in (FEW, THOUSAND, TEN_THOUSAND, HUNDRED_THOUSAND)
    ),
]
#: Seconds: that it runs at all.
QUICK = [Group(20, 200), Group(20, 50, rate=PACE)]
QUICK_WITHOUT = ("airflow-ours",)
