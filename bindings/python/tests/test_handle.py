"""An executor is freed once, and never during a call."""

from __future__ import annotations

import gc
import threading
import time
import weakref

from conftest import BUILTIN
from processes import run

from lambda_executor import ClosedError, Executor, _handle


def wait_for(condition: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_close_ends_the_waits_of_all_threads_and_frees_after_them() -> None:
    executor = Executor(BUILTIN)
    ended: list[str] = []

    def wait() -> None:
        try:
            executor.sync(None)
        except ClosedError:
            ended.append("closed")

    threads = [threading.Thread(target=wait) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(executor._handle._calls) == 8)
    began = time.monotonic()
    executor.close()
    assert executor._handle._freed
    for thread in threads:
        thread.join(60)
    assert ended == ["closed"] * 8
    assert time.monotonic() - began < 10


def test_closing_from_several_threads_returns_when_it_is_freed() -> None:
    executor = Executor(BUILTIN)
    freed: list[bool] = []

    def close() -> None:
        executor.close()
        freed.append(executor._handle._freed)

    threads = [threading.Thread(target=close) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert freed == [True] * 8


def test_collection_closes_in_the_background() -> None:
    executor = Executor(BUILTIN)
    executor.queue("runs", ["true"], executor_config={"builtin": {"duration_ms": 60_000}})
    handle, gone = executor._handle, weakref.ref(executor)
    # A cycle, so that only the garbage collector frees it.
    executor.itself = executor  # type: ignore[attr-defined]
    del executor
    gc.collect()
    assert gone() is None
    wait_for(lambda: handle._freed)
    assert handle not in _handle._live


def test_an_executor_in_use_by_another_thread_is_not_collected() -> None:
    executor = Executor(BUILTIN)
    handle = executor._handle
    ended: list[object] = []
    waiting = threading.Thread(target=lambda wait: ended.append(wait(None)), args=(executor.sync,))
    waiting.start()
    wait_for(lambda: handle._calls)
    wake = executor.wake
    del executor
    gc.collect()
    assert not handle._freed
    wake()
    waiting.join(60)
    assert ended == [()]
    del wake, waiting
    gc.collect()
    wait_for(lambda: handle._freed)


def test_calls_from_all_sides_while_it_is_closed(python: str) -> None:
    """A call on freed memory would crash."""
    source = """
import random
for round in range(10):
    # Without tasks, which would cause a warning at the end.
    executor = Executor({**BUILTIN, "log": "off"}, logger=None)

    def use(seed):
        pick = random.Random(seed).choice
        n = 0
        calls = [
            lambda: executor.sync(0.01), lambda: executor.sync(None), executor.counts, executor.stats,
            lambda: executor.state("x"), lambda: executor.cancel("x"), executor.fileno, executor.wake,
            lambda: executor.drain(timeout=0.01), lambda: executor.queue(f"{seed} {n}", ["true"]), executor.stop,
            lambda: executor.sync().ack(), lambda: executor.wait("x", 0.01), lambda: next(executor.events(0.01), None),
        ]
        while True:
            n += 1
            try:
                pick(calls)()
            except ClosedError:
                # A drain refuses tasks too, and `stop` ends waits.
                if executor._handle._freeing:
                    return
            except (Duplicate, NotFound):
                pass

    threads = [threading.Thread(target=use, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(random.random() / 50)
    closers = [threading.Thread(target=executor.close) for _ in range(2)]
    for closer in closers:
        closer.start()
    for thread in threads + closers:
        thread.join(60)
        assert not thread.is_alive()
print("done")
"""
    assert run(source, python) == "done\n"


def test_a_call_that_does_not_end_is_never_freed_under(monkeypatch: object) -> None:
    executor = Executor(BUILTIN)
    handle = executor._handle
    token = object()
    # As if another thread's call in the library did not return.
    handle._calls[token] = -1
    monkeypatch.setattr(_handle, "PATIENCE_S", 0.1)  # type: ignore[attr-defined]
    executor.close()
    assert not handle._freed
    del handle._calls[token]
    executor.close()
    assert handle._freed
