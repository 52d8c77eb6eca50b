"""Acts as the scheduler: queues tasks and callbacks in the form of every version of Airflow, and processes events."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

from airflow.models.taskinstancekey import TaskInstanceKey
from lambda_executor.airflow import LambdaExecutor, versions

PATIENCE_S = 120.0


class Scheduler:
    """One scheduler with one executor."""

    def __init__(self, executor: LambdaExecutor) -> None:
        self.executor = executor
        #: Every event, in the order in which it was processed.
        self.events: list[tuple[Any, str, Any]] = []

    def queue(
        self,
        task_id: str = "t",
        *,
        ti: Any = None,
        builtin: dict[str, Any] | None = None,
        queue: str = "default",
        executor_config: Any = None,
    ) -> Any:
        """Queues a task instance, and returns the executor's key for it.

        builtin: behaviour of the local Lambda's handler.
        """
        ti = ti or task_instance(task_id, queue=queue)
        config = executor_config if builtin is None else {"builtin": builtin}
        if versions.COMMANDS:
            command = ["airflow", "tasks", "run", ti.dag_id, ti.task_id, ti.run_id, "--local"]
            ti.executor_config = config or {}
            self.executor.queue_command(ti, command, queue=ti.queue)
        else:
            self.executor.queue_workload(workload(ti, config), None)
        return versions.task_key_of(self.executor, ti)

    def loop(self) -> list[tuple[Any, str, Any]]:
        """Runs one round of the scheduler's loop. Returns the events that it processed."""
        self.executor.heartbeat()
        taken = self.executor.get_event_buffer()
        processed = [(key, str(getattr(state, "value", state)), info) for key, (state, info) in taken.items()]
        self.events += processed
        return processed

    def until(self, condition: Callable[[], Any], what: str = "the condition") -> Any:
        """Loops until a condition holds, and returns its value."""
        deadline = time.monotonic() + PATIENCE_S
        while not (value := condition()):
            assert time.monotonic() < deadline, f"{what} does not come; events: {self.events}"
            self.loop()
            time.sleep(0.01)
        return value

    def until_ended(self, *keys: Any) -> list[str]:
        """Loops until these keys have ended. Returns their final states."""
        self.until(lambda: all(self.final(key) for key in keys), f"the end of {keys}")
        return [self.final(key) for key in keys]

    def until_buffered(self, key: Any) -> None:
        """Waits until the key has a final event in the buffer, where it stays: takes what happens, and nothing else."""
        deadline = time.monotonic() + PATIENCE_S
        while not any(state in str(self.executor.event_buffer.get(key)) for state in ("success", "failed")):
            assert time.monotonic() < deadline, f"no final event of {key}"
            self.executor.sync()
            time.sleep(0.01)

    def unacknowledged(self) -> int:
        """Events whose results stay in their queue on AWS."""
        assert self.executor.library is not None
        return self.executor.library.counts().unacknowledged

    def final(self, key: Any) -> str:
        """The final state of a key, empty before its end."""
        return next((state for at, state, _ in self.events if at == key and state in ("success", "failed")), "")

    def states(self, key: Any) -> list[str]:
        return [state for at, state, _ in self.events if at == key]

    def info(self, key: Any, state: str) -> Any:
        return next(info for at, of, info in self.events if (at, of) == (key, state))

    def logged(self) -> list[tuple[str, str]]:
        """Log events: name and text."""
        return [(log.event, log.extra) for log in self.executor._task_event_logs]


def task_instance(
    task_id: str = "t",
    *,
    external: str | None = None,
    queue: str = "default",
    try_number: int = 1,
    identity: Any = None,
) -> SimpleNamespace:
    """The attributes of a task instance in Airflow's database that executors read."""
    key = TaskInstanceKey("d", task_id, "r", try_number, -1)
    return SimpleNamespace(
        **key._asdict(),
        key=key,
        id=identity or uuid.uuid4(),
        queue=queue,
        external_executor_id=external,
        state="queued",
        executor_config={},
        dag_run=SimpleNamespace(dag_id="d", run_id="r", start_date=datetime.now(timezone.utc)),
    )


def preassigned(task_id: str = "t", **more: Any) -> SimpleNamespace:
    """A task instance with an attempt_id that the scheduler has stored."""
    return task_instance(task_id, external=str(uuid.uuid4()), **more)


def workload(ti: Any, executor_config: Any = None) -> Any:
    """The workload that Airflow 3's scheduler queues for a task instance."""
    from airflow.executors import workloads

    kind = _kind_of_task_instances()
    fields = {
        "id": ti.id,
        "dag_version_id": uuid.uuid4(),
        "task_id": ti.task_id,
        "dag_id": ti.dag_id,
        "run_id": ti.run_id,
        "try_number": ti.try_number,
        "map_index": ti.map_index,
        "pool_slots": 1,
        "queue": ti.queue,
        "priority_weight": getattr(ti, "priority_weight", 1),
        "external_executor_id": ti.external_executor_id,
        "executor_config": executor_config,
    }
    known = kind.model_fields
    made = kind(**{name: value for name, value in fields.items() if name in known})
    return workloads.ExecuteTask(
        ti=made,
        dag_rel_path="dag.py",
        token="a-token-that-is-secret",
        bundle_info=workloads.BundleInfo(name="b", version=None),
        log_path="log",
    )


def _kind_of_task_instances() -> Any:
    """The class of the task instance in a workload. It has been in three modules."""
    from airflow.executors import workloads

    for name in ("TaskInstanceDTO", "TaskInstance"):
        if hasattr(workloads, name):
            return getattr(workloads, name)
    from airflow.executors.workloads.task import TaskInstanceDTO

    return TaskInstanceDTO
