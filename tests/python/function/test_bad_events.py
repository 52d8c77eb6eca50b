"""Invalid events: with a key the task gets a result, without a key the invocation fails."""

import json
from typing import Any

import pytest

from .conftest import Function

WITHOUT_A_KEY: list[tuple[object, str]] = [
    ({"command": ["touch", "ran"]}, "the event has no task_key"),
    ({"task_key": None, "command": ["touch", "ran"]}, "the event has no task_key"),
    ({"task_key": [], "command": ["touch", "ran"]}, "task_key is not a string"),
    ({"task_key": "", "command": ["touch", "ran"]}, "task_key is empty"),
    ({"task_key": "k" * 8193, "command": ["touch", "ran"]}, "task_key has 8193 bytes, more than 8192"),
    (5, "the event is not a JSON object"),
    (["k", ["touch", "ran"]], "the event is not a JSON object"),
    (b'{"task_key": "a", "task_key": "b", "command": ["touch", "ran"]}', "each field once"),
]

WITH_A_KEY: list[tuple[dict[str, Any], str]] = [
    ({}, "no command"),
    ({"command": None}, "no command"),
    ({"command": []}, "empty"),
    ({"command": " "}, "empty"),
    ({"command": ["touch", 5]}, "neither a list of strings nor a string"),
    ({"command": {"touch": "ran"}}, "neither a list of strings nor a string"),
    ({"command": ["touch", "ran\0"]}, "NUL"),
    ({"command": ["touch", "ran"], "executor_config": []}, "executor_config is not an object"),
    ({"command": ["touch", "ran"], "timeout_ms": "1s"}, "timeout_ms is not a whole number"),
    ({"command": ["touch", "ran"], "timeout_ms": -1}, "timeout_ms is not a whole number"),
    ({"command": ["touch", "ran"], "attempt_id": "a b"}, "attempt_id"),
    ({"command": ["touch", "ran"], "reply_to": 1}, "reply_to is not a string"),
]


@pytest.mark.parametrize(("event", "why"), WITHOUT_A_KEY, ids=[why for _, why in WITHOUT_A_KEY])
def test_without_a_key_the_invocation_fails(shared: Function, event: object, why: str) -> None:
    """E6: the dead letter has the event and the reason."""
    shared.send(event)
    letter, error = shared.dead_letter()
    assert letter == (event.decode() if isinstance(event, bytes) else json.dumps(event))
    assert why in error
    assert not shared.path("ran").exists()


@pytest.mark.parametrize(("fields", "why"), WITH_A_KEY, ids=[why for _, why in WITH_A_KEY])
def test_with_a_key_the_task_fails_with_the_reason(shared: Function, fields: dict[str, Any], why: str) -> None:
    """E6: the task fails; the result has the attempt id if it is valid."""
    request = shared.send({"task_key": "kü", "attempt_id": "an-attempt", **fields})
    [result] = shared.results(1)
    assert (result["task_key"], result["reason"], result["return_code"]) == ("kü", "bad_event", 126)
    assert why in result["output_tail"]
    assert result.get("attempt_id") == (None if "attempt_id" in fields else "an-attempt")
    assert result["request_id"] == request
    assert "started_at_ms" not in result
    assert not shared.path("ran").exists()


def test_airflows_event_is_accepted(shared: Function) -> None:
    """E6: only three fields; fields of later versions are ignored."""
    for event in (
        {"task_key": "k", "command": ["true"], "executor_config": {}},
        {"task_key": "k", "command": "true", "executor_config": {}, "of_a_later_version": [1]},
    ):
        shared.send(event)
        [result] = shared.results(1)
        assert (result["task_key"], result["return_code"], result["reason"]) == ("k", 0, "exit")
