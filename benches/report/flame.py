"""A flame graph of one run of the library in C, sampled by perf, and a sentence on each of its widest parts."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .contender import ROOT, Contender
from .job import Job
from .parts import OTHER, PARTS, Part, part_of
from .server import Server

HERTZ = 499
WIDTH, ROW, LEAST = 1200, 16, 0.6
Stacks = Counter[tuple[str, ...]]


class NoFlameGraphError(Exception):
    """Why there is none."""


def record(server: Server, contender: Contender, job: Job, library: Path) -> Stacks:
    """Runs the contender under perf. Its symbols are those of the library, which must not be stripped."""
    if shutil.which("perf") is None:
        raise NoFlameGraphError("perf is not installed")
    if b"no symbols" in subprocess.run(["nm", library], capture_output=True).stderr:
        raise NoFlameGraphError("the library is stripped")
    server.set_latency(job.latency_ms)
    with server.where(False) as where, tempfile.TemporaryDirectory(prefix="bench-flame-") as folder:
        line = job.line(where, contender.more)
        data = str(Path(folder) / "perf.data")
        command = [
            "perf",
            "record",
            "--quiet",
            "-e",
            "cpu-clock",
            "-F",
            str(HERTZ),
            "--call-graph",
            "dwarf,16384",
            "-o",
            data,
        ]
        done = subprocess.run(
            [*command, "--", *contender.arguments(line)],
            env=_environment(contender),
            input=json.dumps(line) + "\n",
            capture_output=True,
            text=True,
            timeout=job.limit_s + 60,
        )
        if done.returncode != 0:
            raise NoFlameGraphError(f"perf record: {done.stderr.strip()[-300:]}")
        script = subprocess.run(
            ["perf", "script", "-i", data, "--no-inline", "-F", "comm,ip,sym"],
            capture_output=True,
            text=True,
            timeout=600,
        )
        if script.returncode != 0:
            raise NoFlameGraphError(f"perf script: {script.stderr.strip()[-300:]}")
    stacks = fold(script.stdout)
    if not stacks:
        raise NoFlameGraphError("perf took no samples")
    return stacks


def _environment(contender: Contender) -> dict[str, str]:
    import os

    return {name: text for name, text in os.environ.items() if not name.startswith("AWS_")} | contender.environment


def fold(script: str) -> Stacks:
    """Counts of stacks, outermost function first, from the output of perf script."""
    stacks: Stacks = Counter()
    for block in script.split("\n\n"):
        head, *lines = [line for line in block.splitlines() if line.strip()] or [""]
        frames = [found[1] for line in lines if (found := re.match(r"\s*[0-9a-f]+ (?!\[unknown\])(.*)$", line))]
        if frames:
            stacks[(head.split()[0] if head.strip() else "?", *(_short(frame) for frame in reversed(frames)))] += 1
    return stacks


def _short(name: str) -> str:
    """A function's name without its hash, offset and type parameters."""
    name = re.sub(r"::h[0-9a-f]{16}|\+0x[0-9a-f]+", "", name).strip()
    name = re.sub(r"^<(.*?) as .*?>::", r"\1::", name)
    while (shorter := re.sub(r"<[^<>]*>", "", name)) != name:
        name = shorter
    return re.sub(r"(::)+", "::", name) or "?"


def shares(stacks: Stacks) -> list[tuple[Part, float]]:
    """Each part's share of the samples, the widest first."""
    counts: Counter[Part] = Counter()
    for stack, count in stacks.items():
        counts[part_of(stack)] += count
    total = sum(stacks.values())
    return [(part, count / total) for part, count in counts.most_common()]


@dataclass
class _Node:
    count: int = 0
    children: dict[str, _Node] = field(default_factory=dict)


def svg(stacks: Stacks, title: str) -> str:
    """Hovering over a box shows the whole name and its share."""
    root = _Node()
    for stack, count in stacks.items():
        node = root
        node.count += count
        for frame in stack:
            node = node.children.setdefault(frame, _Node())
            node.count += count
    boxes = list(_boxes(root, "", 0.0, WIDTH, 0))
    depth = max(box[0] for box in boxes) + 1
    height = depth * ROW + 40
    view = f'viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view}>',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{WIDTH / 2}" y="18" text-anchor="middle" font-size="14">{html.escape(title)}</text>',
    ]
    for level, name, left, width, count in boxes:
        top = height - (level + 1) * ROW - 4
        share = f"{100 * count / root.count:.1f} %"
        fits = int(width / 6.8)
        text = html.escape(name if len(name) <= fits else name[: max(0, fits - 2)] + "…") if fits >= 4 else ""
        lines.append(
            f"<g><title>{html.escape(name)}, {share}</title>"
            f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW - 1}" fill="{_colour(name)}"/>'
            f'<text x="{left + 2:.1f}" y="{top + 11}">{text}</text></g>'
        )
    return "\n".join([*lines, "</svg>", ""])


def _boxes(
    node: _Node, name: str, left: float, width: float, level: int
) -> Iterator[tuple[int, str, float, float, int]]:
    """Boxes that are wide enough to be seen, the root first."""
    yield level, name or "all", left, width, node.count
    for child_name, child in sorted(node.children.items()):
        child_width = width * child.count / node.count
        if child_width >= LEAST:
            yield from _boxes(child, child_name, left, child_width, level + 1)
        left += child_width


def _colour(name: str) -> str:
    """The same for the same part."""
    for at, part in enumerate(PARTS):
        if re.search(part.pattern, name):
            return f"hsl({at * 360 // len(PARTS)}, 55%, 72%)"
    return "hsl(0, 0%, 84%)"


def text(stacks: Stacks, job: Job) -> str:
    """For the page."""
    lines = [
        "![Flame graph](charts/flame.svg)\n",
        f"One run of {job.tasks:,} tasks from C, {job.latency_ms} ms added to each AWS call: {sum(stacks.values()):,} "
        f"samples of CPU time of all threads, {HERTZ} a second. A box is a function, its width its share; the boxes "
        "above it are what it calls. A sample counts for the innermost function that belongs to a part. The five "
        "widest parts:\n",
    ]
    widest = [entry for entry in shares(stacks) if entry[0] is not OTHER][:5]
    lines += [f"- **{part.name}**, {100 * share:.0f} %. {part.sentence}" for part, share in widest]
    return "\n".join(lines)


def make(server: Server, contender: Contender, job: Job, library: Path, charts: Path) -> dict[str, Any]:
    """Writes flame.svg. Returns what the raw figures keep, and the text for the page."""
    stacks = record(server, contender, job, library)
    charts.mkdir(parents=True, exist_ok=True)
    title = f"{job.tasks:,} tasks from C, {job.latency_ms} ms added to each AWS call"
    (charts / "flame.svg").write_text(svg(stacks, title))
    kept = {part.name: round(share, 4) for part, share in shares(stacks)}
    return {"samples": sum(stacks.values()), "shares": kept, "text": text(stacks, job)}


def without(why: str) -> str:
    """For the page, where there is none."""
    return f"This run has no flame graph: {why.replace(str(ROOT), '.')}."
