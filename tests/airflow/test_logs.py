"""The log of a running task. Row R7."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from lambda_executor.airflow import LambdaExecutor, task_log
from local_aws import LocalAws
from scheduler import task_instance


def running_instance() -> Any:
    ti = task_instance()
    ti.start_date = ti.queued_dttm = datetime.now(timezone.utc)
    return ti


def test_an_instance_that_was_not_started_names_the_log(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """R7: without a source line, Airflow requests the log from a log server that does not exist."""
    monkeypatch.setenv(
        "AIRFLOW_CONN_AWS_DEFAULT", '{"conn_type": "aws", "extra": {"endpoint_url": "http://127.0.0.1:9"}}'
    )
    sources, lines = LambdaExecutor().get_task_log(running_instance(), 1)
    assert (
        sources[0]
        == f"AWS Lambda function {aws.function_name}: its log group in CloudWatch is /aws/lambda/{aws.function_name}"
    )
    assert lines == []


def test_without_configuration_there_is_a_source_line() -> None:
    sources, _ = LambdaExecutor().get_task_log(running_instance(), 1)
    assert sources


def test_it_never_raises(aws: LocalAws, caught: list[str]) -> None:
    sources, lines = LambdaExecutor().get_task_log(object(), 1)
    assert sources
    assert lines == []
    caught.clear()


def test_the_streaming_form_is_the_same(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """R7: 3.4 uses this form first."""
    executor = LambdaExecutor()
    monkeypatch.setattr(executor, "get_task_log", lambda ti, try_number: (["source"], ["one", "two"]))
    sources, streams = executor.get_streaming_task_log(running_instance(), 1)
    assert (sources, [list(stream) for stream in streams]) == (["source"], [["one", "two"]])


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("f", "f"),
        ("f:live", "f"),
        ("arn:aws:lambda:eu-west-1:1:function:f", "f"),
        ("arn:aws:lambda:eu-west-1:1:function:f:7", "f"),
    ],
)
def test_the_log_group_is_named_by_the_function(function: str, name: str) -> None:
    assert task_log.name_of(function) == name


class CloudWatch(BaseHTTPRequestHandler):
    """The part of CloudWatch Logs that the tests need."""

    asked: list[dict[str, Any]]
    token = "eyJhbGciOi"

    def do_POST(self) -> None:
        arguments = json.loads(self.rfile.read(int(self.headers["content-length"])))
        action = self.headers["x-amz-target"].split(".")[1]
        type(self).asked.append({"action": action, **arguments})
        body = json.dumps({"events": self.events(action)}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def events(self, action: str) -> list[dict[str, Any]]:
        if action == "FilterLogEvents":
            return [{"timestamp": at, "logStreamName": f"stream {at}", "message": "begins"} for at in (5, 9, 7)]
        lines = [
            "Received event: " + self.token + " execute_workload",
            "begins",
            "works",
            "END RequestId: 1",
            "of another task",
        ]
        return [{"timestamp": 9, "message": line + "\n"} for line in lines]

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[CloudWatch]]:
    CloudWatch.asked = []
    server = HTTPServer(("127.0.0.1", 0), CloudWatch)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    connection = {
        "conn_type": "aws",
        "login": "id",
        "password": "secret",
        "extra": {"region_name": "us-east-1", "endpoint_url": f"http://127.0.0.1:{server.server_port}"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
    monkeypatch.setenv("AIRFLOW__AWS_LAMBDA_EXECUTOR__FUNCTION_NAME", "f")
    yield CloudWatch
    server.shutdown()
    thread.join()


@pytest.mark.needs_amazon
def test_cloudwatch_has_the_lines_of_this_run(cloudwatch: type[CloudWatch]) -> None:
    executor = LambdaExecutor()
    ti = running_instance()
    sources, lines = executor.get_task_log(ti, 1)
    assert sources[-1] == "Log stream stream 9"
    # The lines exclude the token that Airflow's handler logs, and the next task of the sandbox.
    assert lines == ["begins", "works"]
    found, read = cloudwatch.asked
    assert found["logGroupName"] == "/aws/lambda/f"
    assert (read["logStreamName"], read["startTime"]) == ("stream 9", 9)
    for term in (
        (ti.dag_id, ti.task_id, ti.run_id) if executor.__class__.supports_task_instance_uuid is False else (str(ti.id),)
    ):
        assert f'"{term}"' in found["filterPattern"]
