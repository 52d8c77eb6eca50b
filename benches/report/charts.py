"""Charts as SVG and PNG, by matplotlib. Run in the environment that has it:

python -m report.charts RESULTS.json FOLDER
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .contender import ROOT, contenders
from .figures import BY_NAME, Value, groups, value
from .markdown import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure  # type: ignore[import-not-found]

COLOURS = {
    "hyper": "#4d4d4d",
    "sdk": "#8c8c8c",
    "c": "#1b6ca8",
    "python": "#3d9be9",
    "go": "#83c5f5",
    "c-batch-10": "#0b3c5d",
    "c-sdk": "#7fa7c4",
    "airflow-ours": "#5ab4ac",
    "boto3-64": "#d98032",
    "boto3-1": "#f0b27a",
    "airflow": "#b03a2e",
    "lithops": "#a569bd",
}
#: matplotlib would write a date and random ids, which differ from run to run.
OPTIONS = {"svg.hashsalt": "lambda-executor", "svg.fonttype": "none", "font.size": 9}


def main(results: str, folder: str) -> None:
    os.environ.setdefault("MPLCONFIGDIR", str(ROOT / "build" / "bench-report" / "matplotlib"))
    import matplotlib  # type: ignore[import-not-found]

    matplotlib.use("Agg")
    matplotlib.rcParams.update(OPTIONS)
    document = json.loads(Path(results).read_text())
    Path(folder).mkdir(parents=True, exist_ok=True)
    if "rows" in document:
        rows = document["rows"]
        bursts = [group for group in groups(rows) if not group[2]]
        # The largest group that most contenders take part in.
        wide = [group for group in bursts if group[0] == 20 and group[1] == 1_000] or bursts[-1:]
        for group in wide:
            _bars(rows, "rate", group, f"{folder}/tasks-a-second")
            _bars(rows, "cpu_us", group, f"{folder}/cpu-a-task")
            _bars(rows, "usd", group, f"{folder}/dollars")
        _by_number(rows, bursts, f"{folder}/by-number-of-tasks")
        for group in [group for group in groups(rows) if group[2]]:
            _latencies(rows, group, f"{folder}/latencies")
    if "scale" in document:
        _scale(document["scale"], f"{folder}/scale")


def _titles() -> dict[str, str]:
    return {contender.name: contender.title.replace("`", "") for contender in contenders(Path())}


def _save(figure: Figure, name: str) -> None:
    import matplotlib.pyplot as plt  # type: ignore[import-not-found]

    figure.tight_layout()
    figure.savefig(f"{name}.svg", metadata={"Date": None})
    figure.savefig(f"{name}.png", dpi=120, metadata={"Software": None})
    plt.close(figure)


def _nearest(
    rows: list[dict[str, Any]], name: str, who: str, group: tuple[int, int, float]
) -> tuple[Value, int] | None:
    """The figure in that group; where it has none, in the next smaller one. With the number of tasks."""
    same = [other for other in groups(rows) if (other[0], other[2]) == (group[0], group[2]) and other[1] <= group[1]]
    for other in reversed(same):
        if (got := value(rows, BY_NAME[name], who, other)) is not None:
            return got, other[1]
    return None


def _bars(rows: list[dict[str, Any]], name: str, group: tuple[int, int, float], file: str) -> None:
    """A bar for each contender, on a logarithmic axis, with the spread."""
    import matplotlib.pyplot as plt

    figure, titles = BY_NAME[name], _titles()
    nearest = {who: _nearest(rows, name, who, group) for who in titles}
    found = [(who, *got) for who, got in nearest.items() if got is not None]
    picture, axes = plt.subplots(figsize=(8, 0.8 + 0.36 * len(found)))
    for at, (who, got, tasks) in enumerate(found):
        spread = [[got.median - got.lowest], [got.highest - got.median]]
        axes.barh(at, got.median, xerr=spread, color=COLOURS.get(who), ecolor="black", capsize=2)
        remarks = ["cut"] * got.cut + [f"{tasks:,} tasks"] * (tasks != group[1])
        remark = f" ({', '.join(remarks)})" if remarks else ""
        axes.annotate(f" {number(got.median)}{remark}", (got.highest, at), va="center")
    axes.set_yticks(range(len(found)), [titles[who] for who, *_ in found])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.margins(x=0.15)
    better = "more" if figure.more_is_better else "less"
    what = f"{figure.title} ({figure.unit or 'calls'}; {better} is better)"
    axes.set_title(f"{what}\n{group[1]:,} tasks, {group[0]} ms added to each call")
    _save(picture, file)


def _by_number(rows: list[dict[str, Any]], bursts: list[tuple[int, int, float]], file: str) -> None:
    """Tasks a second by number of tasks, one picture for each latency."""
    import matplotlib.pyplot as plt

    latencies, titles = sorted({group[0] for group in bursts}), _titles()
    picture, all_axes = plt.subplots(1, len(latencies), figsize=(4 * len(latencies), 4.2), sharey=True, squeeze=False)
    for axes, latency_ms in zip(all_axes[0], latencies, strict=True):
        for who, title in titles.items():
            line = [
                (group[1], got.median)
                for group in bursts
                if group[0] == latency_ms and (got := value(rows, BY_NAME["rate"], who, group)) is not None
            ]
            if line:
                axes.plot(*zip(*line, strict=True), marker="o", markersize=3, color=COLOURS.get(who), label=title)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_title(f"{latency_ms} ms added to each call")
        axes.set_xlabel("tasks")
    all_axes[0][0].set_ylabel("tasks a second")
    handles, labels = max((axes.get_legend_handles_labels() for axes in all_axes[0]), key=lambda legend: len(legend[1]))
    picture.legend(handles, labels, loc="lower center", ncols=3, bbox_to_anchor=(0.5, -0.24))
    picture.tight_layout()
    picture.savefig(f"{file}.svg", metadata={"Date": None}, bbox_inches="tight")
    picture.savefig(f"{file}.png", dpi=120, metadata={"Software": None}, bbox_inches="tight")
    plt.close(picture)


def _latencies(rows: list[dict[str, Any]], group: tuple[int, int, float], file: str) -> None:
    """p50 and p99 of both latencies."""
    import matplotlib.pyplot as plt

    titles = _titles()
    picture, all_axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    for axes, prefix, what in zip(
        all_axes, ("start", "event"), ("Queue to Invoke", "Result in SQS to event"), strict=True
    ):
        pairs = [
            (who, p50.median, p99.median)
            for who in titles
            if (p50 := value(rows, BY_NAME[f"{prefix}_p50"], who, group))
            and (p99 := value(rows, BY_NAME[f"{prefix}_p99"], who, group))
        ]
        for at, (who, half, most) in enumerate(pairs):
            axes.plot([half, most], [at, at], color=COLOURS.get(who), marker="|", markersize=12, linewidth=3)
            axes.annotate(f" {number(most)}", (most, at), va="center")
        axes.set_yticks(range(len(pairs)), [titles[who] for who, _, _ in pairs])
        axes.set_xlim(left=0)
        axes.margins(x=0.15)
        axes.set_title(f"{what}, p50 to p99, ms")
    all_axes[0].invert_yaxis()
    picture.suptitle(f"{group[2]:g} tasks a second, {group[0]} ms added to each call")
    _save(picture, file)


def _scale(scale: dict[str, Any], file: str) -> None:
    """The long run by time, and what a task costs by number of tasks."""
    import matplotlib.pyplot as plt

    picture, (over_time, by_number) = plt.subplots(1, 2, figsize=(11, 4))
    samples = scale["runs"][-1]["samples"]
    at = [sample[0] for sample in samples]
    for place, name, colour in ((1, "queued", "#8c8c8c"), (2, "running", "#1b6ca8"), (3, "ended", "#5ab4ac")):
        over_time.plot(at, [sample[place] for sample in samples], label=name, color=colour)
    over_time.set_xlabel("seconds")
    over_time.set_title(f"{scale['runs'][-1]['tasks']:,} tasks")
    over_time.legend()
    numbers = [run["tasks"] for run in scale["runs"]]
    for name, title, colour in (
        ("cpu_us", "CPU a task, µs", "#1b6ca8"),
        ("queue_us", "queue, µs a call", "#b03a2e"),
        ("milli_calls", "AWS calls for 1,000 tasks", "#d98032"),
    ):
        by_number.plot(numbers, [run[name] for run in scale["runs"]], marker="o", label=title, color=colour)
    by_number.set_xscale("log")
    by_number.set_yscale("log")
    by_number.set_xlabel("tasks")
    by_number.set_title("cost of a task")
    by_number.legend()
    _save(picture, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
