"""A task that was queued for too long is revoked. Rows R9 and D3."""

from __future__ import annotations

from typing import Any

from lambda_executor.airflow import LambdaExecutor, versions
from local_aws import LocalAws
from scheduler import Scheduler, preassigned


def test_a_waiting_task_never_runs(aws: LocalAws, scheduler: Scheduler) -> None:
    """R9"""
    # Prevent Invokes for now.
    aws.faults(**{"lambda": {"error": 1.0}})
    ti = preassigned()
    key = scheduler.queue(ti=ti)
    scheduler.executor.heartbeat()
    scheduler.executor.revoke_task(ti=ti)
    assert key not in scheduler.executor.running
    aws.faults()
    other = scheduler.queue("other")
    assert scheduler.until_ended(other) == ["success"]
    assert {at for at, _, _ in scheduler.events} == {other}


def test_a_running_task_is_abandoned_without_an_event(scheduler: Scheduler) -> None:
    ti = preassigned()
    scheduler.queue(ti=ti, builtin={"duration_ms": 200})
    assert scheduler.executor.library is not None
    library = scheduler.executor.library
    scheduler.until(lambda: library.counts().running == 1, "the task on Lambda")
    scheduler.loop()
    scheduler.events.clear()
    scheduler.executor.revoke_task(ti=ti)
    assert library.counts().running == 0
    other = scheduler.queue("other", builtin={"duration_ms": 500})
    assert scheduler.until_ended(other) == ["success"]
    assert {at for at, _, _ in scheduler.events} == {other}


def test_a_task_in_the_base_classs_queue_is_taken_out(scheduler: Scheduler) -> None:
    ti = preassigned()
    scheduler.queue(ti=ti)
    scheduler.executor.revoke_task(ti=ti)
    assert not any(versions.queues_of(scheduler.executor))
    scheduler.loop()
    assert scheduler.events == []


def test_an_event_that_is_there_already_goes_with_the_task(scheduler: Scheduler) -> None:
    """The scheduler has given the task up: neither its event nor its result may stay."""
    ti = preassigned()
    key = scheduler.queue(ti=ti)
    scheduler.executor.heartbeat()
    scheduler.until_buffered(key)
    scheduler.executor.revoke_task(ti=ti)
    assert scheduler.loop() == []
    scheduler.loop()
    assert scheduler.unacknowledged() == 0


def test_before_the_library_is_open(aws: LocalAws) -> None:
    """D3, for tasks that wait in memory."""
    ti = preassigned()
    executor = LambdaExecutor()
    from scheduler import Scheduler as Made

    made = Made(executor)
    made.queue(ti=ti)
    executor.heartbeat()
    assert len(executor._submissions) == 1
    executor.revoke_task(ti=ti)
    assert executor.running == set()
    assert executor._dispatches.all() == []


def test_the_same_task_runs_when_it_is_queued_again(scheduler: Scheduler) -> None:
    """The scheduler queues it again twice, then fails it."""
    ti = preassigned()
    key = scheduler.queue(ti=ti, builtin={"duration_ms": 100_000})
    scheduler.executor.heartbeat()
    scheduler.executor.revoke_task(ti=ti)
    again = preassigned(identity=ti.id)
    scheduler.queue(ti=again)
    assert scheduler.until_ended(key) == ["success"]


def test_fail_after_requeues(scheduler: Scheduler) -> None:
    """R9: the scheduler itself calls `executor.fail(key)`."""
    key = scheduler.queue(builtin={"duration_ms": 100_000})
    scheduler.executor.heartbeat()
    scheduler.executor.fail(key)
    scheduler.loop()
    assert scheduler.final(key) == "failed"
    assert scheduler.executor.library is not None
    assert scheduler.executor.library.counts().running == 0


def test_unknown_and_invalid_tasks_raise_nothing(scheduler: Scheduler, caught: list[str]) -> None:
    scheduler.executor.revoke_task(ti=preassigned("unknown"))
    strange: Any = object()
    scheduler.executor.revoke_task(ti=strange)
    assert "AttributeError" in caught.pop()
