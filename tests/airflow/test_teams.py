"""An executor of a team has the team's options and connection."""

from __future__ import annotations

import json

import pytest
from conftest import Start
from lambda_executor import InvalidConfigError
from lambda_executor.airflow import LambdaExecutor
from local_aws import LocalAws

pytestmark = pytest.mark.airflow(3, 1)


@pytest.fixture
def team(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> str:
    """The common executor's options point to nothing."""
    for name, text in aws.options().items():
        if name.startswith("AIRFLOW__"):
            monkeypatch.setenv(name.replace("AIRFLOW__", "AIRFLOW__BLUE___"), text)
            monkeypatch.setenv(name, "http://127.0.0.1:9/1/nowhere")
    monkeypatch.setenv("AIRFLOW__CORE__MULTI_TEAM", "True")
    return "blue"


def test_its_options(team: str, start: Start) -> None:
    scheduler = start(team_name=team)
    assert scheduler.until_ended(scheduler.queue()) == ["success"]


def test_its_connection(aws: LocalAws, team: str, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = aws.options()["AIRFLOW_CONN_AWS_DEFAULT"]
    monkeypatch.setenv("AIRFLOW_CONN__BLUE___AWS_DEFAULT", connection)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({"conn_type": "aws", "login": "x", "password": "y"}))
    scheduler = start(team_name=team)
    assert scheduler.until_ended(scheduler.queue()) == ["success"]


def test_never_the_common_options(team: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW__BLUE___AWS_LAMBDA_EXECUTOR__QUEUE_URL")
    with pytest.raises(InvalidConfigError) as error:
        LambdaExecutor(team_name=team).start()
    assert "queue_url" in error.value.message


def test_it_supports_teams() -> None:
    assert LambdaExecutor.supports_multi_team
