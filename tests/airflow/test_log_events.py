"""Each failure adds a row to Airflow's log. Rows R14 and D10."""

from __future__ import annotations

import json

import pytest
from lambda_executor import Event, Reason, State
from lambda_executor.airflow import outcomes
from local_aws import LocalAws
from scheduler import Scheduler, task_instance

WIDTH = 60


@pytest.mark.parametrize("reason", list(Reason))
def test_every_name_fits_airflows_column(reason: Reason) -> None:
    """R14: with a longer name the scheduler loses the events of that loop."""
    failed = outcomes.failure(made(reason))
    assert failed is not None
    assert 0 < len(failed.name) <= WIDTH
    assert failed.reason
    assert failed.extra.startswith(failed.reason)


def test_the_column_has_the_expected_width() -> None:
    from airflow.models.log import Log

    assert Log.__table__.c.event.type.length == WIDTH


def test_a_reason_of_a_newer_library() -> None:
    failed = outcomes.failure(made(Reason(99)))
    assert failed is not None
    assert failed.name == "lambda unnamed_99"


def test_a_dead_letter(aws: LocalAws, scheduler: Scheduler) -> None:
    """D10: the user sees the reason of the dead letter."""
    key = scheduler.queue(builtin={"crash": True})
    assert scheduler.until_ended(key) == ["failed"]
    ((name, extra),) = scheduler.logged()
    assert name == "lambda dead letter"
    assert scheduler.info(key, "failed") in extra
    assert "request id: " in extra


def test_an_invoke_failure(aws: LocalAws, scheduler: Scheduler) -> None:
    """B9: a task that cannot succeed fails at once."""
    key = scheduler.queue(executor_config={"x": "y" * 999_990})
    assert scheduler.until_ended(key) == ["failed"]
    assert [name for name, _ in scheduler.logged()] == ["lambda invoke failure"]


def test_a_time_limit(aws: LocalAws, scheduler: Scheduler) -> None:
    result = {"return_code": 124, "reason": "timeout", "signal": 15, "output_tail": "still busy"}
    assert sent(aws, scheduler, **result) == "failed"
    ((name, extra),) = scheduler.logged()
    assert name == "lambda time limit"
    assert extra.endswith("still busy")


def test_a_killed_command(aws: LocalAws, scheduler: Scheduler) -> None:
    assert sent(aws, scheduler, return_code=-9, reason="signal", signal=9) == "failed"
    assert [name for name, _ in scheduler.logged()] == ["lambda task killed"]


def test_a_lost_task(aws: LocalAws, start: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """D4: neither result nor dead letter arrives. Takes seconds, until all queues have been read after the deadline."""
    monkeypatch.setenv("AIRFLOW__LAMBDA_EXECUTOR__RESULT_TIMEOUT_MS", "500")
    monkeypatch.setenv("AIRFLOW__LAMBDA_EXECUTOR__MAX_UNMATCHED_DELAY_S", "1")
    scheduler = start()  # type: ignore[operator]
    import scheduler as module

    monkeypatch.setattr(module, "PATIENCE_S", 300.0)
    key = scheduler.queue(builtin={"silent": True})
    assert scheduler.until_ended(key) == ["failed"]
    assert [name for name, _ in scheduler.logged()] == ["lambda task lost"]


def test_the_scheduler_stores_them_all(scheduler: Scheduler) -> None:
    """Also with SQLAlchemy 2.1, which receives a generator and references the rows weakly."""
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models.log import Log
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import Session

    executor = scheduler.executor
    for name in ("one", "two"):
        executor.log_task_event(event=name, extra="text", ti_key=task_instance().key)
    engine = create_engine("sqlite://")
    Log.__table__.create(engine)
    with Session(engine) as session:
        SchedulerJobRunner._process_task_event_logs(executor._task_event_logs, session)
        session.commit()
        assert sorted(session.scalars(select(Log.event))) == ["one", "two"]
    executor.heartbeat()
    assert executor._logged == []


def test_rows_that_are_not_stored_yet_are_kept(scheduler: Scheduler) -> None:
    """Another heartbeat may come before the rows are stored."""
    scheduler.executor.log_task_event(event="one", extra="text", ti_key=task_instance().key)
    scheduler.executor.heartbeat()
    assert scheduler.executor._logged == list(scheduler.executor._task_event_logs) != []


def sent(aws: LocalAws, scheduler: Scheduler, **result: object) -> str:
    """The final state of a task with this result."""
    key = scheduler.queue(builtin={"silent": True})
    scheduler.until(lambda: scheduler.states(key), "the RUNNING event")
    (dispatch,) = scheduler.executor._dispatches.all()
    body = {"task_key": dispatch.wire, "attempt_id": dispatch.attempt_id, **result}
    aws.send(aws.queue_url, json.dumps(body))
    (state,) = scheduler.until_ended(key)
    return state


def made(reason: Reason) -> Event:
    """An event with only a reason."""
    return Event(
        seq=1,
        tag=0,
        key="k",
        state=State.FAILED,
        reason=reason,
        return_code=None,
        signal=0,
        attempts=0,
        queued_at=None,
        submitted_at=None,
        started_at=None,
        finished_at=None,
        message="",
        output_tail="",
        value=b"",
        request_id="",
        log_stream="",
        attempt_id="",
    )
