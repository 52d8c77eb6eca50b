"""The library with servers of other projects, without our own local server."""

import io
import shlex
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import servers


@dataclass(frozen=True)
class Deployment:
    """A function and its queues in one of the servers."""

    server: servers.Server
    function_name: str
    queue_url: str
    dead_letter_queue_url: str

    @property
    def config(self) -> dict[str, str]:
        """Options of the library for it."""
        return {
            "function_name": self.function_name,
            "queue_url": self.queue_url,
            "dead_letter_queue_url": self.dead_letter_queue_url,
        }


@pytest.fixture(scope="session")
def moto() -> Iterator[servers.Server]:
    with servers.moto() as server:
        yield server


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.ministack(tmp_path_factory.mktemp("ministack")) as server:
        yield server


def archive(name: str, content: str) -> bytes:
    """A zip file with one executable file in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o755 << 16
        file.writestr(entry, content)
    return buffer.getvalue()


def deploy(server: servers.Server, name: str, bootstrap: str, *, retries: int = 0, timeout: int = 60) -> Deployment:
    """Two queues and a custom runtime whose dead letters go to the second."""
    sqs, client = server.sqs(), server.awslambda()
    queue, letters = (sqs.create_queue(QueueName=f"{name}-{kind}")["QueueUrl"] for kind in ("results", "dead-letters"))
    target = sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client.create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="bootstrap",
        Timeout=timeout,
        Code={"ZipFile": archive("bootstrap", bootstrap)},
        Environment={"Variables": {"QUEUE_URL": queue}},
        DeadLetterConfig={"TargetArn": target},
    )
    # ministack copies the state into published versions, where it stays unchanged.
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=retries)
    return Deployment(server, name, queue, letters)


def deploy_function(server: servers.Server) -> Deployment:
    """Our function program, with its own queues.

    The `bootstrap` is a shell script that executes our program: with debug information the program itself exceeds the
    size that Lambda accepts directly.
    """
    program = servers.PROGRAMS / "lambda-executor-function"
    return deploy(server, f"runs-commands-{uuid.uuid4()}", f"#!/bin/sh\nexec {shlex.quote(str(program))}\n")


def command(key: str, *words: str) -> dict[str, object]:
    return {"task_key": key, "command": list(words)}
