"""Which task on Lambda a task instance is, by the id that its submitter has left in Airflow's database.

- A UUID that is not the task instance's: the attempt_id, which the scheduler wrote in the transaction that queued the
  task.
- The key as Airflow writes it, coordinates as JSON or the task instance's UUID: written by this executor or by
  Airflow's own once Lambda had accepted the task.
- `<key>#<attempt_id>`: the same, by this executor, for a task that was submitted while an earlier dispatch of the key
  was tracked.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from .dispatches import SEPARATOR, Dispatch, text_of

_COORDINATES = ("dag_id", "task_id", "run_id", "try_number", "map_index")


def dispatch_of(ti: Any, key: Any) -> Dispatch | None:
    """What to track for a task instance; None if its id is not one of this executor's.

    key: Airflow's key of the task instance, which its events get.
    """
    external = ti.external_executor_id
    if not external or not isinstance(external, str):
        return None
    text = text_of(key)
    if _is_key(external, ti):
        return Dispatch(key, text, (external,), "")
    attempt_id = _attempt_id(external)
    if attempt_id:
        # Not yet overwritten by the key: the scheduler ended before it knew whether Lambda had accepted the task.
        return Dispatch(key, text, (text, f"{text}{SEPARATOR}{attempt_id}"), attempt_id)
    wire_key, separator, suffix = external.rpartition(SEPARATOR)
    attempt_id = _attempt_id(suffix)
    if separator and attempt_id and _is_key(wire_key, ti):
        return Dispatch(key, text, (external,), attempt_id)
    return None


def _is_key(text: str, ti: Any) -> bool:
    """The text is a key of this very task instance."""
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
    # `map_index` is -1 where an old version left it out.
    found = tuple(fields.get(name, -1 if name == "map_index" else None) for name in _COORDINATES)
    return found == tuple(getattr(ti.key, name) for name in _COORDINATES)


def _attempt_id(text: str) -> str:
    """The text, if it is a UUID in its usual form, else an empty one."""
    try:
        return text if str(UUID(text)) == text else ""
    except ValueError:
        return ""
