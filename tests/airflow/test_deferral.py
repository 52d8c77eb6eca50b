"""A task that resumes while its first dispatch still runs has the same key. Rows R1, R12 and D2."""

from __future__ import annotations

import json

import pytest
from lambda_executor.airflow import versions
from lambda_executor.airflow.dispatches import text_of
from local_aws import LocalAws
from scheduler import Scheduler, preassigned, task_instance


def test_only_the_newest_dispatch_ends_the_key(scheduler: Scheduler) -> None:
    """R1"""
    identity = task_instance().id
    key = scheduler.queue(ti=preassigned(identity=identity), builtin={"duration_ms": 300, "return_code": 1})
    scheduler.until(lambda: scheduler.states(key), "the first dispatch")
    again = scheduler.queue(ti=preassigned(identity=identity), builtin={"duration_ms": 800})
    assert again == key
    assert scheduler.until_ended(key) == ["success"]
    assert "failed" not in scheduler.states(key)
    assert scheduler.executor.running == set()
    scheduler.loop()
    # The result that was not reported to the scheduler is deleted too.
    assert scheduler.unacknowledged() == 0


def test_the_first_dispatch_has_the_plain_key_and_the_next_its_own(scheduler: Scheduler) -> None:
    """With different keys the library never returns DUPLICATE."""
    identity = task_instance().id
    first, second = preassigned(identity=identity), preassigned(identity=identity)
    key = scheduler.queue(ti=first, builtin={"duration_ms": 400})
    scheduler.until(lambda: scheduler.states(key), "the first dispatch")
    scheduler.queue(ti=second, builtin={"duration_ms": 400})
    scheduler.executor.heartbeat()
    wires = [dispatch.wire for dispatch in scheduler.executor._dispatches.all()]
    text = text_of(key)
    assert wires[0] == text
    attempt_id = wires[1][len(text) + 1 :]
    assert wires[1] == f"{text}#{attempt_id}"
    if versions.AIRFLOW >= (3, 2):
        assert attempt_id == second.external_executor_id


def test_a_first_exit_while_the_key_is_queued_again_is_silent(scheduler: Scheduler) -> None:
    """The process that deferred the task exits after the scheduler has queued the task again, and before the executor
    has taken it."""
    identity = task_instance().id
    key = scheduler.queue(ti=preassigned(identity=identity))
    executor = scheduler.executor
    executor.heartbeat()
    scheduler.queue(ti=preassigned(identity=identity), builtin={"duration_ms": 100_000})
    assert executor.library is not None
    library = executor.library
    assert str(library.wait(text_of(key), timeout=20)) == "succeeded"
    # Only take events: the scheduler's loop has not yet processed the queue.
    executor.sync()
    states = [str(getattr(state, "value", state)) for state, _ in executor.get_event_buffer().values()]
    assert "success" not in states
    assert scheduler.executor._dispatches.newest(key) is None


def test_a_stale_event_that_was_put_back_goes_when_the_key_starts_again(aws: LocalAws, scheduler: Scheduler) -> None:
    identity = task_instance().id
    key = scheduler.queue(ti=preassigned(identity=identity))
    executor = scheduler.executor
    scheduler.until(lambda: scheduler.final(key), "the first exit")
    executor.event_buffer.setdefault(key, ("success", None))
    # So that no RUNNING event takes its place.
    aws.faults(**{"lambda": {"error": 1.0}})
    scheduler.queue(ti=preassigned(identity=identity))
    assert scheduler.loop() == []


@pytest.mark.airflow_before(3, 1)
def test_old_versions_do_not_refuse_a_key_that_runs(scheduler: Scheduler) -> None:
    """R12: before 3.1 the base class refuses a key in `running`, and drops it after 10 s."""
    identity = task_instance().id
    key = scheduler.queue(ti=preassigned(identity=identity), builtin={"duration_ms": 100_000})
    scheduler.until(lambda: scheduler.states(key), "the first dispatch")
    assert key in scheduler.executor.running
    scheduler.queue(ti=preassigned(identity=identity))
    scheduler.loop()
    assert not scheduler.executor.queued_tasks
    assert key in scheduler.executor.running or scheduler.final(key)
    assert scheduler.until_ended(key) == ["success"]
    assert not [name for name, _ in scheduler.logged() if name == "task launch failure"]


def test_a_handler_without_attempt_ids_cannot_confuse_two_dispatches(aws: LocalAws, scheduler: Scheduler) -> None:
    """D2, for Airflow's handler, which returns only the key and the return code."""
    identity = task_instance().id
    key = scheduler.queue(ti=preassigned(identity=identity), builtin={"silent": True})
    scheduler.until(lambda: scheduler.states(key), "the first dispatch")
    scheduler.queue(ti=preassigned(identity=identity), builtin={"silent": True})
    scheduler.until(lambda: len(scheduler.states(key)) == 2, "the second dispatch")
    first, second = (dispatch.wire for dispatch in scheduler.executor._dispatches.all())
    aws.send(aws.queue_url, json.dumps({"task_key": first, "return_code": 1}))
    scheduler.until(lambda: len(scheduler.executor._dispatches.all()) == 1, "the first exit")
    assert not scheduler.final(key)
    aws.send(aws.queue_url, json.dumps({"task_key": second, "return_code": 0}))
    assert scheduler.until_ended(key) == ["success"]
