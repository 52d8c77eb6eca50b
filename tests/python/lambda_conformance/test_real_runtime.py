"""Handlers under the real awslambdaric: answers, errors, time limit, crash, warm processes, retries, dead letters."""

import json
import re
from pathlib import Path

import pytest
import servers
from messages import messages

from .conftest import Start, runtime


def invoke(server: servers.LocalServer, payload: object) -> tuple[object, str | None]:
    """Answer and function error of a synchronous invocation."""
    answer = server.awslambda().invoke(FunctionName=server.function_name, Payload=json.dumps(payload).encode())
    assert answer["StatusCode"] == 200
    return json.loads(answer["Payload"].read()), answer.get("FunctionError")


def send(server: servers.LocalServer, payload: object) -> str:
    """Request id of an asynchronous invocation."""
    answer = server.awslambda().invoke(
        FunctionName=server.function_name, InvocationType="Event", Payload=json.dumps(payload).encode()
    )
    return answer["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True]}, "text ü 日本", 7, None, []])
def test_answers_come_back(start: Start, value: object) -> None:
    assert invoke(start(**runtime("plain.echo")), value) == (value, None)


def test_the_runtime_has_the_data_of_the_invocation(start: Start) -> None:
    server = start(**runtime("plain.about"), timeout_ms=30_000, env={"EXTRA": "given"})
    data, error = invoke(server, {})
    assert error is None
    assert isinstance(data, dict)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", data["request_id"])
    assert data["arn"].endswith(f":function:{server.function_name}")
    assert data["name"] == server.function_name
    assert data["version"] == "$LATEST"
    assert 25_000 < data["remaining_ms"] <= 30_000
    assert data["log_stream"]
    environment = data["environment"]
    assert environment["EXTRA"] == "given"
    assert environment["AWS_REGION"] == server.region
    assert environment["AWS_ENDPOINT_URL"] == server.endpoint_url
    assert environment["QUEUE_URL"] == server.queue_url
    for name in ("MEMORY_SIZE", "NAME", "VERSION"):
        assert environment[f"AWS_LAMBDA_FUNCTION_{name}"]
    assert environment["LAMBDA_TASK_ROOT"]


def test_one_process_serves_one_after_another(start: Start) -> None:
    server = start(**runtime("plain.about"))
    answers = [invoke(server, {})[0] for _ in range(3)]
    assert [answer["calls"] for answer in answers if isinstance(answer, dict)] == [1, 2, 3]
    assert len({answer["pid"] for answer in answers if isinstance(answer, dict)}) == 1


def test_an_exception_is_a_function_error(start: Start) -> None:
    answer, error = invoke(start(**runtime("plain.act")), {"do": "raise", "message": "no luck"})
    assert error == "Unhandled"
    assert isinstance(answer, dict)
    assert (answer["errorType"], answer["errorMessage"]) == ("ValueError", "no luck")


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_a_crash_is_a_function_error_and_the_next_runs(start: Start, how: str) -> None:
    server = start(**runtime("plain.act"))
    answer, error = invoke(server, {"do": how})
    assert error == "Unhandled"
    assert isinstance(answer, dict)
    assert answer["errorType"] == "Runtime.ExitError"
    assert invoke(server, {"do": "nothing"}) == ("done", None)


def test_time_limit(start: Start) -> None:
    server = start(**runtime("plain.act"), timeout_ms=1500)
    answer, error = invoke(server, {"do": "sleep"})
    assert error == "Unhandled"
    assert isinstance(answer, dict)
    assert answer["errorType"] == "Sandbox.Timedout"
    assert invoke(server, {"do": "nothing"}) == ("done", None)


def test_a_handler_that_cannot_start(start: Start) -> None:
    server = start(**runtime("no_such_module.handler"))
    answer, error = invoke(server, {})
    assert error == "Unhandled"
    assert isinstance(answer, dict)
    assert "no_such_module" in answer["errorMessage"]


@pytest.mark.parametrize("retries", [0, 2])
def test_retries_keep_the_request_id(start: Start, tmp_path: Path, retries: int) -> None:
    server = start(**runtime("plain.act"), maximum_retry_attempts=retries)
    file = tmp_path / "runs"
    request = send(server, {"do": "raise", "file": str(file)})
    messages(server, server.dead_letter_queue_url, 1)
    assert file.read_text().split() == [request] * (retries + 1)


def test_dead_letter(start: Start) -> None:
    server = start(**runtime("plain.act"))
    payload = {"do": "raise", "message": "m" * 2000, "task_key": "k", "spaces": "kept  ü"}
    request = send(server, payload)
    letter = messages(server, server.dead_letter_queue_url, 1)[0]
    assert letter["Body"] == json.dumps(payload)
    attributes = {
        name: (attribute["DataType"], attribute["StringValue"])
        for name, attribute in letter["MessageAttributes"].items()
    }
    assert attributes["RequestID"] == ("String", request)
    assert attributes["ErrorCode"] == ("Number", "200")
    kind, text = attributes["ErrorMessage"]
    assert kind == "String"
    assert "mmm" in text
    assert len(text) <= 1024


def test_record_of_an_on_failure_destination(start: Start) -> None:
    server = start(**runtime("plain.act"), on_failure="destination")
    payload = {"do": "raise", "message": "no luck"}
    request = send(server, payload)
    record = json.loads(messages(server, server.dead_letter_queue_url, 1)[0]["Body"])
    assert record["version"] == "1.0"
    assert record["timestamp"]
    assert record["requestContext"]["requestId"] == request
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestContext"]["functionArn"].endswith(f":function:{server.function_name}:$LATEST")
    assert record["requestPayload"] == payload
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["responsePayload"]["errorMessage"] == "no luck"


def test_no_concurrency_goes_straight_to_the_dead_letters(start: Start, tmp_path: Path) -> None:
    server = start(**runtime("plain.act"), concurrency=0)
    file = tmp_path / "runs"
    send(server, {"do": "nothing", "file": str(file)})
    messages(server, server.dead_letter_queue_url, 1)
    assert not file.exists()
