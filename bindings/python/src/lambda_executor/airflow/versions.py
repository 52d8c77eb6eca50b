"""Differences between the versions of Airflow: 2.11, 3.0 to 3.3, 3.4."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from airflow import __version__
from airflow.configuration import conf as common_conf
from airflow.executors.base_executor import BaseExecutor

AIRFLOW = tuple(int(part) for part in __version__.split(".")[:2])

#: Airflow 2 queues commands (`airflow tasks run`), Airflow 3 workloads.
COMMANDS = AIRFLOW < (3, 0)
#: `BaseExecutor.queue_workload` raises.
QUEUES_NO_WORKLOADS = (3, 0) <= AIRFLOW < (3, 1)
#: `trigger_tasks` refuses a key that is still in `running`, and drops the task after 10 s.
REFUSES_RUNNING = AIRFLOW < (3, 1)
#: Keys of tasks are UUIDs, one for each try.
UUID_KEYS = hasattr(BaseExecutor, "get_task_key")
#: The base class has a queue for each type of workload, and a set of the supported types.
TYPED_QUEUES = False
#: Callbacks are workloads of executors.
CALLBACKS = AIRFLOW >= (3, 3)
#: Types of workloads that this executor supports, in versions with such a set.
WORKLOAD_TYPES: frozenset[Any] = frozenset()

try:
    from airflow.executors.workloads.base import WorkloadType
except ImportError:
    pass
else:
    TYPED_QUEUES = True
    WORKLOAD_TYPES = frozenset({WorkloadType.EXECUTE_TASK, WorkloadType.EXECUTE_CALLBACK})

# From 3.3 on a module of functions, in 3.2 a class in it. Importing the old module then warns.
try:
    from airflow.sdk.observability import stats
except ImportError:
    from airflow.stats import Stats as stats
else:
    stats = getattr(stats, "Stats", stats)


def conf_of(executor: Any) -> Any:
    """The configuration of an executor; in versions with teams, that of its team."""
    return getattr(executor, "conf", common_conf)


def team_of(executor: Any) -> str | None:
    team: str | None = getattr(executor, "team_name", None)
    return team


def key_of(executor: Any, workload: Any) -> Any:
    """The executor's key of a workload."""
    if UUID_KEYS:
        return executor.get_workload_key(workload)
    return workload.ti.key if hasattr(workload, "ti") else workload.callback.key


def task_key_of(executor: Any, ti: Any) -> Any:
    """The executor's key of a task instance."""
    return executor.get_task_key(ti) if UUID_KEYS else ti.key


def queues_of(executor: Any) -> list[dict[Any, Any]]:
    """The base class's queues of workloads that wait for a slot, by key."""
    if TYPED_QUEUES:
        return list(executor.executor_queues.values())
    queues = (getattr(executor, name, None) for name in ("queued_tasks", "queued_callbacks"))
    return [queue for queue in queues if queue is not None]


def timer(name: str, team: str | None) -> AbstractContextManager[Any]:
    """A timer of Airflow's own metrics."""
    timed: AbstractContextManager[Any] = stats.timer(name, tags={"team_name": team} if team else {})
    return timed


def gauge(name: str, value: float, team: str | None) -> None:
    """A gauge of Airflow's own metrics."""
    stats.gauge(name, value, tags={"team_name": team} if team else {})


def count(name: str, team: str | None) -> None:
    """Adds one to a counter of Airflow's own metrics."""
    stats.incr(name, tags={"team_name": team} if team else {})
