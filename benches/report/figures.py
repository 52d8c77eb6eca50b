"""Medians, spreads and ratios of the rows."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import prices
from .contender import LIMIT

Row = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """One thing that is measured."""

    name: str
    title: str
    unit: str
    value: Callable[[Row], float | None]
    more_is_better: bool = False


def _pair(name: str, at: int) -> Callable[[Row], float | None]:
    return lambda row: row[name][at] if row.get(name) else None


def _per_task(row: Row, value: float | None) -> float | None:
    return value / row["done"] if row["done"] and value is not None else None


FIGURES = [
    Figure("rate", "Tasks a second, from queueing to the last final event", "/s",
           lambda row: row["done"] / row["seconds"], more_is_better=True),
    Figure("cpu_us", "Host CPU a task", "µs", lambda row: _per_task(row, row["cpu_s"] * 1e6)),
    Figure("calls", "AWS calls a task", "", lambda row: _per_task(row, sum(row["calls"].values()))),
    Figure("usd", "Dollars for a million tasks", "$", lambda row: _per_task(row, prices.usd(row["calls"]) * 1e6)),
    Figure("start_p50", "Queue to Invoke, p50", "ms", _pair("start_ms", 0)),
    Figure("start_p99", "Queue to Invoke, p99", "ms", _pair("start_ms", 1)),
    Figure("event_p50", "Result in SQS to event, p50", "ms", _pair("event_ms", 0)),
    Figure("event_p99", "Result in SQS to event, p99", "ms", _pair("event_ms", 1)),
    Figure("peak_mb", "Peak memory", "MB", lambda row: row["peak_mb"]),
    Figure("blocked_us", "Calling thread blocked, a task", "µs",
           lambda row: _per_task(row, row["blocked_s"] and row["blocked_s"] * 1e6)),
    Figure("blocked_longest_ms", "Calling thread blocked, longest call", "ms", lambda row: row["blocked_longest_ms"]),
]  # fmt: skip
BY_NAME = {figure.name: figure for figure in FIGURES}


@dataclass(frozen=True)
class Value:
    """A figure of one contender in one group of runs."""

    median: float
    lowest: float
    highest: float
    repeats: int
    #: Median of the ratios to the limit in the same repeat. None where there is nothing to compare with.
    ratio: float | None
    #: A run was cut off.
    cut: bool


def value(rows: Iterable[Row], figure: Figure, contender: str, group: tuple[int, int, float]) -> Value | None:
    """None where no run has the figure."""
    of_group = [row for row in rows if "error" not in row and key(row) == group and row["done"]]
    limit = {row["repeat"]: figure.value(row) for row in of_group if row["contender"] == LIMIT}
    mine = [row for row in of_group if row["contender"] == contender]
    values = [(row["repeat"], number) for row in mine if (number := figure.value(row)) is not None]
    if not values:
        return None
    ratios = [number / bound for repeat, number in values if (bound := limit.get(repeat))]
    numbers = [number for _, number in values]
    return Value(
        statistics.median(numbers),
        min(numbers),
        max(numbers),
        len(numbers),
        statistics.median(ratios) if ratios else None,
        any(row["cut"] for row in mine),
    )


def key(row: Row) -> tuple[int, int, float]:
    """Rows with the same are compared."""
    return row["latency_ms"], row["tasks"], row["rate"]


def groups(rows: Iterable[Row]) -> list[tuple[int, int, float]]:
    """All, by rate, latency and number of tasks."""
    return sorted({key(row) for row in rows}, key=lambda group: (group[2], group[0], group[1]))
