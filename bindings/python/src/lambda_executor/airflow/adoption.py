"""Finds the task on Lambda of a task instance, by the id (external_executor_id) in Airflow's database.

- A UUID that is not the task instance's: the attempt_id. The scheduler wrote it in the transaction that queued the
  task.
- The key as Airflow writes it, coordinates as JSON or the task instance's UUID: written by this executor or by
  Airflow's own, after Lambda had accepted the task.
- `<key>#<attempt_id>`: also written by this executor after Lambda had accepted the task, if an earlier dispatch of the
  key was tracked when it was submitted.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from .dispatches import SEPARATOR, Dispatch, text_of

_COORDINATES = ("dag_id", "task_id", "run_id", "try_number", "map_index")


def dispatch_of(ti: Any, key: Any) -> Dispatch | None:
    """The dispatch of a task instance. None if its id is not one of this executor's.

    key: Airflow's key of the task instance, for its events.
    """
    external = ti.external_executor_id
    if not external or not isinstance(external, str):
        return None
    text = text_of(key)
    if _is_key(external, ti):
        return Dispatch(key, text, (external,), "")
    attempt_id = _attempt_id(external)
    if attempt_id:
        # The scheduler ended before it could overwrite the attempt_id with the key. It may have submitted the task
        # under either key.
        return Dispatch(key, text, (text, f"{text}{SEPARATOR}{attempt_id}"), attempt_id)
    wire_key, separator, suffix = external.rpartition(SEPARATOR)
    attempt_id = _attempt_id(suffix)
    if separator and attempt_id and _is_key(wire_key, ti):
        return Dispatch(key, text, (external,), attempt_id)
    return None


def _is_key(text: str, ti: Any) -> bool:
    """True if the text is a key of this task instance."""
    # Airflow 2 has no id.
    identity = getattr(ti, "id", None)
    if identity is not None and text == str(identity):
        return True
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(fields, dict):
        return False
    # An old version omits `map_index` -1.
    found = tuple(fields.get(name, -1 if name == "map_index" else None) for name in _COORDINATES)
    return found == tuple(getattr(ti.key, name) for name in _COORDINATES)


def _attempt_id(text: str) -> str:
    """The text, if it is a UUID in canonical form, else ""."""
    try:
        return text if str(UUID(text)) == text else ""
    except ValueError:
        return ""
