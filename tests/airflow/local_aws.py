"""The local Lambda and SQS in a separate process, and calls to it without an AWS SDK: most Airflow environments of
these tests have none."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PREFIX = Path(os.environ.get("LAMBDA_EXECUTOR_PREFIX") or ROOT / "build" / "prefix")
PROGRAM = PREFIX / "bin" / "lambda-executor-local"
LIBRARY = PREFIX / "lib" / "liblambda_executor.so.1"
PATIENCE_S = 120.0


class LocalAws:
    """Its URL, credentials and resources."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.endpoint_url: str = ready["endpoint_url"]
        self.region: str = ready["region"]
        self.access_key_id: str = ready["access_key_id"]
        self.secret_access_key: str = ready["secret_access_key"]
        self.function_name: str = ready["function_name"]
        self.queue_url: str = ready["queue_url"]
        self.dead_letter_queue_url: str = ready["dead_letter_queue_url"]

    def options(self) -> dict[str, str]:
        """Environment with which Airflow's executor uses it."""
        connection = {
            "conn_type": "aws",
            "login": self.access_key_id,
            "password": self.secret_access_key,
            "extra": {"region_name": self.region, "endpoint_url": self.endpoint_url},
        }
        return {
            "AIRFLOW__AWS_LAMBDA_EXECUTOR__FUNCTION_NAME": self.function_name,
            "AIRFLOW__AWS_LAMBDA_EXECUTOR__QUEUE_URL": self.queue_url,
            "AIRFLOW__AWS_LAMBDA_EXECUTOR__DEAD_LETTER_QUEUE_URL": self.dead_letter_queue_url,
            "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
        }

    def send(self, queue_url: str, body: str, **attributes: str) -> None:
        """Sends a message, with attributes of type String."""
        typed = {name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()}
        self.sqs("SendMessage", QueueUrl=queue_url, MessageBody=body, MessageAttributes=typed)

    def receive(self, queue_url: str, number: int) -> list[dict[str, Any]]:
        """Receives and deletes this number of messages."""
        taken: list[dict[str, Any]] = []
        deadline = time.monotonic() + PATIENCE_S
        while len(taken) < number:
            assert time.monotonic() < deadline, f"{len(taken)} messages of {number} have come"
            answer = self.sqs("ReceiveMessage", QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", ()):
                self.sqs("DeleteMessage", QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
                taken.append(message)
        return taken

    def depth(self, queue_url: str) -> tuple[int, int]:
        """Number of messages in a queue, visible and in flight."""
        attributes = self.sqs("GetQueueAttributes", QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        visible, in_flight = (int(attributes[name]) for name in names)
        return visible, in_flight

    def sqs(self, action: str, **arguments: Any) -> dict[str, Any]:
        """A call of SQS over its JSON protocol."""
        body = json.dumps(arguments).encode()
        now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        host = self.endpoint_url.split("//")[1]
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "host": host,
            "x-amz-date": now,
            "x-amz-target": f"AmazonSQS.{action}",
        }
        names = ";".join(headers)
        canonical = "\n".join(
            ["POST", "/", "", *(f"{name}:{text}" for name, text in headers.items()), "", names, _sha(body)]
        )
        scope = f"{now[:8]}/{self.region}/sqs/aws4_request"
        signed = "\n".join(["AWS4-HMAC-SHA256", now, scope, _sha(canonical.encode())])
        key = f"AWS4{self.secret_access_key}".encode()
        for part in (*scope.split("/"), signed):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key_id}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
        )
        return _post(f"{self.endpoint_url}/", body, headers)

    def faults(self, **faults: Any) -> None:
        """Replaces the faults."""
        self._own("faults", json.dumps(faults).encode())

    def stats(self) -> dict[str, Any]:
        return self._own("stats", None)

    def _own(self, path: str, body: bytes | None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.secret_access_key}"}
        return _post(f"{self.endpoint_url}/_local/{path}", body, headers)


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _post(url: str, body: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{url}: {error.code} {error.read().decode()}") from None
    document: dict[str, Any] = json.loads(text) if text else {}
    return document


@contextmanager
def running(folder: Path, *options: str) -> Iterator[LocalAws]:
    """The local AWS; it ends with the block."""
    ready = folder / f"ready-{len(list(folder.iterdir()))}.json"
    command = [str(PROGRAM), "--ready-file", str(ready), "--exit-with-stdin", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not ready.exists():
                assert process.poll() is None, "the local AWS has ended"
                assert time.monotonic() < deadline, "the local AWS did not start"
                time.sleep(0.005)
            yield LocalAws(json.loads(ready.read_text()))
        finally:
            process.kill()
