"""The log of a running task.

Airflow asks an executor for it only while the task runs, and in the API server: an instance that was never started. So
it comes from what is known there: the task instance and CloudWatch.
"""

from __future__ import annotations

from typing import Any

from . import cloudwatch, dispatches, options


def read(conf: Any, ti: Any, key: Any) -> tuple[list[str], list[str]]:
    """Lines that say where the log is, at least one, and lines of the log.

    At least one: without, Airflow asks a log server on the worker, which does not exist.
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
    """The name in a function's name, name:alias or ARN."""
    parts = function.split(":")
    if len(parts) >= 7 and parts[0] == "arn":
        return parts[6]
    return parts[0]


def _terms(ti: Any, key: Any) -> list[str]:
    """What the line has that begins the task's run: both handlers log the key."""
    text = dispatches.text_of(key)
    if not text.startswith("{"):
        return [text]
    return [ti.dag_id, ti.task_id, ti.run_id]
