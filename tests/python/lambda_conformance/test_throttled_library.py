"""The library while Lambda throttles: it slows down, and tasks use no attempts."""

from pathlib import Path

import servers
from library import run_tasks


def test_throttling_uses_no_attempt(tmp_path: Path) -> None:
    faults = {"lambda": {"throttle": 0.5}, "seed": 1}
    with servers.local(tmp_path / "local", handler="builtin", faults=faults) as server:
        config = {
            "function_name": server.function_name,
            "queue_url": server.queue_url,
            "dead_letter_queue_url": server.dead_letter_queue_url,
            "check_health_on_startup": False,
        }
        tasks = [{"task_key": f"k-{number}", "command": ["true"]} for number in range(50)]
        finals = run_tasks(server, config, tasks)
    assert {(final["state"], final["attempts"]) for final in finals.values()} == {("succeeded", 1)}
