"""Callbacks are workloads of executors since 3.3. Row R6."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import local_aws
import pytest
from conftest import Start
from lambda_executor.airflow import versions
from scheduler import Scheduler

pytestmark = pytest.mark.airflow(3, 3)


def queue_callback(scheduler: Scheduler, **data: Any) -> Any:
    from airflow.executors import workloads
    from airflow.executors.workloads.callback import CallbackDTO, CallbackFetchMethod

    workload = workloads.ExecuteCallback(
        callback=CallbackDTO(
            id=str(uuid.uuid4()), fetch_method=CallbackFetchMethod.IMPORT_PATH, data={"path": "a.b", **data}
        ),
        dag_rel_path="dag.py",
        token="a-token-that-is-secret",
        bundle_info=workloads.BundleInfo(name="b", version=None),
        log_path="log",
    )
    scheduler.executor.queue_workload(workload, None)
    return workload.key


def test_a_callback_succeeds(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.utils.state import CallbackState

    taken: list[Any] = []
    take = scheduler.executor.get_event_buffer

    def recorded() -> dict[Any, Any]:
        events = take()
        taken.extend(events.items())
        return events

    monkeypatch.setattr(scheduler.executor, "get_event_buffer", recorded)
    key = queue_callback(scheduler)
    assert scheduler.until_ended(key) == ["success"]
    assert {at for at, _ in taken} == {key}
    # These are states of callbacks, not of tasks.
    assert {type(state) for _, (state, _) in taken} == {CallbackState}
    assert scheduler.executor.running == set()


def test_a_failed_callback_has_a_reason(tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow stores the reason in `callback.output`."""
    with local_aws.running(tmp_path, "--handler", "builtin", "--builtin", '{"return_code": 3}') as aws:
        for name, text in aws.options().items():
            monkeypatch.setenv(name, text)
        scheduler = start()
        key = queue_callback(scheduler)
        assert scheduler.until_ended(key) == ["failed"]
        assert scheduler.info(key, "failed") == "the command exited with status 3"


def test_a_refused_callback_fails_with_the_reason(scheduler: Scheduler) -> None:
    key = queue_callback(scheduler, kwargs={"text": "x" * 2_000_000})
    assert scheduler.until_ended(key) == ["failed"]
    assert "max_payload_bytes" in scheduler.info(key, "failed")
    # No row in Airflow's log: that log is for task instances.
    assert scheduler.logged() == []


@pytest.mark.airflow(3, 4)
def test_the_set_of_types_names_them(scheduler: Scheduler) -> None:
    from airflow.executors.workloads.base import WorkloadType

    expected = {WorkloadType.EXECUTE_TASK, WorkloadType.EXECUTE_CALLBACK}
    assert scheduler.executor.supported_workload_types == versions.WORKLOAD_TYPES == expected
    assert scheduler.executor.supports_callbacks
    assert not scheduler.executor.supports_connection_test


@pytest.mark.airflow_before(3, 4)
def test_the_flag_names_them(scheduler: Scheduler) -> None:
    assert scheduler.executor.supports_callbacks is True
    assert not scheduler.executor.supports_connection_test
