"""What Python's garbage collector takes of a measurement.

A full collection looks at every object of Airflow's process, and takes 100 ms and more in any executor.
"""

from __future__ import annotations

import gc
import time


class GarbageCollection:
    """Seconds that Python's garbage collector has taken: of the whole process, whichever executor it has."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = 0.0
        gc.callbacks.append(self._note)

    def _note(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self.seconds += time.perf_counter() - self._began
