"""The progress bar of a pool."""

from __future__ import annotations

import sys
from typing import Any

import processes
import pytest
from pool_support import DEADLINE, builtin, local

from lambda_executor import LambdaPool


def bar_of(pool: LambdaPool) -> Any:  # noqa: ANN401 - tqdm's
    return pool._loop.ends.progress._bar


def test_the_bar_counts_what_is_done_however_it_ended(capfd: pytest.CaptureFixture[str]) -> None:
    with LambdaPool(builtin(concurrency=1), max_workers=1, progress=True) as pool:
        blocks = pool.options(executor_config={"builtin": {"duration_ms": 300}}).submit("true")
        cancelled = pool.submit("true")
        assert cancelled.cancel()
        failed = pool.options(executor_config={"builtin": {"return_code": 3}}).submit("true")
        fine = [pool.submit("true") for _ in range(5)]
        assert blocks.result(DEADLINE).return_code == 0
        assert failed.exception(DEADLINE) is not None
        for future in fine:
            future.result(DEADLINE)
    bar = bar_of(pool)
    assert (bar.n, bar.total) == (8, 8)
    said = capfd.readouterr().err
    assert "100%" in said
    assert "8/8" in said
    assert "failed=2" in said


def test_the_bar_counts_the_calls_of_a_chunk() -> None:
    with LambdaPool(local(), progress=True) as pool:
        assert list(pool.map(abs, range(-5, 5), chunksize=4)) == [5, 4, 3, 2, 1, 0, 1, 2, 3, 4]
    assert (bar_of(pool).n, bar_of(pool).total) == (10, 10)


def test_a_task_that_was_refused_is_none_that_is_awaited() -> None:
    with LambdaPool(builtin(), progress=True) as pool:
        pool.options(key="k", executor_config={"builtin": {"duration_ms": 200}}).submit("true")
        with pytest.raises(ValueError, match="k"):
            pool.options(key="k").submit("true")
    assert (bar_of(pool).n, bar_of(pool).total) == (1, 1)


def test_a_bar_that_cannot_be_drawn_any_more_does_the_pool_no_harm(python: str) -> None:
    """As with `program 2>&1 | head`: the reader of the error stream has ended."""
    source = """
import logging
class Counting(logging.Handler):
    def emit(self, record):
        print(record.getMessage(), flush=True)
logging.getLogger("lambda_executor").addHandler(Counting())

class Bar:
    n = total = 0
    def update(self, n):
        raise BrokenPipeError("nobody reads it")
    refresh = close = set_postfix = update

from lambda_executor import progress
pool = LambdaPool(BUILTIN)
pool._loop.ends.progress = progress.Progress(Bar())
for _ in range(2):
    print(pool.submit("true").result(60).return_code, flush=True)
pool.shutdown()
# The bar may also fail only at the end.
pool = LambdaPool(BUILTIN)
pool._loop.ends.progress = progress.Progress(Bar())
pool.shutdown()
"""
    told = "the progress bar cannot be drawn any more: BrokenPipeError('nobody reads it')"
    assert sorted(processes.run(source, python).splitlines()) == sorted([told, "0", "0", told])


def test_without_tqdm_it_warns_and_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with (
        # Not as lambda-executor[tqdm]: a package of that name in an index is not this one.
        pytest.warns(RuntimeWarning, match="without the package tqdm: install it"),
        LambdaPool(builtin(), progress=True) as pool,
    ):
        assert pool.submit("true").result(DEADLINE).return_code == 0


def test_without_progress_nothing_is_imported_and_nothing_shown() -> None:
    source = """
with LambdaPool(BUILTIN) as pool:
    pool.submit("true").result(60)
print("tqdm" in sys.modules)
"""
    assert processes.run(source) == "False\n"
