"""boto3 with a number of threads, as a program without this library would do it.

One thread: Invoke, receive and delete take turns in the calling thread, which waits for each answer. More threads: a
pool sends the Invokes, eight more threads receive and delete, and the calling thread only submits to the pool.
"""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config
from measured import Measured, job

RECEIVERS = 8


class Run:
    """The tasks of one job."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked = asked
        self.measured = Measured(asked["limit_s"])
        self.queued_at: list[float] = []
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        config = Config(
            connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1}, max_pool_connections=asked["threads"]
        )
        client: dict[str, Any] = {
            "region_name": asked["region"],
            "endpoint_url": asked["endpoint_url"],
            "aws_access_key_id": asked["access_key_id"],
            "aws_secret_access_key": asked["secret_access_key"],
            "config": config,
        }
        session = boto3.Session()
        self.awslambda = session.client("lambda", **client)
        self.sqs = session.client("sqs", **client)

    def event(self, number: int) -> dict[str, Any]:
        """What the library sends, too: contenders differ in nothing but the client."""
        return {
            "task_key": f"bench/{number:07}",
            "command": self.asked["command"],
            "executor_config": {},
            "attempt_id": "0" * 36,
            "reply_to": self.asked["queue_url"],
        }

    def invoke(self, number: int) -> None:
        if self.stopped.is_set():
            return
        self.awslambda.invoke(
            FunctionName=self.asked["function_name"],
            InvocationType="Event",
            Payload=json.dumps(self.event(number), separators=(",", ":")).encode(),
        )

    def receive(self, wait_s: int) -> None:
        answer = self.sqs.receive_message(
            QueueUrl=self.asked["queue_url"], MaxNumberOfMessages=10, WaitTimeSeconds=wait_s
        )
        messages = answer.get("Messages", [])
        if not messages:
            return
        now = time.time()
        for message in messages:
            result = json.loads(message["Body"])
            number = int(result["task_key"].rpartition("/")[2])
            with self.lock:
                if result["return_code"] != 0:
                    self.measured.failed += 1
                    continue
                self.measured.done += 1
                self.measured.start_ms.append(result["started_at_ms"] - self.queued_at[number] * 1000)
                self.measured.event_ms.append(now * 1000 - result["finished_at_ms"])
        entries: list[Any] = [
            {"Id": str(at), "ReceiptHandle": each["ReceiptHandle"]} for at, each in enumerate(messages)
        ]
        self.sqs.delete_message_batch(QueueUrl=self.asked["queue_url"], Entries=entries)

    def pace(self, number: int) -> None:
        """Until this task is due."""
        rate = self.asked["rate"]
        if rate:
            time.sleep(max(0.0, number / rate - self.measured.elapsed()))

    def in_one_thread(self) -> None:
        """After each ten Invokes, what has arrived is taken."""
        tasks, rate, measured = self.asked["tasks"], self.asked["rate"], self.measured
        if not rate:
            self.queued_at = [time.time()] * tasks
        for number in range(tasks):
            self.pace(number)
            if rate:
                self.queued_at.append(time.time())
            began = time.perf_counter()
            self.invoke(number)
            if number % 10 == 9:
                self.receive(0)
            measured.blocked_since(began)
            if measured.over():
                break
        while measured.ended < tasks and not measured.over():
            began = time.perf_counter()
            self.receive(1)
            measured.blocked_since(began)

    def in_threads(self) -> None:
        tasks, measured = self.asked["tasks"], self.measured
        receivers = [threading.Thread(target=self.receive_until_stopped, daemon=True) for _ in range(RECEIVERS)]
        for receiver in receivers:
            receiver.start()
        with ThreadPoolExecutor(self.asked["threads"]) as pool:
            for number in range(tasks):
                self.pace(number)
                self.queued_at.append(time.time())
                began = time.perf_counter()
                pool.submit(self.invoke, number)
                measured.blocked_since(began)
            while measured.ended < tasks and not measured.over():
                time.sleep(0.002)
            measured.stop()
            self.stopped.set()
            pool.shutdown(cancel_futures=True)
        # Deletes are part of the CPU time.
        for receiver in receivers:
            receiver.join(timeout=5)

    def receive_until_stopped(self) -> None:
        while not self.stopped.is_set():
            self.receive(1)


def main() -> None:
    run = Run(job())
    run.measured.begin()
    if run.asked["threads"] == 1:
        run.in_one_thread()
        run.measured.stop()
    else:
        run.in_threads()
    run.measured.report()


if __name__ == "__main__":
    main()
