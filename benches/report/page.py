"""The generated part of docs/performance.md, and docs/performance-figures.md with every figure."""

from __future__ import annotations

from typing import Any

from .contender import LIMIT, ROOT, Contender
from .figures import BY_NAME, FIGURES, Figure, groups, value
from .markdown import cell, replace, table

PAGE = ROOT / "docs" / "performance.md"
ALL = ROOT / "docs" / "performance-figures.md"
RATES = ("rate", "cpu_us", "calls", "usd", "peak_mb", "blocked_us", "blocked_longest_ms")
CHARTS = {
    "tasks-a-second": "Tasks a second",
    "cpu-a-task": "Host CPU a task",
    "dollars": "Dollars for a million tasks",
    "by-number-of-tasks": "Tasks a second by number of tasks",
    "latencies": "Latencies, p50 to p99",
}
LATENCIES = ("start_p50", "start_p99", "event_p50", "event_p99")


def write(results: dict[str, Any], contenders: list[Contender]) -> None:
    """From the document of raw figures."""
    text = "\n\n".join(part for part in (_head(results, contenders), _summary(results, contenders)) if part)
    PAGE.write_text(replace(PAGE.read_text(), "comparison", "bench", text))
    ALL.write_text(_all(results, contenders))


def write_flame(text: str) -> None:
    PAGE.write_text(replace(PAGE.read_text(), "flame graph", "bench", text))


def _head(results: dict[str, Any], contenders: list[Contender]) -> str:
    rows = [[name, text] for name, text in results["machine"].items()]
    rows.append(["repeats", f"{results['repeats']}, by turns{_interrupted(results)}"])
    lines = [table(["", ""], rows)]
    left_out = results["left_out"]
    if left_out:
        titles = {contender.name: contender.title for contender in contenders}
        lines.append(
            table(["left out", "why"], [[titles.get(name, name), _plain(why)] for name, why in left_out.items()])
        )
    return "\n".join(lines)


def _interrupted(results: dict[str, Any]) -> str:
    return " (interrupted: the figures are of what had run)" if results.get("interrupted") else ""


def _summary(results: dict[str, Any], contenders: list[Contender]) -> str:
    rows, parts = results["rows"], []
    bursts = [group for group in groups(rows) if not group[2]]
    shown = [group for group in bursts if group[0] == 20] or bursts
    parts += [_chart(name) for name in ("tasks-a-second", "cpu-a-task", "dollars", "by-number-of-tasks")]
    for group in shown:
        parts.append(f"#### {group[1]:,} tasks at once, {group[0]} ms added to each AWS call\n")
        parts.append(_of_group(results, contenders, group, RATES))
    for group in [group for group in groups(rows) if group[2]]:
        parts.append(f"#### Latencies: {group[2]:g} tasks a second, {group[0]} ms added to each AWS call\n")
        parts += [_chart("latencies"), _of_group(results, contenders, group, LATENCIES)]
    return "\n".join(parts)


def _of_group(
    results: dict[str, Any], contenders: list[Contender], group: tuple[int, int, float], names: tuple[str, ...]
) -> str:
    figures = [BY_NAME[name] for name in names]
    lines = []
    for contender in contenders:
        cells = [cell(value(results["rows"], figure, contender.name, group), results["repeats"]) for figure in figures]
        if any(text != "-" for text in cells):
            lines.append([contender.title, *cells])
    return table(["", *map(_heading, figures)], lines)


def _chart(name: str) -> str:
    return f"![{CHARTS[name]}](charts/{name}.svg)\n"


def _heading(figure: Figure) -> str:
    return f"{figure.title}, {figure.unit}" if figure.unit else figure.title


def _all(results: dict[str, Any], contenders: list[Contender]) -> str:
    """One table for each figure and each latency."""
    rows = results["rows"]
    parts = [
        "# Performance: all figures",
        "`make bench` writes this page. [performance.md](performance.md) describes the contenders, the figures and the "
        "machine.",
        "In a cell: the median, the lowest and the highest value in brackets, and the ratio to the row "
        f"“{_title(contenders, LIMIT)}” of the same repeat (the median of these ratios). `cut`: the run was cut off, "
        "and the figure is of what had ended by then.",
    ]
    for latency_ms in sorted({group[0] for group in groups(rows)}):
        parts.append(f"## {latency_ms} ms added to each AWS call")
        columns = [group for group in groups(rows) if group[0] == latency_ms]
        heads = [f"{group[1]:,} tasks" + (f", {group[2]:g} a second" if group[2] else "") for group in columns]
        for figure in FIGURES:
            lines = []
            for contender in contenders:
                cells = [cell(value(rows, figure, contender.name, group), results["repeats"]) for group in columns]
                if any(text != "-" for text in cells):
                    lines.append([contender.title, *cells])
            if lines:
                parts += [f"### {_heading(figure)} ({latency_ms} ms)", table(["", *heads], lines).rstrip()]
    errors = [row for row in rows if "error" in row]
    if errors:
        parts.append("## Runs that failed")
        lines = [[_title(contenders, row["contender"]), f"{row['tasks']:,}", _plain(row["error"])] for row in errors]
        parts.append(table(["", "tasks", "why"], lines).rstrip())
    return "\n\n".join(parts) + "\n"


def _title(contenders: list[Contender], name: str) -> str:
    return next((contender.title for contender in contenders if contender.name == name), name)


def _plain(text: str) -> str:
    """An error text in a cell, without folders of this machine."""
    return text.replace(str(ROOT), ".").replace("|", "\\|").replace("\n", " ")
