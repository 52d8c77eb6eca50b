"""The local Lambda as boto3 and the real Python runtime see it."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
import servers
from mypy_boto3_sqs.type_defs import MessageTypeDef

HANDLERS = Path(__file__).resolve().parents[1] / "handlers"

# Retries at once: the tests look at their number, not at their times.
QUICK: dict[str, Any] = {"retry_base_ms": 10}


def runtime(handler: str) -> dict[str, Any]:
    """Options that run `handler` (module.function in handlers/) under the real awslambdaric."""
    python = servers.VENVS / "awslambdaric" / "bin" / "python"
    return {**QUICK, "handler": [str(python), "-m", "awslambdaric", handler], "working_directory": str(HANDLERS)}


def messages(server: servers.Server, queue_url: str, number: int, seconds: int = 20) -> list[MessageTypeDef]:
    """Takes `number` messages from the queue, deleted there."""
    sqs = server.sqs()
    taken: list[MessageTypeDef] = []

    def enough() -> bool | None:
        answer = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            taken.append(message)
        return True if len(taken) >= number else None

    try:
        servers.until(f"{number} messages in {queue_url}", enough, seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}, found {len(taken)}") from None
    assert len(taken) == number
    return taken


def event(key: str, **builtin: object) -> bytes:
    """An event for the built-in handler."""
    return json.dumps({"task_key": key, "command": ["true"], "executor_config": {"builtin": builtin}}).encode()


Start = Callable[..., servers.LocalServer]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a local server with the options given as keywords; it ends with the test."""
    with ExitStack() as stack:

        def begin(**options: object) -> servers.LocalServer:
            server: AbstractContextManager[servers.LocalServer] = servers.local(tmp_path / "local", **options)
            return stack.enter_context(server)

        yield begin


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.LocalServer]:
    """One with the built-in handler, shared by the tests that leave nothing behind in it."""
    with servers.local(tmp_path_factory.mktemp("shared"), handler="builtin", **QUICK) as server:
        yield server
