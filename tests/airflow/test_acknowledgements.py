"""A result is deleted from its SQS queue when the scheduler has processed its event. Rows R5, B5 and D5."""

from __future__ import annotations

import pytest
from conftest import Start
from lambda_executor.airflow import versions
from lambda_executor.airflow.dispatches import text_of
from local_aws import LocalAws
from scheduler import Scheduler, preassigned


def test_the_heartbeat_after_the_events_were_taken_acknowledges(aws: LocalAws, scheduler: Scheduler) -> None:
    key = scheduler.queue()
    executor = scheduler.executor
    executor.heartbeat()
    assert executor.library is not None
    scheduler.until_buffered(key)
    assert scheduler.unacknowledged() > 0
    # A second heartbeat before the scheduler takes the events.
    executor.heartbeat()
    assert scheduler.unacknowledged() > 0
    executor.get_event_buffer()
    assert scheduler.unacknowledged() > 0
    executor.heartbeat()
    assert scheduler.unacknowledged() == 0
    executor.terminate()
    assert aws.depth(aws.queue_url) == (0, 0)


def test_after_a_crash_in_between_the_next_scheduler_gets_the_result(aws: LocalAws, start: Start) -> None:
    before, ti = start(), preassigned()
    key = before.queue(ti=ti)
    before.until_ended(key)
    if not versions.AIRFLOW >= (3, 2):
        ti.external_executor_id = text_of(key)
    # The scheduler takes the events, but ends before its next heartbeat.
    assert before.unacknowledged() > 0
    before.executor.terminate()
    assert aws.depth(aws.queue_url) == (1, 0)
    after = start()
    after.executor.try_adopt_task_instances([ti])
    assert after.until_ended(versions.task_key_of(after.executor, ti)) == ["success"]
    after.loop()
    after.executor.terminate()
    assert aws.depth(aws.queue_url) == (0, 0)


def test_events_that_the_scheduler_has_put_back_are_not_processed(scheduler: Scheduler) -> None:
    """R5: another transaction had locked the rows."""
    key = scheduler.queue()
    executor = scheduler.executor
    scheduler.until_ended(key)
    state = next(state for at, state, _ in scheduler.events if (at, state) == (key, "success"))
    executor.event_buffer.setdefault(key, (state, None))
    executor.heartbeat()
    assert scheduler.unacknowledged() > 0
    assert executor.get_event_buffer()[key] == (state, None)
    executor.heartbeat()
    assert scheduler.unacknowledged() == 0


def test_the_event_buffer_is_a_plain_dict(scheduler: Scheduler) -> None:
    """R5: the scheduler of 3.4 calls its `setdefault`."""
    assert type(scheduler.executor.event_buffer) is dict
    scheduler.executor.get_event_buffer()
    assert type(scheduler.executor.event_buffer) is dict


def test_events_of_other_dags_stay(scheduler: Scheduler) -> None:
    """`get_event_buffer(dag_ids)` takes only events of these Dags."""
    key = scheduler.queue()
    executor = scheduler.executor
    executor.heartbeat()
    scheduler.until_buffered(key)
    assert executor.get_event_buffer(["another"]) == {}
    executor.heartbeat()
    assert scheduler.unacknowledged() > 0
    assert list(executor.get_event_buffer(["d"])) == [key]
    executor.heartbeat()
    assert scheduler.unacknowledged() == 0


@pytest.mark.parametrize("number", [300])
def test_every_batch_is_freed(scheduler: Scheduler, number: int) -> None:
    keys = [scheduler.queue(f"t{place}") for place in range(number)]
    scheduler.until_ended(*keys)
    scheduler.loop()
    assert scheduler.unacknowledged() == 0
    assert len(scheduler.executor._acknowledgements or ()) == 0
