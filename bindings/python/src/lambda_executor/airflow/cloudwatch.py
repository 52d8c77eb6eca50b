"""Lines of a function's log in CloudWatch, read with the hook of apache-airflow-providers-amazon where it is installed.

A request of the web interface waits for the answer. So it makes one attempt, with a time limit of a few seconds, and
reads the newest lines only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

MOST_LINES = 1000
PATIENCE_S = 3
# Lines with the command are left out: the command has the task's token, and Airflow's own handler logs whole events.
_SECRET = "execute_workload"


class Unavailable(Exception):
    """CloudWatch cannot be read. The message says why."""


class Found(NamedTuple):
    stream: str
    lines: list[str]


def read(named: dict[str, Any], group: str, since: datetime | None, terms: list[str]) -> Found | None:
    """The newest run whose first line contains all terms, or None."""
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
    """Lines up to the end of the invocation. Later lines of the same sandbox belong to other tasks."""
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
        raise Unavailable("this needs the package apache-airflow-providers-amazon") from None
    hook = AwsGenericHook(
        aws_conn_id=named.get("conn_id", "aws_default"),
        region_name=named.get("region_name"),
        client_type="logs",
        config=Config(connect_timeout=PATIENCE_S, read_timeout=PATIENCE_S, retries={"total_max_attempts": 1}),
    )
    try:
        return hook.get_conn()
    except Exception as error:
        raise Unavailable(f"the client of CloudWatch cannot be created: {error}") from error
