"""make bench: the comparison, docs/performance.md and its charts.

python -m report [--quick | --full] [--repeats N] [--add] [--minutes N] [--library FILE --server FILE] [--only NAME...]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from . import build, flame, machine, page, plan, run, server
from .contender import BUILD, LIMIT, ROOT, Contender, contenders
from .job import Job

CHARTS = ROOT / "docs" / "charts"
#: A run under perf.
FLAME = Job(latency_ms=20, tasks=50_000, rate=0.0, limit_s=60.0)


def main() -> int:
    given = arguments()
    if (given.library is None) != (given.server is None):
        raise SystemExit("bench: --library and --server go together")
    library, program = (given.library, given.server) if given.library else build.library_and_server()
    library, program = library.resolve(), program.resolve()
    build.links(library)
    build.contenders(given.quick)
    known = contenders(library)
    groups = plan.FULL if given.full else plan.QUICK if given.quick else plan.DEFAULT
    results = begun(given, library)

    def save(row: run.Row) -> None:
        results["rows"].append(row)
        results["repeats"] = row["repeat"] + 1
        run.write(given.json, results)

    began = time.monotonic()
    with server.running(program) as at:
        able, results["left_out"] = run.usable(at, wanted(known, given))
        try:
            run.run_all(at, able, groups, given.repeats, given.minutes * 60, save, first=results["repeats"])
        except KeyboardInterrupt:
            results["interrupted"] = True
            print("\nbench: interrupted: the report has what ran until now", flush=True)
        if not given.quick and not results.get("interrupted"):
            results["flame"] = flame_graph(at, able, library, given.charts)
    run.write(given.json, results)
    print(f"bench: {len(results['rows'])} runs in {(time.monotonic() - began) / 60:.1f} minutes", flush=True)
    if results["rows"] and not given.quick:
        report(results, known, given)
    return verdict(results)


def begun(given: argparse.Namespace, library: Path) -> dict[str, Any]:
    """The figures that the run adds to: with --add those of the run before, of the same library on the same system."""
    here, digest = machine.describe(library), hashlib.sha256(library.read_bytes()).hexdigest()
    if not given.add:
        return {"machine": here, "library_sha256": digest, "rows": [], "repeats": 0}
    before: dict[str, Any] = json.loads(given.json.read_text())
    same = before.get("library_sha256") == digest and before["machine"]["system"] == here["system"]
    if not same:
        raise SystemExit("bench: --add: the run before measured another library, or another machine")
    before.pop("interrupted", None)
    return before


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--quick", action="store_true", help="200 tasks, one repeat, fast contenders: does it run at all?"
    )
    form.add_argument("--full", action="store_true", help="every row, slow contenders to their end: hours")
    parser.add_argument("--repeats", type=int, help="5; 1 with --quick")
    parser.add_argument("--add", action="store_true", help="adds repeats to those of the run before")
    parser.add_argument(
        "--minutes", type=float, help="no repeat begins that would end later; 19, without limit with --full"
    )
    parser.add_argument("--library", type=Path, help="default: built as shipped, but not stripped")
    parser.add_argument("--server", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these contenders, besides the limit")
    parser.add_argument("--json", type=Path, default=BUILD / "results.json", help="the raw figures")
    parser.add_argument("--charts", type=Path, default=CHARTS, help="folder of the charts; docs/charts")
    given = parser.parse_args()
    given.repeats = given.repeats or (1 if given.quick else 5)
    given.minutes = given.minutes or (1e6 if given.full else 19.0)
    return given


def wanted(known: list[Contender], given: argparse.Namespace) -> list[Contender]:
    chosen = [one for one in known if not given.only or one.name in (LIMIT, *given.only)]
    if given.quick:
        chosen = [one for one in chosen if not (one.slow or one.all_first or one.name in plan.QUICK_WITHOUT)]
    return chosen


def flame_graph(at: server.Server, able: list[Contender], library: Path, charts: Path) -> dict[str, Any]:
    print("bench: flame graph", flush=True)
    c = next((one for one in able if one.name == "c"), None)
    try:
        if c is None:
            raise flame.NoFlameGraphError("the contender in C does not run")
        return flame.make(at, c, FLAME, library, charts)
    except (flame.NoFlameGraphError, subprocess.SubprocessError, OSError) as why:
        print(f"bench: no flame graph: {why}", flush=True)
        return {"text": flame.without(str(why))}


def report(results: dict[str, Any], known: list[Contender], given: argparse.Namespace) -> None:
    """The pages, then the charts, which need matplotlib."""
    if given.json == BUILD / "results.json":
        page.write(results, known)
        if "flame" in results:
            page.write_flame(results["flame"]["text"])
        print(f"bench: wrote {page.PAGE.relative_to(ROOT)} and {page.ALL.relative_to(ROOT)}")
    python = BUILD / "venv" / "bin" / "python"
    drawn = subprocess.run(
        [python if python.exists() else sys.executable, "-m", "report.charts", given.json, given.charts],
        cwd=ROOT / "benches",
    )
    print(f"bench: charts {'in ' + given.charts.name if drawn.returncode == 0 else 'failed'}", flush=True)


def verdict(results: dict[str, Any]) -> int:
    """1 if a run failed, or a task of it."""
    bad = [row for row in results["rows"] if "error" in row or row["failed"]]
    for row in bad:
        print(
            f"bench: {row['contender']}, {row['tasks']:,} tasks: {row.get('error') or 'tasks failed'}", file=sys.stderr
        )
    return int(bool(bad) or not results["rows"])


if __name__ == "__main__":
    sys.exit(main())
