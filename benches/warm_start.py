"""An Airflow task that does nothing, in a warm function, from the event to the result: with Airflow's modules loaded
before (LAMBDA_EXECUTOR_PRELOAD), without, and by the handler that Airflow publishes, under the real awslambdaric. Then
a Python module that imports numpy, with numpy loaded before and without. All in one run, on 127.0.0.1.

    build/venvs/boto/bin/python benches/warm_start.py --programs build/bench

CPU is that of all processes of the sandbox, from the event to the end of the task's processes. Memory is the sum of
their proportional set sizes (PSS) between tasks.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))

import execution_api
import published_handler
import servers

AIRFLOW = servers.VENVS / "airflow" / "bin"
NUMPY = "numpy==2.3.5"
NUMPY_PROGRAM = "import numpy\nprint(numpy.arange(10).sum())\n"
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


def airflow_modules() -> str:
    """What function/Dockerfile sets."""
    text = (servers.ROOT / "function" / "Dockerfile").read_text()
    [line] = [line for line in text.splitlines() if line.startswith("ENV LAMBDA_EXECUTOR_PRELOAD=")]
    return line.partition(":+")[2].rstrip("}")


@dataclass
class Sandbox:
    """A function with one sandbox, and what its tasks cost."""

    name: str
    server: servers.LocalServer
    command: Callable[[], list[str]]
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.awslambda, self.sqs = self.server.awslambda(), self.server.sqs()

    def run(self) -> None:
        """Not counted: the first task, which waits until modules are loaded or compiled."""
        before = self.cpu()
        key = str(time.monotonic_ns())
        event = json.dumps({"task_key": key, "command": self.command(), "executor_config": {}}).encode()
        begun = time.monotonic()
        self.awslambda.invoke(FunctionName=self.server.function_name, InvocationType="Event", Payload=event)
        messages: list[Any] = []
        while not messages:
            answer = self.sqs.receive_message(QueueUrl=self.server.queue_url, WaitTimeSeconds=20)
            messages = answer.get("Messages", [])
        wall = time.monotonic() - begun
        [message] = messages
        result = json.loads(message["Body"])
        if (result["task_key"], result["return_code"]) != (key, 0):
            raise SystemExit(f"{self.name}: {result}")
        self.sqs.delete_message(QueueUrl=self.server.queue_url, ReceiptHandle=message["ReceiptHandle"])
        cpu = servers.until(f"{self.name}: the task's processes end", self.cpu_if_idle, 60)
        if before is not None:
            self.wall_ms.append(wall * 1000)
            self.cpu_ms.append(cpu - before)
        self.memory_mb.append(sum(map(pss_mb, self.processes())))

    def processes(self) -> list[Path]:
        """Those of its sandbox that have not ended, in /proc."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if f"AWS_ENDPOINT_URL={self.server.endpoint_url}".encode() in (process / "environ").read_bytes():
                    found.append(process)
            except OSError:
                continue
        return found

    def cpu_if_idle(self) -> float | None:
        """None while processes of a task live: the sandbox itself has at most two, none with children of their own."""
        processes = self.processes()
        parents = [int(stat(process)[1]) for process in processes]
        numbers = {int(process.name) for process in processes}
        roots = [parent for parent in parents if parent not in numbers]
        if len(roots) != 1 or len(processes) > 2 or has_zombies(numbers):
            return None
        return self.cpu()

    def cpu(self) -> float | None:
        processes = self.processes()
        # utime, stime, and those of the children that have been waited for.
        return sum(sum(map(int, stat(process)[11:15])) for process in processes) * TICK_MS if processes else None


def stat(process: Path) -> list[str]:
    """The fields of /proc/N/stat from the state on; the name before it may hold anything."""
    try:
        return (process / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return ["X", "0", *["0"] * 20]


def has_zombies(parents: set[int]) -> bool:
    """True while a child of theirs has ended and is not reaped. A zombie has no environment to find it by, and its
    CPU time is not yet among that of its parent's children."""
    fields = [stat(process)[:2] for process in Path("/proc").glob("[0-9]*")]
    return any(state == "Z" and int(parent) in parents for state, parent in fields)


def pss_mb(process: Path) -> float:
    lines = (process / "smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description="What the warm start saves.")
    parser.add_argument("--programs", type=Path, default=servers.PROGRAMS, help="folder with the built programs")
    parser.add_argument("--tasks", type=int, default=50, help="of each")
    arguments = parser.parse_args()
    programs = arguments.programs.resolve()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        api = stack.enter_context(execution_api.serving())

        def ours(name: str, command: Callable[[], list[str]], python: Path, variables: dict[str, str]) -> Sandbox:
            (folder / name / "tmp").mkdir(parents=True)
            path = f"{python}:/usr/bin:/bin"
            env = {"PATH": path, "TMPDIR": str(folder / name / "tmp"), **variables}
            server = servers.local(
                folder / name / "server",
                programs,
                handler="exec",
                program_dir=str(programs),
                concurrency=1,
                env=env,
                working_directory=str(folder),
            )
            return Sandbox(name, stack.enter_context(server), command)

        airflow = [execution_api.environment(folder / f"home-{number}", api) for number in range(3)]
        modules = {"LAMBDA_EXECUTOR_PRELOAD": airflow_modules()}
        options = published_handler.options(published_handler.find(), folder / "home-2")
        options["env"] = {**options["env"], **airflow[2], "PATH": f"{AIRFLOW}:/usr/bin:/bin"}
        theirs = stack.enter_context(servers.local(folder / "theirs", programs, concurrency=1, **options))
        measure(
            "An Airflow task that does nothing",
            [
                ours("warm start", execution_api.command, AIRFLOW, {**airflow[0], **modules}),
                ours("without", execution_api.command, AIRFLOW, airflow[1]),
                Sandbox("Airflow's handler", theirs, execution_api.command),
            ],
            arguments.tasks,
        )
        if set(api.states) != {"success"} or len(api.states) != 3 * (arguments.tasks + 1):
            raise SystemExit(f"tasks reported other states: {api.states}")
        (folder / "job.py").write_text(NUMPY_PROGRAM)
        venv.create(folder / "numpy", with_pip=True)
        python = folder / "numpy" / "bin"
        subprocess.run([python / "python", "-m", "pip", "install", "--quiet", NUMPY], check=True)
        measure(
            "python -m job, which imports numpy",
            [
                ours("numpy loaded", lambda: ["python", "-m", "job"], python, {"LAMBDA_EXECUTOR_PRELOAD": "numpy"}),
                ours("numpy not loaded", lambda: ["python", "-m", "job"], python, {}),
            ],
            arguments.tasks,
        )


def measure(what: str, sandboxes: list[Sandbox], tasks: int) -> None:
    """By turns, so that what else the machine does meets all of them."""
    for _ in range(tasks + 1):
        for sandbox in sandboxes:
            sandbox.run()
    print(f"{what}; {tasks} of each in a warm sandbox, from Invoke to the result in SQS")
    print()
    heads = ("CPU ms p50", "p95", "wall ms p50", "p95", "MB after 1", f"after {tasks + 1}")
    print(f"{'':20}" + "".join(f"{head:>12}" for head in heads))
    for sandbox in sandboxes:
        times = [of(values) for values in (sandbox.cpu_ms, sandbox.wall_ms) for of in (statistics.median, p95)]
        figures = (*times, sandbox.memory_mb[0], sandbox.memory_mb[-1])
        print(f"{sandbox.name:20}" + "".join(f"{figure:12.1f}" for figure in figures), flush=True)
    print()


def p95(values: list[float]) -> float:
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


if __name__ == "__main__":
    main()
