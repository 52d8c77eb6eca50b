"""Tables and numbers in Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .figures import Value

BEGIN, END = "<!-- begin {name}: written by make {by} -->", "<!-- end {name} -->"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def number(value: float) -> str:
    """Three digits, thousands with commas."""
    if value == 0:
        return "0"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"


def cell(value: Value | None, repeats: int) -> str:
    """The median, the spread in brackets, the ratio to the limit. Fewer repeats than the others are named."""
    if value is None:
        return "-"
    spread = f" ({number(value.lowest)} to {number(value.highest)})" if value.repeats > 1 else ""
    ratio = f"; ratio {_ratio(value.ratio)}" if value.ratio is not None else ""
    fewer = f"; {value.repeats} repeats" if value.repeats < repeats else ""
    return f"{'cut: ' if value.cut else ''}**{number(value.median)}**{spread}{ratio}{fewer}"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if 0.1 <= value < 10 else number(value) if value >= 10 else f"{value:.4f}"


def replace(page: str, name: str, by: str, text: str) -> str:
    """Puts a text between the markers of that name; at the end where the page has none."""
    begin, end = BEGIN.format(name=name, by=by), END.format(name=name)
    part = f"{begin}\n\n{text.strip()}\n\n{end}"
    pattern = re.escape(begin) + r".*?" + re.escape(end)
    if re.search(pattern, page, re.DOTALL):
        return re.sub(pattern, lambda _: part, page, count=1, flags=re.DOTALL)
    return f"{page.rstrip()}\n\n{part}\n"
