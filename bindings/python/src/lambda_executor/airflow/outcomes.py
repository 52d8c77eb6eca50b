"""Converts final events of the library to Airflow's log events."""

from __future__ import annotations

from typing import NamedTuple

from lambda_executor import Event, Reason, State

# Width of Airflow's database column. A longer name would lose all log events of that loop.
MOST_NAME = 60

_NAMES = {
    Reason.EXIT: "lambda task failed",
    Reason.SIGNAL: "lambda task killed",
    Reason.TIMEOUT: "lambda time limit",
    Reason.EXPIRED: "lambda invoke failure",
    Reason.DEAD_LETTER: "lambda dead letter",
    # The name that Airflow's own executor uses.
    Reason.INVOKE_FAILED: "lambda invoke failure",
    Reason.LOST: "lambda task lost",
    Reason.SETUP_FAILED: "lambda setup failure",
    Reason.BAD_EVENT: "lambda bad event",
    Reason.REPLY_TO_REFUSED: "lambda reply queue refused",
    Reason.BAD_RESULT: "lambda bad result",
    Reason.VALUE_TOO_LARGE: "lambda value too large",
}

INVOKE_FAILURE = _NAMES[Reason.INVOKE_FAILED]


class Failure(NamedTuple):
    """Why a task failed."""

    name: str
    """Name of Airflow's log event."""
    reason: str
    """The reason in one line."""
    extra: str
    """All details, with the last output."""


def failure(event: Event) -> Failure | None:
    """The failure of a final event. None if the task succeeded."""
    if event.state is State.SUCCEEDED:
        return None
    name = _NAMES.get(event.reason, f"lambda {event.reason}")[:MOST_NAME]
    reason = _reason(event)
    lines = [reason, *_facts(event)]
    if event.output_tail:
        shown = "last part of the output" if event.output_truncated else "output"
        lines.append(f"{shown}:\n{event.output_tail}")
    return Failure(name, reason, "\n".join(lines))


def _reason(event: Event) -> str:
    if event.message:
        return event.message
    if event.return_code is not None:
        return f"the command returned {event.return_code}"
    return f"the task ended with reason {event.reason}"


def _facts(event: Event) -> list[str]:
    facts = {
        "attempts": event.attempts,
        "request id": event.request_id,
        "log stream": event.log_stream,
        "attempt_id": event.attempt_id,
    }
    return [f"{name}: {value}" for name, value in facts.items() if value]
