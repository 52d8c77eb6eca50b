"""A task from the scheduler's queue to its event."""

from __future__ import annotations

import json

import pytest
from conftest import Start
from lambda_executor.airflow import versions
from lambda_executor.airflow.dispatches import text_of
from local_aws import LocalAws
from scheduler import Scheduler, preassigned, task_instance


def test_a_task_succeeds(scheduler: Scheduler) -> None:
    key = scheduler.queue()
    assert scheduler.until_ended(key) == ["success"]
    assert scheduler.executor.running == set()
    assert scheduler.executor.slots_available == 100_000


def test_a_task_fails_with_its_last_output(scheduler: Scheduler) -> None:
    key = scheduler.queue(builtin={"return_code": 3, "output_tail": "no such table"})
    assert scheduler.until_ended(key) == ["failed"]
    ((name, extra),) = scheduler.logged()
    assert name == "lambda task failed"
    assert extra.startswith("the command exited with status 3\n")
    assert extra.endswith("output:\nno such table")
    assert scheduler.info(key, "failed") == "the command exited with status 3"


@pytest.fixture
def observed(aws: LocalAws, start: Start, monkeypatch: pytest.MonkeyPatch) -> Scheduler:
    """A scheduler whose executor does not read the dead letter queue, which has the exact event after a crash."""
    other = aws.sqs("CreateQueue", QueueName="other")["QueueUrl"]
    monkeypatch.setenv("AIRFLOW__AWS_LAMBDA_EXECUTOR__DEAD_LETTER_QUEUE_URL", other)
    return start()


def test_the_event_is_airflows(aws: LocalAws, observed: Scheduler) -> None:
    ti = preassigned()
    key = observed.queue(ti=ti, builtin={"crash": True})
    observed.executor.heartbeat()
    event = json.loads(aws.receive(aws.dead_letter_queue_url, 1)[0]["Body"])
    assert event["task_key"] == text_of(key)
    if versions.COMMANDS:
        assert event["command"][:3] == ["airflow", "tasks", "run"]
        assert event["executor_config"] == {"builtin": {"crash": True}}
    else:
        assert event["command"][:4] == ["python", "-m", "airflow.sdk.execution_time.execute_workload", "--json-string"]
        workload = json.loads(event["command"][4])
        assert (workload["type"], workload["ti"]["id"]) == ("ExecuteTask", str(ti.id))


@pytest.mark.airflow_before(3, 4)
def test_the_key_is_the_coordinates_in_airflows_form(scheduler: Scheduler) -> None:
    key = scheduler.queue("ü")
    expected = '{"dag_id": "d", "task_id": "\\u00fc", "run_id": "r", "try_number": 1, "map_index": -1}'
    scheduler.until_ended(key)
    assert text_of(key) == expected


@pytest.mark.airflow(3, 4)
def test_the_key_is_the_uuid(scheduler: Scheduler) -> None:
    ti = task_instance()
    key = scheduler.queue(ti=ti)
    assert scheduler.until_ended(key) == ["success"]
    assert text_of(key) == str(ti.id)


@pytest.mark.airflow(3, 2)
def test_the_attempt_id_is_stored_before_the_invoke(aws: LocalAws, observed: Scheduler) -> None:
    """D1: the scheduler stores it in the transaction that queues the task."""
    assert observed.executor.pre_assigns_external_executor_id
    ti = preassigned()
    observed.queue(ti=ti, builtin={"crash": True})
    observed.executor.heartbeat()
    event = json.loads(aws.receive(aws.dead_letter_queue_url, 1)[0]["Body"])
    assert event["attempt_id"] == ti.external_executor_id


def test_the_running_event_has_the_key_on_the_wire(scheduler: Scheduler) -> None:
    """It becomes the external_executor_id, with which this executor and Airflow's own adopt the task."""
    key = scheduler.queue(builtin={"duration_ms": 200})
    scheduler.until_ended(key)
    assert scheduler.states(key) == ["running", "success"]
    assert scheduler.info(key, "running") == text_of(key)
    assert scheduler.info(key, "success") is None
