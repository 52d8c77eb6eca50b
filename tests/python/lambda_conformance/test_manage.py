"""Functions created and changed with boto3: versions, aliases, concurrency, retries, dead letters, state."""

import json
from typing import Any

import pytest
import servers
from errors import refused
from messages import messages

from .conftest import QUICK, Start, event

EMPTY_ZIP = b"PK\x05\x06" + b"\0" * 18


def create(server: servers.Server, name: str, variables: dict[str, str], **more: Any) -> None:  # noqa: ANN401
    server.awslambda().create_function(
        FunctionName=name,
        Role="arn:aws:iam::000000000000:role/any",
        Runtime="provided.al2023",
        Handler="bootstrap",
        Code={"ZipFile": EMPTY_ZIP},
        Environment={"Variables": variables},
        **more,
    )


def test_versions_and_aliases(start: Start) -> None:
    server = start(handler="builtin", **QUICK)
    client, name = server.awslambda(), server.function_name
    version = client.publish_version(FunctionName=name)["Version"]
    assert version == "1"
    alias = client.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    assert alias["AliasArn"].endswith(f":{name}:live")
    assert client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == version
    for qualifier in ("1", "live"):
        answer = client.invoke(FunctionName=name, Qualifier=qualifier, Payload=event(qualifier))
        assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "1")
        configuration = client.get_function(FunctionName=name, Qualifier=qualifier)["Configuration"]
        assert configuration["FunctionArn"].endswith(f":{name}:{qualifier}")
    assert client.invoke(FunctionName=f"{name}:live", InvocationType="DryRun")["StatusCode"] == 204
    answer_of = refused(client.create_alias, FunctionName=name, Name="live", FunctionVersion=version)
    assert answer_of == ("ResourceConflictException", 409)


def test_retries_and_dead_letters_of_one_function(start: Start) -> None:
    server = start(handler="builtin", **QUICK)
    sqs, client = server.sqs(), server.awslambda()
    letters = sqs.create_queue(QueueName="its-own-letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    handler = {"LAMBDA_EXECUTOR_LOCAL_HANDLER": "builtin", "QUEUE_URL": server.queue_url}
    create(server, "crashes", handler, DeadLetterConfig={"TargetArn": arn})
    made = client.put_function_event_invoke_config(FunctionName="crashes", MaximumRetryAttempts=0)
    assert made["MaximumRetryAttempts"] == 0
    payload = event("crashed", crash=True)
    client.invoke(FunctionName="crashes", InvocationType="Event", Payload=payload)
    letter = messages(server, letters, 1)[0]
    assert letter["Body"].encode() == payload
    assert letter["MessageAttributes"]["ErrorCode"]["StringValue"] == "200"


def test_the_destination_wins_its_own_form(start: Start) -> None:
    server = start(handler="builtin", **QUICK)
    sqs, client = server.sqs(), server.awslambda()
    queue = sqs.create_queue(QueueName="failures")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    create(server, "crashes", {"LAMBDA_EXECUTOR_LOCAL_HANDLER": "builtin"})
    client.put_function_event_invoke_config(
        FunctionName="crashes", MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    client.invoke(FunctionName="crashes", InvocationType="Event", Payload=event("crashed", crash=True))
    record = json.loads(messages(server, queue, 1)[0]["Body"])
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["requestPayload"]["task_key"] == "crashed"


def test_no_reserved_concurrency(start: Start) -> None:
    server = start(handler="builtin", **QUICK)
    client, name = server.awslambda(), server.function_name
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    answer_of = refused(client.invoke, FunctionName=name, Payload=event("refused"))
    assert answer_of == ("TooManyRequestsException", 429)
    client.invoke(FunctionName=name, InvocationType="Event", Payload=event("given up"))
    letter = messages(server, server.dead_letter_queue_url, 1)[0]
    assert json.loads(letter["Body"])["task_key"] == "given up"
    client.delete_function_concurrency(FunctionName=name)
    assert client.invoke(FunctionName=name, Payload=event("runs"))["StatusCode"] == 200


@pytest.mark.parametrize("state", ["Pending", "Failed"])
def test_a_function_can_be_seen_in_another_state(start: Start, state: str) -> None:
    server = start(handler="builtin", **QUICK)
    create(server, "not-active", {"LAMBDA_EXECUTOR_LOCAL_STATE": state})
    assert server.awslambda().get_function(FunctionName="not-active")["Configuration"]["State"] == state


def test_a_deleted_function_is_gone(start: Start) -> None:
    server = start(handler="builtin", **QUICK)
    client, name = server.awslambda(), server.function_name
    client.delete_function(FunctionName=name)
    assert refused(client.get_function, FunctionName=name) == ("ResourceNotFoundException", 404)
