"""Runs tasks through the shared library, in a separate process (library_driver.py)."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import servers

LIBRARY = servers.PROGRAMS / "liblambda_executor.so"
DRIVER = Path(__file__).with_name("library_driver.py")


def run_tasks(
    server: servers.Server,
    config: dict[str, Any],
    tasks: list[dict[str, Any]],
    *,
    seconds: float = 60,
    check_health: bool = False,
    one_by_one: bool = False,
    when_running: Callable[[], None] = lambda: None,
) -> dict[str, dict[str, Any]]:
    """Final events by key. Fails if a task has none in `seconds` or more than one, or if the library reports an error.

    `when_running` is called once, when all tasks have been accepted by Lambda.
    """
    order = {
        "config": config,
        "tasks": tasks,
        "seconds": seconds,
        "check_health": check_health,
        "one_by_one": one_by_one,
    }
    events: list[dict[str, Any]] = []
    running = 0

    def take(line: str) -> None:
        nonlocal running
        event = json.loads(line)
        events.append(event)
        running += event["state"] == "running"
        if event["state"] == "running" and running == len(tasks):
            when_running()

    status, error = drive(server, order, take)
    assert status == 0, error
    assert "shutdown_grace_ms" not in error, "free used its whole grace"
    finals = [event for event in events if event["state"] != "running"]
    assert len({event["key"] for event in finals}) == len(finals), "two final events of one task"
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    return {event["key"]: event for event in finals}


def health_error(server: servers.Server, config: dict[str, Any]) -> str:
    """The error of a health check that must fail."""
    order = {"config": config, "tasks": [], "seconds": 20, "check_health": True, "one_by_one": False}
    status, error = drive(server, order, lambda _: None)
    assert status == 1, error
    return error


def health_warnings(server: servers.Server, config: dict[str, Any]) -> list[str]:
    """The warnings of a health check that must pass."""
    stats: list[dict[str, Any]] = []
    order = {"config": config, "tasks": [], "seconds": 20, "check_health": True, "one_by_one": False}
    status, error = drive(server, order, lambda line: stats.append(json.loads(line)))
    assert status == 0, error
    warnings: list[str] = stats[0]["health"]["warnings"]
    assert all(warning in error for warning in warnings), "each warning must be logged, too"
    return warnings


def drive(server: servers.Server, order: dict[str, Any], take: Callable[[str], None]) -> tuple[int, str]:
    """Runs the driver, and passes each line of its output to `take`. Returns its exit status and standard error."""
    order["config"] = {"endpoint_url": server.endpoint_url, "region_name": server.region, **order["config"]}
    process = subprocess.Popen(
        [sys.executable, str(DRIVER), str(LIBRARY)],
        env=server.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    stderr: list[str] = []
    listener = threading.Thread(target=lambda stream: stderr.extend(stream), args=(process.stderr,))
    listener.start()
    # The driver has its own time limit; this one is for a library that hangs.
    limit = threading.Timer(order["seconds"] + 30, process.kill)
    limit.start()
    try:
        process.stdin.write(json.dumps(order))
        process.stdin.close()
        for line in process.stdout:
            take(line)
        status = process.wait()
    finally:
        limit.cancel()
        process.kill()
        process.wait()
        listener.join()
        process.stdout.close()
        process.stderr.close()
    return status, "".join(stderr).strip()
