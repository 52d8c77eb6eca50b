"""Runs a scenario through the Python binding and prints the outcome: tests/bindings/README.md describes both.

LAMBDA_EXECUTOR_CONFIG=JSON scenario_runner.py NAME.tsv

Exit status: 0 the scenario ran, 1 a call of the library failed, 2 the scenario is malformed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

from lambda_executor import Error, Event, Executor, State, Status, Task

HEALTH_S = 30
# An adopted task without a result is LOST after 60 s.
WAIT_S = 90
ESCAPES = {0x09: "\\t", 0x0A: "\\n", 0x5C: "\\\\"}


def die(exit_status: int, why: str) -> NoReturn:
    sys.stdout.flush()
    print(f"scenario_runner: {why}", file=sys.stderr)
    raise SystemExit(exit_status)


def text(field: str) -> str:
    return "" if field == "-" else field


def document(field: str) -> Any:  # noqa: ANN401 - a scenario may say anything, wrong things too
    return None if field == "-" else json.loads(field)


def seconds(field: str) -> float | None:
    return int(field) / 1000 if int(field) else None


def escaped(raw: bytes) -> str:
    shown = "".join(ESCAPES.get(byte) or (chr(byte) if 0x20 <= byte <= 0x7E else f"\\x{byte:02x}") for byte in raw)
    return shown or "-"


def status_of(call: Callable[[], object]) -> Status:
    """The header's name of the call's status."""
    try:
        call()
    except Error as error:
        return error.status
    return Status.OK


class Runner:
    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        # The events of each accepted task, by key.
        self.events: dict[str, list[Event]] = {}

    def accept(self, key: str) -> None:
        if key in self.events:
            die(2, f"the key `{key}` is accepted twice, which the outcome cannot tell")
        self.events[key] = []

    def take_events(self, deadline: float) -> bool:
        """Waits for events until the deadline. False after it."""
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        batch = self.executor.sync(left)
        for event in batch:
            if event.key not in self.events:
                die(1, f"an event of `{event.key}`, which was not accepted")
            if self.finished(event.key):
                die(1, f"an event of `{event.key}` after its final one")
            self.events[event.key].append(event)
        batch.ack()
        return True

    def finished(self, key: str) -> bool:
        return bool(self.events[key]) and self.events[key][-1].state.final

    def skip(self, _: str) -> None:
        pass

    def health(self) -> None:
        print(f"health\t{status_of(lambda: self.executor.check_health(HEALTH_S))}")

    def queue(self, key: str, tag: str, command: str, config: str, timeout_ms: str, max_wait_ms: str) -> None:
        status = status_of(
            lambda: self.executor.queue(
                text(key),
                document(command),
                tag=int(tag),
                executor_config=document(config),
                timeout=seconds(timeout_ms),
                max_wait=seconds(max_wait_ms),
            )
        )
        if status is Status.OK:
            self.accept(text(key))
        print(f"queue\t{key}\t{status}")

    def batch(self, prefix: str, n: str, command: str, config: str) -> None:
        tasks = [Task(f"{text(prefix)}{i}", document(command), i, document(config)) for i in range(int(n))]
        accepted = [task for task, status in zip(tasks, self.executor.queue_many(tasks)) if status is Status.OK]
        for task in accepted:
            self.accept(task.key)
        print(f"batch\t{prefix}\t{len(accepted)}")

    def adopt(self, key: str, tag: str, attempt_id: str) -> None:
        status = status_of(lambda: self.executor.adopt(text(key), tag=int(tag), attempt_id=text(attempt_id)))
        if status is Status.OK:
            self.accept(text(key))
        print(f"adopt\t{key}\t{status}")

    def wait(self, key: str, state: str) -> None:
        if text(key) not in self.events:
            die(2, f"wait: `{key}` was not accepted")
        deadline = time.monotonic() + WAIT_S
        while not any(str(event.state) == state for event in self.events[text(key)]):
            if not self.take_events(deadline):
                die(1, f"wait: `{key}` was not {state} within {WAIT_S} s")
        print(f"wait\t{key}\t{state}")

    def state(self, key: str) -> None:
        state = self.executor.state(text(key))
        print(f"state\t{key}\t{Status.NOT_FOUND if state is State.UNKNOWN else state}")

    def cancel(self, key: str) -> None:
        cancelled = True

        def call() -> None:
            nonlocal cancelled
            cancelled = self.executor.cancel(text(key))

        status = status_of(call)
        print(f"cancel\t{key}\t{status if cancelled else Status.NOT_FOUND}")

    def drain(self, how: str) -> None:
        if how not in ("finish", "running"):
            die(2, f"drain: `{how}` is neither `finish` nor `running`")
        remaining = self.executor.drain(WAIT_S, cancel_queued=how == "running")
        print(f"drain\t{Status.TIMED_OUT if remaining else Status.OK}\t{remaining}")

    def finish(self) -> None:
        deadline = time.monotonic() + WAIT_S
        while not all(map(self.finished, self.events)) and self.take_events(deadline):
            continue
        keys = sorted(self.events, key=str.encode)
        for key in keys:
            if not self.finished(key):
                print(f"unfinished\t{key}")
        for key in keys:
            if self.finished(key):
                print("\t".join(["task", key, *told(self.events[key])]))

    def after(self, call: str) -> None:
        if call == "queue":
            print(f"after\tqueue\t{status_of(lambda: self.executor.queue('after', ['true']))}")
        elif call == "sync":
            print(f"after\tsync\t{status_of(self.executor.sync)}")
        else:
            die(2, f"after: `{call}` is neither `queue` nor `sync`")

    def carry_out(self, line: str) -> None:
        step, *fields = line.split("\t")
        # Each step: the number of its fields, and its function.
        steps: dict[str, tuple[int, Callable[..., None]]] = {
            "options": (1, self.skip),
            "local": (1, self.skip),
            "faults": (1, self.skip),
            "health": (0, self.health),
            "queue": (6, self.queue),
            "batch": (4, self.batch),
            "adopt": (3, self.adopt),
            "wait": (2, self.wait),
            "state": (1, self.state),
            "cancel": (1, self.cancel),
            "drain": (1, self.drain),
            "finish": (0, self.finish),
            "after": (1, self.after),
        }
        if step not in steps:
            die(2, f"there is no step `{step}`")
        expected, method = steps[step]
        if len(fields) != expected:
            die(2, f"`{step}` has {len(fields)} fields, expected {expected}")
        method(*fields)


def told(events: list[Event]) -> list[str]:
    """The outcome of a task: its last event, and the states of all its events."""
    last = events[-1]
    return [
        str(last.tag),
        ",".join(str(event.state) for event in events),
        str(last.reason),
        "-" if last.return_code is None else str(last.return_code),
        str(last.signal),
        escaped(last.output_tail.encode()),
        escaped(last.value),
    ]


def main() -> None:
    config = os.environ.get("LAMBDA_EXECUTOR_CONFIG")
    if len(sys.argv) != 2 or config is None:
        die(2, "usage: LAMBDA_EXECUTOR_CONFIG=JSON scenario_runner.py SCENARIO.tsv")
    with open(sys.argv[1], encoding="utf-8", newline="\n") as file, Executor(config) as executor:
        runner = Runner(executor)
        for line in file.read().split("\n"):
            if line and not line.startswith("#"):
                runner.carry_out(line)


if __name__ == "__main__":
    main()
