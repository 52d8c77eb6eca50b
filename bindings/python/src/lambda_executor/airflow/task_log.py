"""Where the log of a running task is."""

from __future__ import annotations

from typing import Any

from . import options


def read(conf: Any, team: str | None, ti: Any, try_number: int) -> tuple[list[str], list[str]]:  # noqa: ANN401
    """Lines about sources, and lines of the log."""
    named = options.read(conf)
    function = named.get("function_name", "?")
    return [f"AWS Lambda function {function}: log group /aws/lambda/{function.split(':')[-1]} of CloudWatch"], []
