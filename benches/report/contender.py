"""Who takes part."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "benches" / "contenders"
#: What is built, and the raw figures.
BUILD = Path(os.environ.get("BENCH_BUILD") or ROOT / "build" / "bench-report")
#: What every figure is compared with.
LIMIT = "hyper"


@dataclass(frozen=True)
class Contender:
    """One way to run tasks, as a process of its own."""

    name: str
    title: str
    #: The arguments, made from the line that it gets on standard input.
    arguments: Callable[[dict[str, Any]], list[str]]
    #: What else the line in has.
    more: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    #: Takes many times as long as the others: fewer tasks, cut off early.
    slow: bool = False
    #: Invokes all tasks before it reads the first result.
    all_first: bool = False
    #: Cannot queue at a rate.
    bursts_only: bool = False
    #: Uses the function's own results queue, which is shared.
    own_queue: bool = False
    #: A file that has to be there.
    needs: Path | None = None
    #: For the table.
    note: str = ""


def contenders(library: Path) -> list[Contender]:
    """All, the limit first."""
    folder = str(BUILD / "lib")
    native = {"LD_LIBRARY_PATH": folder}
    python = {
        "LAMBDA_EXECUTOR_LIBRARY": str(library),
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "bindings" / "python" / "src", HERE / "python"))),
    }
    rust, airflow = BUILD / "bare-loops", ROOT / "build" / "venvs" / "airflow" / "bin" / "python"
    c = BUILD / "c-executor"

    def in_c(line: dict[str, Any]) -> list[str]:
        words = (json.dumps(line["config"]), line["tasks"], line["rate"], line["limit_s"], json.dumps(line["command"]))
        return [str(c), *map(str, words)]

    def run(*words: Path | str) -> Callable[[dict[str, Any]], list[str]]:
        return lambda line: [str(word) for word in words]

    def of_airflow(name: str, title: str, class_: str, **more: Any) -> Contender:  # noqa: ANN401 - fields of Contender
        program = run(airflow, HERE / "python" / "airflow_executor.py")
        return Contender(
            name, title, program, {"class": class_}, environment=python, bursts_only=True, needs=airflow, **more
        )

    return [
        Contender(LIMIT, "bare loop, hyper + aws-sigv4", run(rust, "hyper"), needs=rust, note="the limit"),
        Contender("sdk", "bare loop, AWS SDK for Rust", run(rust, "sdk"), needs=rust),
        Contender("c", "this library, C", in_c, environment=native, needs=c),
        Contender(
            "python", "this library, Python", run(sys.executable, HERE / "python" / "executor.py"), environment=python
        ),
        Contender(
            "go", "this library, Go", run(BUILD / "go-executor"), environment=native, needs=BUILD / "go-executor"
        ),
        Contender(
            "c-batch-10",
            "this library, C, `batch_size` 10",
            in_c,
            {"config": {"batch_size": 10}},
            environment=native,
            needs=c,
            note="up to ten tasks share an Invoke and a result message",
        ),
        Contender(
            "c-sdk",
            "this library, C, `transport` sdk",
            in_c,
            {"config": {"transport": "sdk"}},
            environment=native,
            needs=c,
            note="requests by the AWS SDK in place of the library's own",
        ),
        of_airflow(
            "airflow-ours",
            "this library, Airflow's `LambdaExecutor`",
            "lambda_executor.airflow.LambdaExecutor",
            note="heartbeats as Airflow's scheduler makes them",
        ),
        _threads("boto3-64", "boto3, 64 threads", 64),
        _threads("boto3-1", "boto3, 1 thread", 1),
        of_airflow(
            "airflow",
            "Airflow's `AwsLambdaExecutor`",
            "airflow.providers.amazon.aws.executors.aws_lambda.AwsLambdaExecutor",
            all_first=True,
            own_queue=True,
            note="heartbeats as Airflow's scheduler makes them",
        ),
        Contender(
            "lithops",
            "Lithops' Invoke, 64 threads",
            run(BUILD / "venv" / "bin" / "python", HERE / "python" / "lithops_threads.py"),
            {"threads": 64},
            slow=True,
            needs=BUILD / "venv" / "bin" / "lithops",
            note="its `AWSLambdaBackend.invoke`; results by boto3, as Lithops takes them from object storage",
        ),
    ]


def _threads(name: str, title: str, threads: int) -> Contender:
    python = BUILD / "venv" / "bin" / "python"
    program = [str(python), str(HERE / "python" / "boto3_threads.py")]
    return Contender(name, title, lambda line: program, {"threads": threads}, slow=True, needs=python)
