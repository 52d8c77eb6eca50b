"""Invoke and GetFunction: forms of a name, kinds of invocation, and errors."""

import json
from dataclasses import replace

import pytest
import servers
from botocore.exceptions import ClientError
from errors import refused
from messages import messages

from .conftest import QUICK, Start, event

NOT_FOUND = ("ResourceNotFoundException", 404)


def test_event_is_accepted_and_reported(local: servers.LocalServer) -> None:
    answer = local.awslambda().invoke(
        FunctionName=local.function_name, InvocationType="Event", Payload=event("reported", return_code=3)
    )
    assert answer["StatusCode"] == 202
    assert answer["Payload"].read() == b""
    assert answer["ResponseMetadata"]["RequestId"]
    result = json.loads(messages(local, local.queue_url, 1)[0]["Body"])
    assert (result["task_key"], result["return_code"]) == ("reported", 3)
    assert result["request_id"] == answer["ResponseMetadata"]["RequestId"]


def test_request_and_response(local: servers.LocalServer) -> None:
    answer = local.awslambda().invoke(FunctionName=local.function_name, Payload=event("answered"))
    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer
    assert answer["ExecutedVersion"] == "$LATEST"
    json.loads(answer["Payload"].read() or b"null")
    messages(local, local.queue_url, 1)


def test_dry_run_runs_nothing(local: servers.LocalServer) -> None:
    answer = local.awslambda().invoke(
        FunctionName=local.function_name, InvocationType="DryRun", Payload=event("never run")
    )
    assert answer["StatusCode"] == 204
    assert "Messages" not in local.sqs().receive_message(QueueUrl=local.queue_url)


@pytest.mark.parametrize("form", ["{name}", "{arn}", "{name}:$LATEST", "{arn}:$LATEST", "{account}:function:{name}"])
def test_forms_of_a_name(local: servers.LocalServer, form: str) -> None:
    client = local.awslambda()
    arn = client.get_function(FunctionName=local.function_name)["Configuration"]["FunctionArn"]
    name = form.format(name=local.function_name, arn=arn, account=arn.split(":")[4])
    answer = client.invoke(FunctionName=name, InvocationType="DryRun", Payload=b"{}")
    assert answer["StatusCode"] == 204


def test_qualifier(local: servers.LocalServer) -> None:
    client = local.awslambda()
    answer = client.invoke(
        FunctionName=local.function_name, InvocationType="DryRun", Qualifier="$LATEST", Payload=b"{}"
    )
    assert answer["StatusCode"] == 204
    for kind in ("Event", "RequestResponse", "DryRun"):
        answer_of = refused(
            client.invoke, FunctionName=local.function_name, InvocationType=kind, Qualifier="none", Payload=b"{}"
        )
        assert answer_of == NOT_FOUND


def test_unknown_function(local: servers.LocalServer) -> None:
    client = local.awslambda()
    assert refused(client.invoke, FunctionName="none", InvocationType="Event", Payload=b"{}") == NOT_FOUND
    assert refused(client.get_function, FunctionName="none") == NOT_FOUND
    assert refused(client.get_function, FunctionName=local.function_name, Qualifier="none") == NOT_FOUND


@pytest.mark.parametrize("kind", ["Event", "RequestResponse"])
def test_a_payload_that_is_not_json(local: servers.LocalServer, kind: str) -> None:
    answer = refused(
        local.awslambda().invoke, FunctionName=local.function_name, InvocationType=kind, Payload=b'{"task_key": '
    )
    assert answer == ("InvalidRequestContentException", 400)


# Lambda itself accepts 100 bytes more than 6 MiB.
@pytest.mark.parametrize(("kind", "limit"), [("Event", 1024 * 1024), ("RequestResponse", 6 * 1024 * 1024 + 100)])
def test_payload_limit(local: servers.LocalServer, kind: str, limit: int) -> None:
    answer = refused(
        local.awslambda().invoke,
        FunctionName=local.function_name,
        InvocationType=kind,
        Payload=json.dumps("x" * limit).encode(),
    )
    assert answer == ("RequestEntityTooLargeException", 413)


def test_event_of_just_the_limit(local: servers.LocalServer) -> None:
    payload = event("large")
    payload = payload[:-1] + b" " * (1024 * 1024 - len(payload)) + payload[-1:]
    answer = local.awslambda().invoke(FunctionName=local.function_name, InvocationType="Event", Payload=payload)
    assert answer["StatusCode"] == 202
    messages(local, local.queue_url, 1)


def test_get_function(local: servers.LocalServer) -> None:
    configuration = local.awslambda().get_function(FunctionName=local.function_name)["Configuration"]
    assert configuration["FunctionName"] == local.function_name
    assert configuration["FunctionArn"].endswith(f":function:{local.function_name}")
    assert configuration["Version"] == "$LATEST"
    assert configuration["State"] == "Active"
    assert configuration["Timeout"] == 900


def test_create_function(start: Start) -> None:
    server = start(handler="builtin", **QUICK)
    client = server.awslambda()
    arguments = {
        "FunctionName": "another",
        "Role": "arn:aws:iam::000000000000:role/any",
        "Runtime": "provided.al2023",
        "Handler": "builtin",
        "Code": {"ZipFile": b"PK\x05\x06" + b"\0" * 18},
        "Timeout": 7,
        "Environment": {"Variables": {"LAMBDA_EXECUTOR_LOCAL_HANDLER": "builtin"}},
    }
    made = client.create_function(**arguments)  # type: ignore[arg-type]
    assert made["FunctionName"] == "another"
    assert client.get_function(FunctionName="another")["Configuration"]["Timeout"] == 7
    assert client.invoke(FunctionName="another", InvocationType="Event", Payload=event("x"))["StatusCode"] == 202
    assert refused(client.create_function, **arguments) == ("ResourceConflictException", 409)


def test_signature_with_another_secret(local: servers.LocalServer) -> None:
    wrong = replace(local, secret_access_key="wrong")
    answer = refused(wrong.awslambda().get_function, FunctionName=local.function_name)
    assert answer == ("InvalidSignatureException", 403)
    code, status = refused(wrong.sqs().receive_message, QueueUrl=local.queue_url)
    assert code in {"SignatureDoesNotMatch", "InvalidSignatureException"}
    assert status in {400, 403}


def test_unknown_access_key(local: servers.LocalServer) -> None:
    wrong = replace(local, access_key_id="AKIANOBODY0000000000")
    answer = refused(wrong.awslambda().get_function, FunctionName=local.function_name)
    assert answer == ("UnrecognizedClientException", 403)
    code, status = refused(wrong.sqs().receive_message, QueueUrl=local.queue_url)
    assert code in {"InvalidClientTokenId", "UnrecognizedClientException"}
    assert status in {400, 403}


def test_throttling_by_configuration(start: Start) -> None:
    server = start(handler="builtin", faults={"lambda": {"throttle": 1.0}})
    with pytest.raises(ClientError) as caught:
        server.awslambda().invoke(FunctionName=server.function_name, InvocationType="Event", Payload=b"{}")
    response = caught.value.response
    assert response["Error"]["Code"] == "TooManyRequestsException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert "retry-after" in response["ResponseMetadata"]["HTTPHeaders"]
    assert response["Reason"]  # type: ignore[typeddict-item]


def test_server_errors_by_configuration(start: Start) -> None:
    server = start(handler="builtin", faults={"error": 1.0})
    client = server.awslambda()
    answer = refused(client.invoke, FunctionName=server.function_name, InvocationType="Event", Payload=b"{}")
    assert answer == ("ServiceException", 500)
    _, status = refused(server.sqs().receive_message, QueueUrl=server.queue_url)
    assert status >= 500
