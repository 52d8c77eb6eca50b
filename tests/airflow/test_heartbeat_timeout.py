"""For a task without a heartbeat the scheduler calls `change_state`, not `revoke_task`. Rows R8 and R10."""

from __future__ import annotations

from airflow.utils.state import TaskInstanceState
from scheduler import Scheduler, preassigned, task_instance


def running(scheduler: Scheduler) -> int:
    assert scheduler.executor.library is not None
    counts = scheduler.executor.library.counts()
    return counts.submitting + counts.running


def test_the_task_is_abandoned(scheduler: Scheduler) -> None:
    """R8"""
    key = scheduler.queue(builtin={"duration_ms": 100_000})
    scheduler.until(lambda: running(scheduler) == 1, "the task on Lambda")
    scheduler.executor.change_state(key, TaskInstanceState.FAILED, remove_running=True)
    assert running(scheduler) == 0
    assert scheduler.executor.running == set()
    scheduler.loop()
    assert scheduler.states(key)[-1] == "failed"


def test_a_late_result_changes_nothing(scheduler: Scheduler) -> None:
    """Surprise 8: not even for the next dispatch of the same key."""
    identity = task_instance().id
    key = scheduler.queue(ti=preassigned(identity=identity), builtin={"duration_ms": 300})
    scheduler.until(lambda: running(scheduler) == 1, "the task on Lambda")
    scheduler.executor.change_state(key, TaskInstanceState.FAILED, remove_running=True)
    scheduler.loop()
    scheduler.events.clear()
    scheduler.queue(ti=preassigned(identity=identity), builtin={"duration_ms": 900, "return_code": 1})
    assert scheduler.until_ended(key) == ["failed"]
    assert "success" not in scheduler.states(key)


def test_running_and_queued_do_not_abandon(scheduler: Scheduler) -> None:
    key = scheduler.queue(builtin={"duration_ms": 300})
    scheduler.until(lambda: running(scheduler) == 1, "the task on Lambda")
    scheduler.executor.queued(key, "id") if hasattr(scheduler.executor, "queued") else None
    scheduler.executor.running_state(key, "id")
    assert running(scheduler) == 1
    scheduler.executor.running.add(key)
    assert scheduler.until_ended(key) == ["success"]


def test_a_cleared_task_that_runs_gets_a_final_event(scheduler: Scheduler) -> None:
    """Surprise 10: in state RESTARTING any final event completes the clear. The process of the task learns by its own
    heartbeat that it is to end, and its exit is that event."""
    key = scheduler.queue(builtin={"duration_ms": 100, "return_code": 1})
    assert scheduler.until_ended(key) == ["failed"]


def test_a_cleared_task_whose_result_is_lost_is_lost(scheduler: Scheduler) -> None:
    """Surprise 10: otherwise the clear waits for the heartbeat timeout, and gets its event from there."""
    key = scheduler.queue(builtin={"silent": True})
    scheduler.until(lambda: scheduler.states(key), "the RUNNING event")
    scheduler.executor.change_state(key, TaskInstanceState.FAILED, remove_running=True)
    scheduler.loop()
    assert scheduler.final(key) == "failed"
