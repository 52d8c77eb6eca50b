"""A task for a function that does not exist."""

from collections.abc import Iterator

import pytest
import runs
from conftest import Live


@pytest.fixture
def without_function(live: Live) -> Iterator[Live]:
    """Configures the scheduler for another function during the test."""
    airflow = live.airflow
    airflow.stop("scheduler")
    airflow.start(
        "scheduler",
        AIRFLOW__AWS_LAMBDA_EXECUTOR__FUNCTION_NAME="no-such-function",
        AIRFLOW__AWS_LAMBDA_EXECUTOR__CHECK_HEALTH_ON_STARTUP="False",
        # A missing function is an outage of its route: the operator may create it.
        AIRFLOW__LAMBDA_EXECUTOR__MAX_OUTAGE_MS="5000",
    )
    yield live
    airflow.stop("scheduler")
    airflow.start("scheduler")


def test_a_task_whose_function_is_missing_fails_with_the_reason(without_function: Live) -> None:
    airflow = without_function.airflow
    without_function.web.trigger("live_success", "missing")
    assert runs.wait_for_run(airflow, "live_success", "missing") == "failed"
    assert runs.task(airflow, "live_success", "missing", "answer").state == "failed"
    reasons = [text for event, task, text in runs.events(airflow, "live_success", "missing") if task == "answer"]
    assert any("no-such-function" in text for text in reasons), reasons
