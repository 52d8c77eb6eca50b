"""The one endpoint: lambda-executor-local with its built-in handler, in a process of its own."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .contender import ROOT

sys.path.append(str(ROOT / "tests" / "airflow"))

import local_aws

#: Calls that contenders send for their tasks; those of checks at start are left out.
CALLS = (
    "Invoke",
    "ReceiveMessage",
    "DeleteMessage",
    "DeleteMessageBatch",
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
)


class Server:
    """The endpoint, and what it counts."""

    def __init__(self, aws: local_aws.LocalAws, pid: int) -> None:
        self.aws = aws
        self.pid = pid
        self._latency_ms = 0
        self._runs = 0

    def set_latency(self, ms: int) -> None:
        """Each request waits so long before it is handled."""
        if ms != self._latency_ms:
            self.aws.faults(latency_ms=ms)
            self._latency_ms = ms

    @contextmanager
    def where(self, own_queue: bool) -> Iterator[dict[str, Any]]:
        """Endpoint, credentials, function, and queues of this run alone: a receive that an earlier run has left open
        takes nothing of it. `own_queue`: the function's own, emptied."""
        where = dict(vars(self.aws))
        names = ("queue_url", "dead_letter_queue_url")
        self._runs += 1
        with self._without_latency():
            for name in names:
                if own_queue:
                    # PurgeQueue may be called once a minute.
                    self.aws.sqs("DeleteQueue", QueueUrl=where[name])
                    queue = where[name].rpartition("/")[2]
                else:
                    queue = f"bench-{self._runs:04}-{'results' if name == 'queue_url' else 'dead'}"
                where[name] = self.aws.sqs("CreateQueue", QueueName=queue)["QueueUrl"]
        yield where
        if not own_queue:
            with self._without_latency():
                for name in names:
                    self.aws.sqs("DeleteQueue", QueueUrl=where[name])

    @contextmanager
    def _without_latency(self) -> Iterator[None]:
        latency_ms = self._latency_ms
        self.set_latency(0)
        yield
        self.set_latency(latency_ms)

    def calls(self) -> dict[str, int]:
        """So far."""
        requests = self.aws.stats()["requests"]
        return {name: requests.get(name, 0) for name in CALLS}

    def cpu_s(self) -> float:
        """CPU time that the server has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100


@contextmanager
def running(program: Path, *more: str) -> Iterator[Server]:
    """Until the block ends."""
    local_aws.PROGRAM = program
    with tempfile.TemporaryDirectory(prefix="bench-server-") as folder:
        options = ["--handler", "builtin", "--concurrency", "100000", "--retry-base-ms", "100", *more]
        with local_aws.running(Path(folder), *options) as aws:
            ready = next(Path(folder).glob("ready-*.json"))
            yield Server(aws, json.loads(ready.read_text())["pid"])
