"""A progress bar by tqdm, where it is installed."""

from __future__ import annotations

import contextlib
import logging
import threading
import warnings
from typing import Any

log = logging.getLogger("lambda_executor.pool")


class Progress:
    """Counts tasks, and shows the counts. Each call of a chunk of `map` counts. Any thread may count. The loop's thread
    draws. At the end of the interpreter, the main thread closes the bar while the loop's thread may still draw.

    A bar that cannot be drawn is removed with a warning. Tasks do not fail.
    """

    def __init__(self, bar: Any | None = None) -> None:  # noqa: ANN401 - tqdm has no types of its own
        self._bar = bar
        self._lock = threading.Lock()
        self._drawing = threading.Lock()
        self._closed = False
        self.submitted = 0
        self.done = 0
        #: Tasks of `done` that failed, were lost or were cancelled.
        self.failed = 0

    def task_submitted(self, items: int) -> None:
        with self._lock:
            self.submitted += items

    def task_refused(self, items: int) -> None:
        with self._lock:
            self.submitted -= items

    def task_done(self, items: int, *, failed: bool) -> None:
        with self._lock:
            self.done += items
            self.failed += items if failed else 0

    def draw(self) -> None:
        """Updates the bar. tqdm limits how often the screen changes."""
        with self._drawing:
            if self._bar is not None and not self._closed:
                try:
                    self._show(self._bar)
                except Exception as error:
                    self._drop(error)

    def close(self) -> None:
        """Shows the final numbers. Later counts are not shown."""
        with self._drawing:
            if self._bar is not None and not self._closed:
                self._closed = True
                try:
                    self._show(self._bar)
                    # Draws even if tqdm has drawn only a moment ago.
                    self._bar.refresh()
                    self._bar.close()
                except Exception as error:
                    self._drop(error)

    def _show(self, bar: Any) -> None:  # noqa: ANN401 - as above
        bar.total = self.submitted
        if self.failed:
            bar.set_postfix(failed=self.failed, refresh=False)
        bar.update(self.done - bar.n)

    def _drop(self, error: Exception) -> None:
        # So that tqdm's finalizer does not try again.
        self._bar.disable = True  # type: ignore[union-attr]  # not None where it is called
        self._bar = None
        with contextlib.suppress(Exception):  # of a log handler
            log.warning("the progress bar cannot be drawn any more: %r", error)


def progress_bar() -> Progress:
    """A Progress with a bar. Without tqdm, warns and returns one without a bar."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        warnings.warn("progress=True has no effect without the package tqdm: install it", RuntimeWarning, stacklevel=3)
        return Progress()
    return Progress(tqdm(total=0, unit="task", dynamic_ncols=True))
