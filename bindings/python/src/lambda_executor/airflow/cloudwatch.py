"""Lines of a function's log in CloudWatch, read with the hook of apache-airflow-providers-amazon where it is installed.

A request of the web interface waits for it: one attempt, a few seconds, the newest lines.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

MOST_LINES = 1000
PATIENCE_S = 3
# Airflow's own handler logs whole events. The command in them has the task's token.
_SECRET = "execute_workload"


class Unavailable(Exception):
    """Why CloudWatch is not read."""


class Found(NamedTuple):
    stream: str
    lines: list[str]


def read(named: dict[str, Any], group: str, since: datetime | None, terms: list[str]) -> Found | None:
    """The newest run whose first line has all these terms; None if there is none."""
    client = _client(named)
    start = int(since.timestamp() * 1000) if since is not None else 0
    try:
        pattern = " ".join('"' + term.replace("\\", "\\\\").replace('"', '\\"') + '"' for term in terms)
        began = client.filter_log_events(logGroupName=group, startTime=start, filterPattern=pattern)["events"]
        if not began:
            return None
        newest = max(began, key=lambda event: event["timestamp"])
        stream = newest["logStreamName"]
        events = client.get_log_events(
            logGroupName=group,
            logStreamName=stream,
            startTime=newest["timestamp"],
            limit=MOST_LINES,
            startFromHead=True,
        )["events"]
    except Exception as error:
        raise Unavailable(f"CloudWatch cannot be read: {error}") from error
    return Found(stream, _of_one_run(event["message"].rstrip("\n") for event in events))


def _of_one_run(messages: Any) -> list[str]:
    """Lines up to the end of the invocation: the next one of the same sandbox is another task's."""
    lines = []
    for message in messages:
        if message.startswith(("END RequestId:", "REPORT RequestId:")) or '"type":"platform.report"' in message:
            break
        if _SECRET not in message:
            lines.append(message)
    return lines


def _client(named: dict[str, Any]) -> Any:
    try:
        from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
        from botocore.config import Config
    except ImportError:
        raise Unavailable("that needs the package apache-airflow-providers-amazon") from None
    hook = AwsGenericHook(
        aws_conn_id=named.get("conn_id", "aws_default"),
        region_name=named.get("region_name"),
        client_type="logs",
        config=Config(connect_timeout=PATIENCE_S, read_timeout=PATIENCE_S, retries={"total_max_attempts": 1}),
    )
    try:
        return hook.get_conn()
    except Exception as error:
        raise Unavailable(f"no client of CloudWatch: {error}") from error
