"""The number of tasks that an executor has at once. Rows R11 and A1."""

from __future__ import annotations

from conftest import Start
from lambda_executor.airflow import versions
from local_aws import LocalAws
from scheduler import Scheduler


def test_parallelism_limits_what_is_submitted(aws: LocalAws, start: Start) -> None:
    """R11: Airflow's own limit, for queued and running tasks together."""
    scheduler = start(parallelism=3)
    keys = [scheduler.queue(f"t{place}", builtin={"duration_ms": 100}) for place in range(10)]
    scheduler.executor.heartbeat()
    assert len(scheduler.executor.running) == 3
    assert scheduler.executor.slots_available == 3 - 10
    assert set(scheduler.until_ended(*keys)) == {"success"}
    assert scheduler.executor.slots_available == 3


def test_a_refused_task_has_its_slot_until_its_failure_is_processed(aws: LocalAws, start: Start) -> None:
    """B6: no slot is leaked."""
    scheduler = start(parallelism=1)
    key = scheduler.queue(executor_config={"too large": "x" * 2_000_000})
    assert scheduler.until_ended(key) == ["failed"]
    assert "max_payload_bytes" in scheduler.info(key, "failed")
    ((name, extra),) = scheduler.logged()
    assert name == "lambda invoke failure"
    assert "max_payload_bytes" in extra
    assert scheduler.executor.slots_available == 1


def test_values_that_are_not_json_fail_with_a_reason(scheduler: Scheduler, caught: list[str]) -> None:
    """An executor_config left from another executor, such as a pod_override of Kubernetes."""
    if versions.AIRFLOW >= (3, 0):
        # Airflow's own model of the workload accepts values that are not JSON.
        key = scheduler.queue(executor_config={"pod_override": {1, 2}})
    else:
        key = scheduler.queue(executor_config={"pod_override": object()})
    assert scheduler.until_ended(key) == ["failed"]
    assert "JSON" in scheduler.info(key, "failed")
    assert scheduler.executor.running == set()
    caught.clear()


def test_the_library_being_full_only_delays(aws: LocalAws, start: Start, monkeypatch: object) -> None:
    import os

    os.environ["AIRFLOW__LAMBDA_EXECUTOR__MAX_QUEUED_TASKS"] = "5"
    try:
        scheduler = start()
    finally:
        del os.environ["AIRFLOW__LAMBDA_EXECUTOR__MAX_QUEUED_TASKS"]
    keys = [scheduler.queue(f"t{place}") for place in range(40)]
    assert set(scheduler.until_ended(*keys)) == {"success"}
