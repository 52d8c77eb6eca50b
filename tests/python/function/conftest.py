"""The function program in real sandboxes of the local Lambda, with the library as its scheduler."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import servers
from library import run_tasks
from messages import messages

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@dataclass(frozen=True)
class Function:
    """A function, and its files and processes on this machine."""

    server: servers.LocalServer
    folder: Path

    @cached_property
    def awslambda(self) -> "LambdaClient":
        return self.server.awslambda()

    @cached_property
    def sqs(self) -> "SQSClient":
        return self.server.sqs()

    @property
    def log(self) -> bytes:
        """Everything that the function has written, in all sandboxes."""
        path = self.path("function.log")
        return path.read_bytes() if path.exists() else b""

    def path(self, name: str) -> Path:
        """A file in the working directory of commands."""
        return self.folder / name

    def lines(self, name: str) -> list[str]:
        """The complete lines that commands have written to a file so far."""
        path = self.path(name)
        text = path.read_text() if path.exists() else ""
        return text[: text.rfind("\n") + 1].splitlines()

    def run(
        self,
        *tasks: dict[str, Any],
        when_running: Callable[[], None] = lambda: None,
        check_health: bool = True,
    ) -> dict[str, dict[str, Any]]:
        """Final events of the library by key."""
        config = {
            "function_name": self.server.function_name,
            "queue_url": self.server.queue_url,
            "dead_letter_queue_url": self.server.dead_letter_queue_url,
            "check_health_on_startup": check_health,
        }
        return run_tasks(self.server, config, list(tasks), when_running=when_running)

    def run_one(self, command: list[str] | str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        return self.run({"task_key": "the task", "command": command, **more})["the task"]

    def send(self, event: object) -> str:
        """Request id of an asynchronous invocation."""
        answer = self.awslambda.invoke(
            FunctionName=self.server.function_name, InvocationType="Event", Payload=encode(event)
        )
        return answer["ResponseMetadata"]["RequestId"]

    def call(self, event: object) -> dict[str, Any]:
        """Answer of a synchronous invocation, including an error."""
        answer = self.awslambda.invoke(FunctionName=self.server.function_name, Payload=encode(event))
        answered: dict[str, Any] = json.loads(answer["Payload"].read())
        return answered

    def results(self, number: int) -> list[dict[str, Any]]:
        return [json.loads(message["Body"]) for message in self.messages(self.server.queue_url, number)]

    def dead_letter(self) -> tuple[str, str]:
        """Event and error of the only dead letter."""
        [letter] = self.messages(self.server.dead_letter_queue_url, 1)
        return letter["Body"], letter["MessageAttributes"]["ErrorMessage"]["StringValue"]

    def messages(self, queue_url: str, number: int) -> list["MessageTypeDef"]:
        """Takes `number` messages out of the queue."""
        return messages(self.server, queue_url, number)

    def left(self, queue_url: str) -> int:
        """Number of messages in the queue, including hidden ones."""
        answer = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])
        attributes = answer["Attributes"]
        return sum(
            int(attributes[name]) for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        )


def encode(event: object) -> bytes:
    return event if isinstance(event, bytes) else json.dumps(event).encode()


def yes(condition: object) -> bool | None:
    """For `servers.until`."""
    return True if condition else None


def until_gone(pids: list[str]) -> None:
    """Waits until these processes have ended, reaped or not."""

    def gone(pid: str) -> bool:
        try:
            # The name comes first, in brackets, and may contain any character.
            return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] in "ZX"
        except (FileNotFoundError, ProcessLookupError):
            return True

    servers.until(f"processes {pids} are gone", lambda: yes(all(gone(pid) for pid in pids)))


Start = Callable[..., Function]


def options(folder: Path, env: dict[str, str], **more: object) -> dict[str, Any]:
    """The function writes only below `folder`, and does not share records with sandboxes of other tests."""
    folder.mkdir()
    (folder / "tmp").mkdir()
    return {
        "handler": "exec",
        "handler_output": str(folder / "function.log"),
        "working_directory": str(folder),
        "env": {"TMPDIR": str(folder / "tmp"), **env},
        "timeout_ms": 60_000,
        "retry_base_ms": 10,
        "maximum_retry_attempts": 0,
        **more,
    }


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a function with options of the local server as keywords. It ends with the test."""
    with ExitStack() as stack:

        def begin(env: dict[str, str] | None = None, **more: object) -> Function:
            folder = tmp_path / "function"
            settings = options(folder, env or {}, **more)
            return Function(stack.enter_context(servers.local(tmp_path / "local", **settings)), folder)

        yield begin


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Function]:
    """A function shared by tests that do not change it."""
    root = tmp_path_factory.mktemp("shared-function")
    folder = root / "function"
    with servers.local(root / "local", **options(folder, {})) as server:
        yield Function(server, folder)
