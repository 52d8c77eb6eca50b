"""A progress bar by tqdm, where it is installed."""

from __future__ import annotations

import threading
import warnings
from typing import Any


class Progress:
    """Counts tasks, and shows them. Counting is for any thread; the loop's thread alone draws."""

    def __init__(self, bar: Any | None = None) -> None:  # noqa: ANN401 - tqdm has no types of its own
        self._bar = bar
        self._lock = threading.Lock()
        self.submitted = 0
        self.done = 0
        #: Among those done: failed, lost or cancelled.
        self.failed = 0

    def task_submitted(self) -> None:
        with self._lock:
            self.submitted += 1

    def task_refused(self) -> None:
        with self._lock:
            self.submitted -= 1

    def task_done(self, *, failed: bool) -> None:
        with self._lock:
            self.done += 1
            self.failed += failed

    def draw(self) -> None:
        """Shows what was counted; tqdm itself decides how often the screen changes."""
        bar = self._bar
        if bar is None:
            return
        bar.total = self.submitted
        if self.failed:
            bar.set_postfix(failed=self.failed, refresh=False)
        bar.update(self.done - bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self.draw()
            # The last state, however short ago the one before was drawn.
            self._bar.refresh()
            self._bar.close()


def progress_bar() -> Progress:
    """One that shows itself; without tqdm one that does not, and a warning."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        warnings.warn(
            "progress=True shows nothing without tqdm: install lambda-executor[tqdm]", RuntimeWarning, stacklevel=3
        )
        return Progress()
    return Progress(tqdm(total=0, unit="task", dynamic_ncols=True))
