"""`make bench` works: its quick form runs, an interrupted run keeps its figures, and what it writes is right."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from servers import ROOT

PREFIX = Path(os.environ.get("LAMBDA_EXECUTOR_PREFIX") or ROOT / "build" / "prefix")
PATIENCE_S = 240.0
FAST = {"c", "python", "go"}

sys.path.append(str(ROOT / "benches"))

from report import figures, flame, markdown, plan, run, scale  # noqa: E402


def quick(folder: Path, *more: str) -> list[str]:
    library, server = PREFIX / "lib" / "liblambda_executor.so.1", PREFIX / "bin" / "lambda-executor-local"
    where = ["--library", str(library), "--server", str(server), "--json", str(folder / "results.json")]
    return [sys.executable, "-m", "report", "--quick", *where, *more]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "benches"), "BENCH_BUILD": str(folder / "build")}


def test_the_quick_form_runs_each_fast_contender(tmp_path: Path) -> None:
    done = subprocess.run(
        quick(tmp_path), env=environment(tmp_path), capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    rows = {(row["contender"], row["tasks"]): row for row in results["rows"]}
    assert {name for name, _ in rows} >= FAST, results["left_out"]
    for (name, tasks), row in rows.items():
        assert (row["done"], row["failed"], row["cut"]) == (tasks, 0, False), name
        # A batch of tasks shares an Invoke.
        assert row["calls"]["Invoke"] == tasks or (name == "c-batch-10" and row["calls"]["Invoke"] < tasks), name
        assert row["cpu_s"] > 0, name
        assert row["peak_mb"] > 1, name
        # The server adds 20 ms to each of its answers.
        assert row["start_ms"][1] >= row["start_ms"][0] >= 10, name
        assert row["event_ms"][1] >= row["event_ms"][0] >= 0, name
    assert "20 ms" in done.stdout


def test_an_interrupted_run_keeps_what_it_has(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    with subprocess.Popen(
        quick(tmp_path, "--repeats", "10000"), env=environment(tmp_path), stdout=subprocess.PIPE, text=True
    ) as bench:
        wait_for(results.exists, bench)
        bench.send_signal(signal.SIGINT)
        output, _ = bench.communicate(timeout=PATIENCE_S)
    kept = json.loads(results.read_text())
    assert kept["interrupted"], output
    assert kept["rows"], output
    assert bench.returncode == 0, output


def wait_for(holds: Callable[[], bool], bench: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert bench.poll() is None, "the run has ended"
        assert time.monotonic() < deadline, "no row yet"
        time.sleep(0.01)


def row(contender: str, repeat: int, seconds: float, *, cut: bool = False) -> dict[str, Any]:
    return {
        "contender": contender,
        "repeat": repeat,
        "latency_ms": 20,
        "tasks": 100,
        "rate": 0.0,
        "done": 100,
        "seconds": seconds,
        "cut": cut,
        "cpu_s": seconds / 10,
        "calls": {"Invoke": 100, "ReceiveMessage": 10, "DeleteMessageBatch": 10},
        "start_ms": None,
    }


def test_a_ratio_is_to_the_limit_of_the_same_repeat() -> None:
    rows = [row("hyper", 0, 1.0), row("c", 0, 2.0), row("hyper", 1, 10.0), row("c", 1, 20.0, cut=True)]
    rows += [row("hyper", 2, 1.0), row("c", 2, 4.0), row("c", 3, 50.0), {"contender": "c", "repeat": 4, "error": "why"}]
    value = figures.value(rows, figures.BY_NAME["rate"], "c", (20, 100, 0.0))
    assert value is not None
    # 50, 5, 25 and 2 tasks a second; the limit had 100, 10, 100 and none.
    assert (value.median, value.lowest, value.highest, value.repeats) == (15.0, 2.0, 50.0, 4)
    assert value.ratio == 0.5
    assert value.cut
    assert markdown.cell(value, 4) == "cut: **15.0** (2.00 to 50.0); ratio 0.50"
    assert markdown.cell(value, 5) == "cut: **15.0** (2.00 to 50.0); ratio 0.50; 4 repeats"
    assert figures.value(rows, figures.BY_NAME["start_p50"], "c", (20, 100, 0.0)) is None


def test_what_does_not_fit_into_the_time_is_left_out() -> None:
    needed, optional = plan.Group(20, 100), plan.Group(20, 100_000, optional=True)
    took = {needed: 100.0, optional: 50.0}
    assert run.fitting(took, 4, 600.0) == [needed, optional]
    assert run.fitting(took, 4, 599.0) == [needed]
    assert run.fitting(took, 4, 99.0) == []


def test_a_million_tasks_cost_what_their_calls_cost() -> None:
    value = figures.value([row("c", 0, 1.0)], figures.BY_NAME["usd"], "c", (20, 100, 0.0))
    # A million Invokes at 0.20, 200,000 calls of SQS at 0.40 a million.
    assert value is not None
    assert value.median == pytest.approx(0.28)


def test_a_part_of_the_page_is_replaced_and_nothing_else() -> None:
    page = "# Page\n\n<!-- begin x: written by make bench -->\n\nold\n\n<!-- end x -->\n\nby hand\n"
    once = markdown.replace(page, "x", "bench", r"new \1")
    assert once == page.replace("old", r"new \1")
    assert markdown.replace(once, "x", "bench", r"new \1") == once


SAMPLES = """lambda 1
\t7f00 __GI___libc_malloc+0x10
\t7f01 lambda_executor::executor::machine::tasks::Tasks::insert::h0123456789abcdef
\t7f02 lambda_executor_queue

lambda 1
\t7f03 <lambda_executor::aws::Port<T> as core::Future>::poll::h0123456789abcdef
\t7f04 tokio::runtime::task::core::Core<T,S>::poll::h0123456789abcdef

lambda 1
\t7f03 <lambda_executor::aws::Port<T> as core::Future>::poll::h0123456789abcdef
\t7f04 tokio::runtime::task::core::Core<T,S>::poll::h0123456789abcdef
"""


def test_a_flame_graph_shows_each_function_with_its_share() -> None:
    stacks = flame.fold(SAMPLES)
    assert stacks == {
        ("lambda", "lambda_executor_queue", "lambda_executor::executor::machine::tasks::Tasks::insert",
         "__GI___libc_malloc"): 1,
        ("lambda", "tokio::runtime::task::core::Core::poll", "lambda_executor::aws::Port::poll"): 2,
    }  # fmt: skip
    shares = [(part.name, round(share, 2)) for part, share in flame.shares(stacks)]
    assert shares == [("requests", 0.67), ("the allocator", 0.33)]
    drawn = flame.svg(stacks, "a & b")
    assert "a &amp; b" in drawn
    assert "<title>tokio::runtime::task::core::Core::poll, 66.7 %</title>" in drawn


def test_a_cost_that_grows_is_called_so() -> None:
    def runs(tasks: int, cost: float) -> dict[str, Any]:
        return {"tasks": tasks, "cpu_us": cost, "queue_us": 5.0, "milli_calls": 1300 / cost}

    cpu, queue, calls = scale.flatness([runs(1_000, 100.0), runs(1_000_000, 300.0)])
    assert "grows" in cpu
    assert "by a factor of 3.0" in cpu
    assert "flat" in queue
    assert "falls" in calls
    cpu, *_ = scale.flatness([runs(1_000, 100.0), runs(10_000, 160.0), runs(1_000_000, 120.0)])
    assert cpu == "- Host CPU a task: does not grow: 120 for 1,000,000 tasks; at most 160, for 10,000."
