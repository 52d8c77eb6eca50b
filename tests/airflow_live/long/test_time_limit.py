"""A task over the function's time limit."""

from collections.abc import Iterator

import pytest
import runs
from conftest import Live

# Enough for Airflow's imports on a slow machine.
LIMIT_S = 30


@pytest.fixture
def limited(live: Live) -> Iterator[Live]:
    awslambda, function = live.airflow.aws.awslambda(), live.airflow.aws.function_name
    before = awslambda.get_function_configuration(FunctionName=function)["Timeout"]
    awslambda.update_function_configuration(FunctionName=function, Timeout=LIMIT_S)
    yield live
    awslambda.update_function_configuration(FunctionName=function, Timeout=before)


def test_a_task_over_the_time_limit_fails(limited: Live) -> None:
    airflow = limited.airflow
    limited.web.trigger("live_endless", "limited")
    assert runs.wait_for_run(airflow, "live_endless", "limited") == "failed"
    task = runs.task(airflow, "live_endless", "limited", "runs_on")
    assert (task.state, task.try_number) == ("failed", 1)
    assert "try 1 runs" in limited.web.log("live_endless", "limited", "runs_on", 1)
