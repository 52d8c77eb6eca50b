"""At SIGUSR2 Airflow prints the state of the executor."""

from __future__ import annotations

import pytest
from lambda_executor.airflow import LambdaExecutor
from lambda_executor.airflow.dispatches import text_of
from scheduler import Scheduler


def test_it_shows_dispatches_and_statistics(scheduler: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
    key = scheduler.queue(builtin={"duration_ms": 100_000})
    scheduler.until(lambda: scheduler.states(key), "the RUNNING event")
    scheduler.executor.debug_dump()
    assert f"{text_of(key)} attempt_id=" in caplog.text
    assert '"health"' in caplog.text


def test_before_it_is_started(caplog: pytest.LogCaptureFixture) -> None:
    LambdaExecutor().debug_dump()
    assert "not started" in caplog.text


def test_no_token_is_shown(scheduler: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
    """E3: workloads contain a secret."""
    scheduler.until_ended(scheduler.queue(builtin={"return_code": 1}))
    scheduler.executor.debug_dump()
    assert "a-token-that-is-secret" not in caplog.text
    assert all("a-token-that-is-secret" not in extra for _, extra in scheduler.logged())
