"""The end of a scheduler loses nothing. Rows R15, D4, D5 and D6."""

from __future__ import annotations

import time

import pytest
from conftest import Start
from lambda_executor.airflow import versions
from local_aws import LocalAws
from scheduler import Scheduler, preassigned


def test_it_waits_for_running_tasks_and_acknowledges_nothing(aws: LocalAws, start: Start) -> None:
    """R15: no event is processed after `end`."""
    before, ti = start(), preassigned()
    before.queue(ti=ti, builtin={"duration_ms": 300})
    before.executor.heartbeat()
    before.executor.end()
    # The result was received and released.
    assert sum(aws.depth(aws.queue_url)) == 1
    after = start()
    after.executor.try_adopt_task_instances([ti])
    key = versions.task_key_of(after.executor, ti)
    if versions.AIRFLOW >= (3, 2):
        assert after.until_ended(key) == ["success"]


def test_the_same_after_a_crash_of_the_loop(aws: LocalAws, start: Start) -> None:
    """R15: `end` runs in a `finally`. Events that were taken may not be in the database."""
    scheduler = start()
    scheduler.until_ended(scheduler.queue())
    scheduler.executor.end()
    assert sum(aws.depth(aws.queue_url)) == 1


def test_the_timeout_limits_the_wait(aws: LocalAws, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__AWS_LAMBDA_EXECUTOR__END_WAIT_TIMEOUT", "1")
    scheduler = start()
    scheduler.queue(builtin={"duration_ms": 30_000})
    scheduler.executor.heartbeat()
    began = time.monotonic()
    scheduler.executor.end()
    assert 0.9 < time.monotonic() - began < 10


def test_waiting_tasks_are_submitted(aws: LocalAws, start: Start) -> None:
    """D6: tasks that wait for a retry are not dropped."""
    scheduler = start()
    for place in range(50):
        scheduler.queue(f"t{place}")
    scheduler.executor.heartbeat()
    scheduler.executor.end()
    assert aws.stats()["events_accepted"] == 50


@pytest.mark.airflow(3, 0)
def test_tasks_that_the_executor_has_not_taken_yet_are_submitted(aws: LocalAws, start: Start) -> None:
    """The scheduler has stored an id for the task, so the next scheduler assumes that it was submitted."""
    scheduler = start()
    scheduler.queue()
    scheduler.executor.end()
    assert aws.stats()["events_accepted"] == 1


def test_before_it_was_started_or_open(aws: LocalAws) -> None:
    from lambda_executor.airflow import LambdaExecutor

    LambdaExecutor().end()
    LambdaExecutor().terminate()


def test_afterwards_calls_do_nothing(scheduler: Scheduler) -> None:
    executor = scheduler.executor
    scheduler.queue()
    executor.heartbeat()
    executor.end()
    executor.sync()
    executor.heartbeat()
    executor.revoke_task(ti=preassigned())
    executor.debug_dump()
    executor.end()


def test_terminate_does_not_wait(scheduler: Scheduler) -> None:
    scheduler.queue(builtin={"silent": True})
    scheduler.executor.heartbeat()
    began = time.monotonic()
    scheduler.executor.terminate()
    assert time.monotonic() - began < 5
