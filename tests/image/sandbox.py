"""Runs tasks in an image like Lambda: as a user who may write to /tmp only, which is empty at first, with the
environment and the entry point of the Dockerfile. The local Lambda runs outside of the image."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import servers
from images import Image

# User id of the commands, as in Lambda's sandboxes. This user owns no files.
USER = 1051
SERVER = "lambda-executor-local"


@dataclass(frozen=True)
class Function:
    """An image that runs as a function."""

    server: servers.LocalServer
    log: Path

    def run(self, command: list[str] | str, seconds: float = 60) -> dict[str, Any]:
        """The result message of one task."""
        event: dict[str, Any] = {"task_key": "the task", "command": command, "executor_config": {}}
        self.server.awslambda().invoke(
            FunctionName=self.server.function_name, InvocationType="Event", Payload=json.dumps(event).encode()
        )
        sqs = self.server.sqs()

        def result() -> dict[str, Any] | None:
            for message in sqs.receive_message(QueueUrl=self.server.queue_url, WaitTimeSeconds=1).get("Messages", []):
                sqs.delete_message(QueueUrl=self.server.queue_url, ReceiptHandle=message["ReceiptHandle"])
                result_body: dict[str, Any] = json.loads(message["Body"])
                return result_body
            dead = sqs.receive_message(QueueUrl=self.server.dead_letter_queue_url).get("Messages", [])
            assert not dead, f"the function failed: {self.log.read_text()}"
            return None

        return servers.until(f"the result of {command}", result, seconds)

    def output(self, command: list[str] | str, seconds: float = 60) -> str:
        """Output of a task, which must succeed."""
        result = self.run(command, seconds)
        assert result["return_code"] == 0, f"{result}\n{self.log.read_text()}"
        tail: str = result["output_tail"]
        return tail.strip()


@contextmanager
def function(image: Image, folder: Path) -> Iterator[Function]:
    """The image as a function of the local Lambda, whose files are below `folder`."""
    # The server has the same user, since its Runtime API accepts only its own user. That user cannot read this
    # repository, so the server starts from a copy. Its only additional permission is chroot into the image. The mounts
    # are visible only to these processes, and end with them.
    folder.mkdir()
    shutil.chown(folder, USER, USER)
    shutil.copy(servers.PROGRAMS / SERVER, folder / "server")
    inside = folder / "inside.sh"
    inside.write_text(
        "set -e\n"
        f"mount -t proc proc {image.root}/proc\n"
        f"mount --rbind /dev {image.root}/dev\n"
        f"mount -t tmpfs -o mode=1777 tmpfs {image.root}/tmp\n"
        f"exec setpriv --reuid={USER} --regid={USER} --clear-groups"
        f' --inh-caps=-all,+sys_chroot --ambient-caps=-all,+sys_chroot {folder}/server "$@"\n'
    )
    program = folder / SERVER
    program.write_text(f'#!/bin/sh\nexec unshare --mount sh {inside} "$@"\n')
    program.chmod(0o755)
    log = folder / "function.log"
    options: dict[str, Any] = {
        "handler": ["unshare", f"--root={image.root}", f"--wd={image.working_directory}", *image.entry_point],
        "env": image.environment,
        "handler_output": str(log),
        "maximum_retry_attempts": 0,
        "concurrency": 1,
    }
    with servers.local(folder, folder, **options) as server:
        yield Function(server, log)
