"""Which task of the library belongs to which key of Airflow.

Airflow may queue a key again while its earlier dispatch still runs: a task that resumes after it was deferred has the
same key, and the process that deferred it takes a moment to end. The library requires unique keys among unfinished
tasks. So each dispatch has a key of its own in the library ("on the wire"):

- The only dispatch of a key has the key as Airflow's own executor writes it, so that either executor can adopt tasks of
  the other.
- A dispatch that starts while an earlier one of the key is tracked, or after one was abandoned, has the key
  `<key>#<attempt_id>`. The attempt_id is random, so that the key is never used again, even after a restart.

Only an event of the newest dispatch ends the key.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any

SEPARATOR = "#"
# Number of remembered keys of abandoned dispatches. Their results may arrive hours later.
ABANDONED = 10_000


def text_of(key: Any) -> str:
    """A key in the form of Airflow's own executor: a task's coordinates as JSON, or the UUID of a task or callback."""
    fields = getattr(key, "_asdict", None)
    return json.dumps(fields()) if fields is not None else str(key)


class Dispatch:
    """One submission of a key."""

    __slots__ = ("attempt_id", "key", "text", "wires")

    def __init__(self, key: Hashable, text: str, wires: tuple[str, ...], attempt_id: str) -> None:
        #: Airflow's key.
        self.key = key
        #: Airflow's key as text.
        self.text = text
        #: Keys in the library. An adopted task has two if it may have been submitted under either.
        self.wires = wires
        #: Empty for a task that was adopted without one.
        self.attempt_id = attempt_id

    @property
    def wire(self) -> str:
        return self.wires[0]


class Dispatches:
    """All dispatches that have not ended."""

    def __init__(self) -> None:
        self._by_wire: dict[str, Dispatch] = {}
        # By key, oldest first.
        self._of_key: dict[Hashable, list[Dispatch]] = {}
        self._abandoned: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._of_key)

    def begin(self, key: Hashable, attempt_id: str) -> Dispatch:
        """A new dispatch, the newest of its key."""
        text = text_of(key)
        alone = key not in self._of_key and text not in self._by_wire and text not in self._abandoned
        wire = text if alone else f"{text}{SEPARATOR}{attempt_id}"
        return self.add(Dispatch(key, text, (wire,), attempt_id))

    def add(self, dispatch: Dispatch) -> Dispatch:
        for wire in dispatch.wires:
            self._by_wire[wire] = dispatch
        self._of_key.setdefault(dispatch.key, []).append(dispatch)
        return dispatch

    def at(self, wire: str) -> Dispatch | None:
        return self._by_wire.get(wire)

    def newest(self, key: Hashable) -> Dispatch | None:
        dispatches = self._of_key.get(key)
        return dispatches[-1] if dispatches else None

    def end(self, dispatch: Dispatch) -> None:
        """Forgets a dispatch."""
        for wire in dispatch.wires:
            self._by_wire.pop(wire, None)
        dispatches = self._of_key.get(dispatch.key, [])
        if dispatch in dispatches:
            dispatches.remove(dispatch)
        if not dispatches:
            self._of_key.pop(dispatch.key, None)

    def abandon(self, key: Hashable) -> list[Dispatch]:
        """Forgets all dispatches of a key, and returns them. The caller cancels their tasks."""
        dispatches = list(self._of_key.get(key, ()))
        for dispatch in dispatches:
            self.end(dispatch)
            self._abandoned[dispatch.text] = None
        while len(self._abandoned) > ABANDONED:
            del self._abandoned[next(iter(self._abandoned))]
        return dispatches

    def all(self) -> list[Dispatch]:
        return [dispatch for dispatches in self._of_key.values() for dispatch in dispatches]
