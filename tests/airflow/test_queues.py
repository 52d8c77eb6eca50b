"""The queue name of a task selects its function. Row D12."""

from __future__ import annotations

import pytest
from conftest import Start
from local_aws import LocalAws


@pytest.fixture(autouse=True)
def routes(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__LAMBDA_EXECUTOR__QUEUES", '{"missing": {"function_name": "missing"}, "same": {}}')
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_QUEUE", "main")


def test_airflows_default_queue_is_the_default_route(start: Start) -> None:
    scheduler = start()
    keys = [scheduler.queue(queue, queue=queue) for queue in ("main", "default", "same")]
    assert scheduler.until_ended(*keys) == ["success"] * 3


def test_an_unknown_queue_is_refused(start: Start) -> None:
    scheduler = start()
    key = scheduler.queue(queue="nowhere")
    assert scheduler.until_ended(key) == ["failed"]
    assert "nowhere" in scheduler.info(key, "failed")


def test_a_missing_function_delays_only_its_queue(start: Start) -> None:
    scheduler = start()
    waits = scheduler.queue("waits", queue="missing")
    assert scheduler.until_ended(scheduler.queue("runs")) == ["success"]
    assert scheduler.states(waits) == []
