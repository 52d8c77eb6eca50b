"""The log of a running task.

Airflow asks an executor for the log only while the task runs. It does so in the API server, where the executor was
never started. So the log is read from CloudWatch, with the data of the task instance.
"""

from __future__ import annotations

from typing import Any

from . import cloudwatch, dispatches, options


def read(conf: Any, ti: Any, key: Any) -> tuple[list[str], list[str]]:
    """Lines that name the place of the log, and lines of the log.

    There is at least one of the first kind. Otherwise Airflow would ask a log server on the worker, which does not
    exist.
    """
    named = options.read(conf)
    function = named.get("function_name")
    if not function:
        return ["AWS Lambda: the log of a running task is in the function's log group in CloudWatch"], []
    group = f"/aws/lambda/{name_of(function)}"
    sources = [f"AWS Lambda function {function}: its log group in CloudWatch is {group}"]
    try:
        found = cloudwatch.read(named, group, since=ti.start_date or ti.queued_dttm, terms=_terms(ti, key))
    except cloudwatch.Unavailable as why:
        return [*sources, f"Its log is not shown here: {why}"], []
    if found is None:
        return [*sources, "The task has not logged anything yet"], []
    return [*sources, f"Log stream {found.stream}"], found.lines


def name_of(function: str) -> str:
    """The function's name, from a name, name:alias or ARN."""
    parts = function.split(":")
    if len(parts) >= 7 and parts[0] == "arn":
        return parts[6]
    return parts[0]


def _terms(ti: Any, key: Any) -> list[str]:
    """Terms in the first log line of the task's run. Our handler and Airflow's both log the key."""
    text = dispatches.text_of(key)
    if not text.startswith("{"):
        return [text]
    return [ti.dag_id, ti.task_id, ti.run_id]
