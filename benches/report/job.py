"""What a contender is asked for and what it answers: a JSON line on standard input, a JSON line on standard output.

The line in:

    endpoint_url, region, access_key_id, secret_access_key   where and who
    function_name, queue_url, dead_letter_queue_url          the function; a results queue of this run's own
    tasks, command                                           how many; the command of each task
    rate                                                     tasks a second; 0 queues all at once
    limit_s                                                  the run is cut off after so many seconds
    concurrency                                              Invokes in flight, where the contender can have several
    config                                                   the same for the library: its configuration

The line out is an `Answer`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

#: Bytes of the event that each Invoke carries.
EVENT_BYTES = 300
CONCURRENCY = 512


@dataclass(frozen=True)
class Job:
    """Work for one run of one contender."""

    latency_ms: int
    tasks: int
    rate: float
    limit_s: float

    def line(self, where: dict[str, str], more: dict[str, Any]) -> dict[str, Any]:
        """The line in. `where` has the endpoint, the credentials, the function and the queues."""
        return {
            **{name: where[name] for name in WHERE},
            "tasks": self.tasks,
            "rate": self.rate,
            "limit_s": self.limit_s,
            "command": command(where["queue_url"]),
            "concurrency": CONCURRENCY,
            "config": {
                "endpoint_url": where["endpoint_url"],
                "region_name": where["region"],
                "credentials": {name: where[name] for name in ("access_key_id", "secret_access_key")},
                "function_name": where["function_name"],
                "queue_url": where["queue_url"],
                "dead_letter_queue_url": where["dead_letter_queue_url"],
                "max_concurrent_invokes": CONCURRENCY,
                "max_queued_tasks": 2_000_000,
                # No other contender reports that a task was accepted.
                "running_events": False,
                "log": "off",
            }
            | more.get("config", {}),
            **{name: value for name, value in more.items() if name != "config"},
        }


WHERE = (
    "endpoint_url",
    "region",
    "access_key_id",
    "secret_access_key",
    "function_name",
    "queue_url",
    "dead_letter_queue_url",
)


@dataclass(frozen=True)
class Answer:
    """The result of one run. Times are by the contender's own clock."""

    done: int
    failed: int
    #: The limit came first.
    cut: bool
    #: From the first task queued to the last final event.
    seconds: float
    #: CPU time of the process, from the first task queued until every result is deleted.
    cpu_s: float
    #: Time of the calling thread inside of calls that submit or fetch, and the longest such call. None: it makes none.
    blocked_s: float | None
    blocked_longest_ms: float | None
    #: The largest memory in RAM.
    peak_mb: float
    #: p50 and p99 in ms from queueing to the start of the function, and from the result in SQS to its event.
    start_ms: tuple[float, float] | None = None
    event_ms: tuple[float, float] | None = None
    #: Of blocked_s, that of the calls that queue.
    queue_s: float | None = None
    #: AWS calls, if the contender makes others before it begins and counts its own.
    requests: dict[str, int] | None = None

    @classmethod
    def read(cls, text: str) -> Answer:
        """From standard output, whose last line it is."""
        fields: dict[str, Any] = json.loads(text.strip().splitlines()[-1])
        for name in ("start_ms", "event_ms"):
            if fields.get(name) is not None:
                fields[name] = tuple(fields[name])
        return cls(**fields)


def command(queue_url: str) -> list[str]:
    """A command that makes the event of a task EVENT_BYTES long, in the form in which the library sends it."""
    event = {
        "task_key": "bench/0000000",
        "command": ["true", ""],
        "executor_config": {},
        "attempt_id": "0" * 36,
        "reply_to": queue_url,
    }
    return ["true", "x" * (EVENT_BYTES - len(json.dumps(event, separators=(",", ":"))))]
