"""Time from Invoke to the result in SQS, of a command that does nothing: our function, and beside it the handler that
Airflow publishes for its executor, under the real awslambdaric. Cold: in a sandbox that is started for it. Warm: in one
that is there. All in one run, on 127.0.0.1.

    build/venvs/boto/bin/python benches/function_start.py --programs target/release

Both run a program, so what starting `true` costs is in every row; what the clients and the local server cost is the row
of the built-in handler, which starts no process at all.
"""

import argparse
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))

import published_handler
import servers

COMMANDS: dict[str, object] = {'["true"]': ["true"], '"true"': "true"}
# A run that takes longer is an error.
LIMIT_S = 20


@dataclass
class Subject:
    """What is measured: a function that is invoked with one command."""

    name: str
    server: servers.LocalServer
    command: object
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.awslambda, self.sqs = self.server.awslambda(), self.server.sqs()

    def run(self) -> float:
        """Milliseconds of one run."""
        key = str(time.monotonic_ns())
        event = json.dumps({"task_key": key, "command": self.command, "executor_config": {}}).encode()
        begun = time.monotonic()
        self.awslambda.invoke(FunctionName=self.server.function_name, InvocationType="Event", Payload=event)
        answer = self.sqs.receive_message(QueueUrl=self.server.queue_url, WaitTimeSeconds=LIMIT_S)
        took = time.monotonic() - begun
        [message] = answer["Messages"]
        result = json.loads(message["Body"])
        if (result["task_key"], result["return_code"]) != (key, 0):
            raise SystemExit(f"{self.name}: {result}")
        self.sqs.delete_message(QueueUrl=self.server.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return took * 1000

    def end_sandboxes(self) -> None:
        """The next run starts one: those that are there were started with another environment."""
        variables = {"STARTED_FOR": str(time.monotonic_ns())}
        self.awslambda.update_function_configuration(
            FunctionName=self.server.function_name, Environment={"Variables": variables}
        )
        servers.until("its sandboxes have ended", lambda: None if any(self.sandboxes()) else True)

    def sandboxes(self) -> Iterator[Path]:
        """Processes of its sandboxes, in /proc."""
        for process in Path("/proc").glob("[0-9]*"):
            try:
                variables = (process / "environ").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if f"AWS_ENDPOINT_URL={self.server.endpoint_url}" in variables:
                yield process

    def peak_mb(self) -> float:
        """The most memory that a sandbox has had in use."""
        peaks = []
        for process in self.sandboxes():
            lines = (process / "status").read_text().splitlines()
            peaks += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")]
        return max(peaks)


def main() -> None:
    parser = argparse.ArgumentParser(description="Cold start and added time of the function.")
    parser.add_argument("--programs", type=Path, default=servers.PROGRAMS, help="folder with the built programs")
    parser.add_argument("--cold", type=int, default=20, help="runs of each in a new sandbox")
    parser.add_argument("--warm", type=int, default=200, help="runs of each in one that is there")
    arguments = parser.parse_args()
    programs = arguments.programs.resolve()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))

        def serve(name: str, **options: Any) -> servers.LocalServer:  # noqa: ANN401 - options of many types
            # One sandbox each: a run that comes early waits for it and starts no second.
            return stack.enter_context(servers.local(folder / name, programs, concurrency=1, **options))

        (folder / "tmp").mkdir()
        ours = serve("ours", handler="exec", program_dir=str(programs), env={"TMPDIR": str(folder / "tmp")})
        theirs = serve("theirs", **published_handler.options(published_handler.find(), folder / "home"))
        floor = Subject("no process", serve("floor", handler="builtin"), ["true"])
        subjects = [
            Subject(f"{name:18}{text}", server, command)
            for name, server in (("this function", ours), ("Airflow's handler", theirs))
            for text, command in COMMANDS.items()
        ]
        measure(floor, subjects, arguments.cold, arguments.warm)
        report(programs, floor, subjects)


def measure(floor: Subject, subjects: list[Subject], cold: int, warm: int) -> None:
    """By turns, so that what else the machine does meets all of them."""
    for subject in (floor, *subjects):
        # Not counted: files come from the disk, Python compiles its modules.
        subject.run()
    for _ in range(cold):
        for subject in subjects:
            subject.end_sandboxes()
            subject.cold.append(subject.run())
    for _ in range(warm):
        for subject in (floor, *subjects):
            subject.warm.append(subject.run())


def report(programs: Path, floor: Subject, subjects: list[Subject]) -> None:
    program = programs / "lambda-executor-function"
    shown = program.relative_to(servers.ROOT) if program.is_relative_to(servers.ROOT) else program
    runs = f"{len(subjects[0].cold)} cold and {len(floor.warm)} warm runs of each"
    print(f"{shown} ({program.stat().st_size / 1e6:.1f} MB); {runs}; ms from Invoke to the result in SQS")
    print()
    heads = ("cold p50", "p95", "warm p50", "p95", "added p50", "peak MB")
    print(f"{'':28}" + "".join(f"{head:>11}" for head in heads))
    usual = statistics.median(floor.warm)
    print(row(floor.name, None, None, usual, p95(floor.warm), None, None))
    for subject in subjects:
        median = statistics.median(subject.warm)
        cold = (statistics.median(subject.cold), p95(subject.cold))
        print(row(subject.name, *cold, median, p95(subject.warm), median - usual, subject.peak_mb()))


def p95(values: list[float]) -> float:
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def row(name: str, *figures: float | None) -> str:
    return f"{name:28}" + "".join(f"{'-' if figure is None else f'{figure:.1f}':>11}" for figure in figures)


if __name__ == "__main__":
    main()
