"""Reads options of the library from Airflow's configuration.

Section `[aws_lambda_executor]` has the options of Airflow's own executor, with the same names. Section
`[lambda_executor]` has the other options. options.json lists both; a test compares it with the library's schema.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from lambda_executor import InvalidConfigError

SHARED = "aws_lambda_executor"
OWN = "lambda_executor"
# Used by this package, and not passed to the library.
CONN_ID = "conn_id"

_TRUE, _FALSE = ("t", "true", "1"), ("f", "false", "0")


@cache
def table() -> list[dict[str, Any]]:
    """Every option: section, name, type, default and description."""
    listed: list[dict[str, Any]] = json.loads(Path(__file__).with_name("options.json").read_text("utf-8"))
    return listed


def read(conf: Any) -> dict[str, Any]:
    """The options that are set, conn_id included. Raises InvalidConfigError with every mistake, one line each."""
    values: dict[str, Any] = {}
    mistakes = []
    for option in table():
        text = conf.get(option["section"], option["name"], fallback=None)
        if text is None:
            continue
        try:
            value = _value(str(text), option)
        except ValueError:
            mistakes.append(f"[{option['section']}] {option['name']}={text}: expected {_EXPECTED[option['type']]}")
            continue
        # An empty value means none, except for a required option: the library reports it as an error.
        if value != "" or option["required"]:
            values[option["name"]] = value
    if mistakes:
        raise InvalidConfigError("\n".join(mistakes))
    return values


_EXPECTED = {"boolean": "true or false", "integer": "an integer", "string": "text", "object": "a JSON object"}


def _value(text: str, option: dict[str, Any]) -> Any:
    kind = option["type"]
    if kind == "boolean":
        word = text.split("#", 1)[0].strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise ValueError
    if kind == "integer":
        number = float(text)
        if number != int(number):
            raise ValueError
        return int(number)
    if kind == "object":
        if not text.strip():
            return ""
        value = json.loads(text)
        if not isinstance(value, dict):
            raise ValueError
        return value
    return text
