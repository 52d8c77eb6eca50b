"""Creating an executor is cheap, starting it checks its options. Rows R13, B6, B7 and B8."""

from __future__ import annotations

import threading
import time
import warnings
from pathlib import Path

import pytest
from conftest import Start
from lambda_executor import InvalidConfigError
from lambda_executor.airflow import LambdaExecutor, versions
from local_aws import LocalAws
from scheduler import Scheduler


def test_creating_it_opens_nothing(aws: LocalAws) -> None:
    """The API server also creates one, to read logs."""
    threads = threading.active_count()
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    executors = [LambdaExecutor() for _ in range(20)]
    assert threading.active_count() == threads
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
    assert all(executor.library is None for executor in executors)


@pytest.mark.airflow(3, 0)
def test_creating_it_accepts_airflows_arguments(aws: LocalAws) -> None:
    """R12: 3.0 has `team_id`, later versions have `team_name`."""
    assert LambdaExecutor(5).parallelism == 5
    team = {"team_id": "t"} if versions.AIRFLOW < (3, 1) else {"team_name": "t"}
    assert LambdaExecutor(parallelism=5, **team).parallelism == 5


@pytest.mark.airflow(3, 0)
def test_the_configured_secret_signs(aws: LocalAws) -> None:
    """R13: without a secret, the base class creates one that no other process has, and warns."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        LambdaExecutor()
    assert not [warning for warning in caught if "jwt" in str(warning.message).lower()]


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS", "abc", "[aws_lambda_executor] max_invoke_attempts=abc"),
        ("AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS", "0", "max_invoke_attempts"),
        ("AWS_LAMBDA_EXECUTOR__CHECK_HEALTH_ON_STARTUP", "perhaps", "expected true or false"),
        ("AWS_LAMBDA_EXECUTOR__QUEUE_URL", "my-queue", "queue_url"),
        ("AWS_LAMBDA_EXECUTOR__FUNCTION_NAME", "", "function_name"),
        ("LAMBDA_EXECUTOR__QUEUES", "[1]", "[lambda_executor] queues=[1]: expected a JSON object"),
        ("LAMBDA_EXECUTOR__QUEUES", "{", "expected a JSON object"),
    ],
)
def test_invalid_options_are_raised_at_the_start(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch, option: str, value: str, expected: str
) -> None:
    """B6: the error names option, value and what is allowed."""
    monkeypatch.setenv(f"AIRFLOW__{option}", value)
    with pytest.raises(InvalidConfigError) as error:
        LambdaExecutor().start()
    assert expected in error.value.message


def test_all_invalid_options_are_named_at_once(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS", "abc")
    monkeypatch.setenv("AIRFLOW__LAMBDA_EXECUTOR__WORKER_THREADS", "many")
    with pytest.raises(InvalidConfigError) as error:
        LambdaExecutor().start()
    assert len(error.value.message.splitlines()) == 2


def test_a_missing_function_keeps_tasks_waiting(aws: LocalAws, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """B7: the health check names it; the scheduler continues."""
    monkeypatch.setenv("AIRFLOW__AWS_LAMBDA_EXECUTOR__FUNCTION_NAME", "missing")
    scheduler = start()
    key = scheduler.queue()
    assert scheduler.executor.library is not None
    library = scheduler.executor.library
    scheduler.until(lambda: "missing" in str(library.stats()["health"]), "the health check")
    assert scheduler.states(key) == []
    assert key in scheduler.executor.running


def test_without_the_check_at_start_no_request_is_sent(
    aws: LocalAws, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B8."""
    monkeypatch.setenv("AIRFLOW__AWS_LAMBDA_EXECUTOR__CHECK_HEALTH_ON_STARTUP", "False")
    scheduler = start()
    assert scheduler.until_ended(scheduler.queue()) == ["success"]
    assert set(aws.stats()["requests"]) == {"Invoke", "ReceiveMessage"}


def test_starting_does_not_wait_for_aws(
    tmp_path: Path, start: Start, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.faults(latency_ms=5000)
    began = time.monotonic()
    start()
    assert time.monotonic() - began < 2.5


def test_it_can_be_started_again(aws: LocalAws) -> None:
    """Airflow's loader caches executors: `dag.test` starts and ends the same one."""
    executor = LambdaExecutor()
    for _ in range(2):
        executor.start()
        scheduler = Scheduler(executor)
        assert scheduler.until_ended(scheduler.queue()) == ["success"]
        scheduler.loop()
        executor.end()
