"""Tasks that an earlier scheduler submitted are tracked again. Rows R4, D1 and D11."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from conftest import Start
from lambda_executor.airflow import adoption, versions
from lambda_executor.airflow.dispatches import text_of
from local_aws import LocalAws
from scheduler import Scheduler, preassigned, task_instance


def key_of(ti: Any) -> str:
    """The plain key of a task instance on the wire."""
    return str(ti.id) if versions.UUID_KEYS else text_of(ti.key)


def submitted(start: Start, ti: Any, **builtin: Any) -> None:
    """A scheduler submits the task and ends before it has the result."""
    before = start()
    key = before.queue(ti=ti, builtin=builtin)
    before.until(lambda: before.states(key), "the RUNNING event")
    assert before.states(key) == ["running"]
    ti.external_executor_id = before.info(key, "running")
    before.executor.terminate()


def test_the_next_scheduler_gets_the_result(aws: LocalAws, start: Start) -> None:
    """Takes 15 s: the aborted long poll of the first scheduler still takes the result, as on AWS."""
    ti = preassigned()
    submitted(start, ti, duration_ms=300)
    after = start()
    assert list(after.executor.try_adopt_task_instances([ti])) == []
    key = versions.task_key_of(after.executor, ti)
    # R4: an adopted task has a slot in every version.
    assert after.executor.running == {key}
    assert after.until_ended(key) == ["success"]
    assert after.executor.running == set()


@pytest.mark.airflow(3, 2)
@pytest.mark.parametrize("return_code", [0, 1])
def test_a_task_is_found_by_the_id_written_before_the_invoke(aws: LocalAws, start: Start, return_code: int) -> None:
    """D1: the scheduler died between the Invoke and the RUNNING event."""
    ti = preassigned()
    after = start()
    assert list(after.executor.try_adopt_task_instances([ti])) == []
    after.executor.heartbeat()
    result = {"task_key": key_of(ti), "return_code": 1 - return_code, "attempt_id": str(uuid.uuid4())}
    aws.send(aws.queue_url, json.dumps(result))
    result = {**result, "return_code": return_code, "attempt_id": ti.external_executor_id}
    aws.send(aws.queue_url, json.dumps(result))
    key = versions.task_key_of(after.executor, ti)
    assert after.until_ended(key) == ["failed" if return_code else "success"]
    # Its key on the wire is one of two; the executor does not wait for the other one.
    assert after.executor._dispatches.all() == []
    assert after.executor.library is not None
    assert after.executor.library.counts().running == 0


@pytest.mark.airflow(3, 2)
def test_a_second_dispatch_is_found_by_its_attempt_id_alone(aws: LocalAws, start: Start) -> None:
    """Its key on the wire was not the plain one, and the handler returns no attempt_id."""
    ti = preassigned()
    after = start()
    after.executor.try_adopt_task_instances([ti])
    key = versions.task_key_of(after.executor, ti)
    after.executor.heartbeat()
    wire = f"{key_of(ti)}#{ti.external_executor_id}"
    aws.send(aws.queue_url, json.dumps({"task_key": wire, "return_code": 0}))
    assert after.until_ended(key) == ["success"]


def test_a_result_of_airflows_handler_ends_an_adopted_task(aws: LocalAws, start: Start) -> None:
    """A task that Airflow's own executor submitted and Airflow's handler ran."""
    ti = task_instance()
    ti.external_executor_id = key_of(ti)
    after = start()
    assert list(after.executor.try_adopt_task_instances([ti])) == []
    aws.send(aws.queue_url, json.dumps({"task_key": ti.external_executor_id, "return_code": 0}))
    assert after.until_ended(versions.task_key_of(after.executor, ti)) == ["success"]


@pytest.mark.airflow(3, 4)
def test_coordinates_of_older_versions_are_adopted(aws: LocalAws, start: Start) -> None:
    ti = task_instance()
    ti.external_executor_id = text_of(ti.key)
    after = start()
    assert list(after.executor.try_adopt_task_instances([ti])) == []
    aws.send(aws.queue_url, json.dumps({"task_key": ti.external_executor_id, "return_code": 0}))
    assert after.until_ended(after.executor.get_task_key(ti)) == ["success"]


STRANGE = [None, "", "5", "null", "[]", "{}", "None", "arn:aws:ecs:1", '{"dag_id": "d"}', "#", "é" * 5000]


@pytest.mark.parametrize("external", STRANGE)
def test_ids_of_other_executors_are_refused_one_by_one(scheduler: Scheduler, external: str | None) -> None:
    """D11: the scheduler clears tasks that are not adopted."""
    ours, theirs = preassigned("ours"), task_instance("theirs", external=external)
    assert list(scheduler.executor.try_adopt_task_instances([theirs, ours])) == [theirs]
    assert scheduler.executor.running == {versions.task_key_of(scheduler.executor, ours)}


def test_coordinates_of_another_task_are_refused(scheduler: Scheduler) -> None:
    ti = task_instance("one", external=text_of(task_instance("another").key))
    assert list(scheduler.executor.try_adopt_task_instances([ti])) == [ti]
    other_try = task_instance("one", external=text_of(task_instance("one", try_number=2).key))
    assert list(scheduler.executor.try_adopt_task_instances([other_try])) == [other_try]


def test_native_ids_are_of_this_very_task() -> None:
    ti, attempt_id = task_instance(), str(uuid.uuid4())
    ti.external_executor_id = f"{text_of(ti.key)}#{attempt_id}"
    dispatch = adoption.dispatch_of(ti, ti.key)
    assert dispatch is not None
    assert (dispatch.wires, dispatch.attempt_id) == ((ti.external_executor_id,), attempt_id)
    for wrong in (f"{text_of(task_instance('other').key)}#{attempt_id}", f"{text_of(ti.key)}#1", f"x#{attempt_id}"):
        ti.external_executor_id = wrong
        assert adoption.dispatch_of(ti, ti.key) is None


def test_tracked_tasks_stay_tracked(scheduler: Scheduler) -> None:
    """Airflow asks every 300 s."""
    ti = preassigned()
    key = scheduler.queue(ti=ti, builtin={"duration_ms": 500})
    scheduler.until(lambda: scheduler.states(key), "the RUNNING event")
    ti.external_executor_id = scheduler.info(key, "running")
    assert list(scheduler.executor.try_adopt_task_instances([ti])) == []
    assert scheduler.until_ended(key) == ["success"]


def test_adoption_never_raises(scheduler: Scheduler, caught: list[str]) -> None:
    class Broken:
        external_executor_id = property(lambda self: 1 / 0)
        id = uuid.uuid4()
        key = task_instance().key

    broken: Any = Broken()
    assert list(scheduler.executor.try_adopt_task_instances([broken])) == [broken]
    assert "division" in caught.pop()


def test_adoption_is_linear(scheduler: Scheduler) -> None:
    """D11."""

    def seconds(number: int) -> float:
        tis = [preassigned(f"{number}-{place}") for place in range(number)]
        began = time.process_time()
        assert list(scheduler.executor.try_adopt_task_instances(tis)) == []
        return time.process_time() - began

    seconds(100)
    small = seconds(1000)
    # With quadratic cost the factor would be 64.
    assert seconds(8000) < 24 * max(small, 0.01)
