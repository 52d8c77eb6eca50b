"""Events have keys of the type that the scheduler expects. Rows R2, R3 and R16."""

from __future__ import annotations

import inspect

import pytest
from airflow.models.taskinstancekey import TaskInstanceKey
from lambda_executor.airflow import LambdaExecutor, versions
from scheduler import Scheduler, preassigned, task_instance


@pytest.mark.airflow(3, 4)
def test_events_have_uuid_keys(scheduler: Scheduler) -> None:
    """R2: another type ends the scheduler of 3.4, and coordinates are dropped with a warning."""
    from airflow.executors.workloads.types import TaskInstanceUuid

    ti = task_instance()
    key = scheduler.queue(ti=ti)
    scheduler.until_ended(key)
    assert {type(at) for at, _, _ in scheduler.events} == {TaskInstanceUuid}
    assert key == TaskInstanceUuid(ti.id)


@pytest.mark.airflow_before(3, 4)
def test_events_have_coordinate_keys(scheduler: Scheduler) -> None:
    """R2, before 3.4."""
    scheduler.until_ended(scheduler.queue())
    assert {type(at) for at, _, _ in scheduler.events} == {TaskInstanceKey}


@pytest.mark.airflow(3, 4)
def test_the_scheduler_can_name_the_tasks_of_all_events(scheduler: Scheduler) -> None:
    """R3: the base class registers tasks by wrapping methods in the body of the class."""
    executor = scheduler.executor
    queued, adopted = task_instance("queued"), task_instance("adopted")
    scheduler.queue(ti=queued, builtin={"duration_ms": 100_000})
    executor.heartbeat()
    adopted.external_executor_id = str(adopted.id)
    assert not executor.try_adopt_task_instances([adopted])
    for ti in (queued, adopted):
        executor.fail(executor.get_task_key(ti))
    events, coordinates = executor._drain_events_with_task_ids()
    assert {coordinates[key] for key in events} == {queued.key, adopted.key}


@pytest.mark.airflow(3, 4)
def test_adoption_is_defined_in_the_class_itself() -> None:
    """R3: the base class does not wrap methods of a mixin."""
    wrapped = vars(LambdaExecutor)["try_adopt_task_instances"]
    assert inspect.unwrap(wrapped) is not wrapped


@pytest.mark.airflow(3, 0)
def test_no_key_is_built_from_fields_of_the_workload(scheduler: Scheduler) -> None:
    """R16: `map_index` of the workload may differ from the key's."""
    ti = preassigned()
    key = scheduler.queue(ti=ti)
    scheduler.until_ended(key)
    assert key == versions.task_key_of(scheduler.executor, ti)
    assert scheduler.final(key) == "success"


@pytest.mark.airflow(3, 0)
def test_executor_config_reaches_the_function(scheduler: Scheduler) -> None:
    """R16: the workload's JSON omits it."""
    key = scheduler.queue(builtin={"return_code": 7})
    assert scheduler.until_ended(key) == ["failed"]
