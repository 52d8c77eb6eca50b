"""The library against moto: SQS and GetFunction.

moto supports SQS with its semantics and error codes, and the control plane of Lambda. It cannot run an Event
invocation: without Docker it answers 202 and runs nothing, even for a function that does not exist. So the tests act
as the function: they put results and dead letters into the queues.
"""

import json
import uuid
from collections.abc import Iterator

import boto3
import pytest
import servers
from library import health_error, health_warnings, run_tasks

from .conftest import Deployment, archive, command


@pytest.fixture
def deployment(moto: servers.Server) -> Iterator[Deployment]:
    sqs, client = moto.sqs(), moto.awslambda()
    name = f"f-{uuid.uuid4()}"
    queue, letters = (sqs.create_queue(QueueName=f"{name}-{kind}")["QueueUrl"] for kind in ("results", "letters"))
    iam = boto3.session.Session().client(
        "iam",
        endpoint_url=moto.endpoint_url,
        region_name=moto.region,
        aws_access_key_id=moto.access_key_id,
        aws_secret_access_key=moto.secret_access_key,
    )
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client.create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Role=role,
        Handler="bootstrap",
        Code={"ZipFile": archive("bootstrap", "#!/bin/sh\n")},
    )
    yield Deployment(moto, name, queue, letters)
    for url in (queue, letters):
        sqs.delete_queue(QueueUrl=url)
    client.delete_function(FunctionName=name)


def put(deployment: Deployment, queue_url: str, *bodies: object) -> None:
    """Acts as the function: puts messages into a queue."""
    sqs = deployment.server.sqs()
    for body in bodies:
        sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps(body))


def left(deployment: Deployment, queue_url: str) -> int:
    """Number of messages in the queue, in flight or not."""
    answer = deployment.server.sqs().get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    return int(answer["ApproximateNumberOfMessages"]) + int(answer["ApproximateNumberOfMessagesNotVisible"])


def test_results_are_taken_and_deleted(deployment: Deployment) -> None:
    results = [{"task_key": f"k-{number}", "return_code": number} for number in range(25)]
    finals = run_tasks(
        deployment.server,
        deployment.config,
        [command(f"k-{number}", "true") for number in range(25)],
        check_health=True,
        when_running=lambda: put(deployment, deployment.queue_url, *results),
    )
    assert [finals[f"k-{number}"]["return_code"] for number in range(25)] == list(range(25))
    assert left(deployment, deployment.queue_url) == 0


def test_malformed_results_are_deleted_and_unmatched_ones_stay(deployment: Deployment) -> None:
    malformed: list[object] = [5, None, {"task_key": []}]
    unmatched = {"task_key": "of another executor", "return_code": 0}
    last = {"task_key": "k", "return_code": 4}
    final = run_tasks(
        deployment.server,
        deployment.config,
        [command("k", "true")],
        when_running=lambda: put(deployment, deployment.queue_url, *malformed, unmatched, last),
    )["k"]
    assert final["return_code"] == 4
    assert left(deployment, deployment.queue_url) == 1


def test_a_dead_letter_is_a_failure(deployment: Deployment) -> None:
    event = {"task_key": "k", "command": ["true"], "executor_config": {}}

    def fail() -> None:
        deployment.server.sqs().send_message(
            QueueUrl=deployment.dead_letter_queue_url,
            MessageBody=json.dumps(event),
            MessageAttributes={
                "RequestID": {"DataType": "String", "StringValue": str(uuid.uuid4())},
                "ErrorCode": {"DataType": "Number", "StringValue": "200"},
                "ErrorMessage": {"DataType": "String", "StringValue": "the function crashed"},
            },
        )

    final = run_tasks(deployment.server, deployment.config, [command("k", "true")], when_running=fail)["k"]
    assert (final["state"], final["reason"]) == ("failed", "dead_letter")
    assert "the function crashed" in final["message"]
    assert left(deployment, deployment.dead_letter_queue_url) == 0


def test_health_reports_missing_resources(deployment: Deployment) -> None:
    assert "none" in health_error(deployment.server, {**deployment.config, "function_name": "none"})
    url = deployment.queue_url + "-none"
    assert url in health_error(deployment.server, {**deployment.config, "queue_url": url})


def test_health_warns_of_queues_that_do_not_fit(deployment: Deployment) -> None:
    of_function = health_warnings(deployment.server, deployment.config)
    assert not any(warning.startswith("queue ") for warning in of_function)
    sqs = deployment.server.sqs()
    sqs.set_queue_attributes(QueueUrl=deployment.queue_url, Attributes={"MessageRetentionPeriod": "600"})
    sqs.set_queue_attributes(QueueUrl=deployment.dead_letter_queue_url, Attributes={"MaximumMessageSize": "65536"})
    warnings = health_warnings(deployment.server, deployment.config)
    short, small = (warning for warning in warnings if warning.startswith("queue "))
    assert short.startswith(f"queue {deployment.queue_url}: keeps messages for 600 s")
    assert small.startswith(f"queue {deployment.dead_letter_queue_url}: takes messages of up to 65536 bytes")
    fitting = {**deployment.config, "max_payload_bytes": 60_000, "result_timeout_ms": 600_000}
    assert not any(warning.startswith("queue ") for warning in health_warnings(deployment.server, fitting))
