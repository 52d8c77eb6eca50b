"""The library's records in `logging`."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest
from conftest import BUILTIN
from processes import program, run

from lambda_executor import Executor, _native, logs

# Unsent tasks at the end cause a warning.
DROPS_A_TASK = """
executor = Executor({**BUILTIN, "max_running_tasks": 1}, **arguments)
queue(executor, "runs", 60_000)
queue(executor, "waits", 60_000)
next(executor.events())
executor.close()
"""


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept() -> Iterator[Kept]:
    handler, logger = Kept(), logging.getLogger("test of lambda_executor")
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)


def work(logger: logging.Logger | None, kept: Kept, until: int) -> None:
    with Executor(BUILTIN, logger=logger) as executor:
        executor.queue("one", ["true"])
        executor.drain()
        deadline = time.monotonic() + 60
        while len(kept.records) < until and time.monotonic() < deadline:
            time.sleep(0.01)


def test_records_come_with_their_part_time_and_level(kept: Kept) -> None:
    before = time.time()
    work(logging.getLogger("test of lambda_executor"), kept, 1)
    assert kept.records
    for record in kept.records:
        assert before - 0.01 <= record.created <= time.time() + 0.01
        assert record.levelno in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
        assert record.getMessage()
        target: str = vars(record)["target"]
        if target.startswith("lambda_executor::"):
            assert record.name == "test of " + target.replace("::", ".")
        else:
            assert record.name == "test of lambda_executor"
        assert 0 <= record.msecs < 1000


def test_the_level_is_the_loggers_at_the_start(kept: Kept) -> None:
    logger = logging.getLogger("test of lambda_executor")
    logger.setLevel(logging.ERROR)
    work(logger, kept, 0)
    assert kept.records == []


@pytest.mark.parametrize(
    ("level", "native"),
    [
        (1, _native.LOG_TRACE),
        (logging.DEBUG, _native.LOG_DEBUG),
        (logging.INFO, _native.LOG_INFO),
        (25, _native.LOG_WARN),
        (logging.WARNING, _native.LOG_WARN),
        (logging.ERROR, _native.LOG_ERROR),
        (logging.CRITICAL, _native.LOG_OFF),
    ],
)
def test_levels(level: int, native: int) -> None:
    logger = logging.getLogger("levels of lambda_executor")
    logger.setLevel(level)
    assert logs.level_for(logger) == native


def test_by_default_they_go_to_the_logger_of_the_package(python: str) -> None:
    source = """
import logging
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(name)s %(message)s")
arguments = {}
"""
    printed = run(source + DROPS_A_TASK, python)
    assert printed.startswith("WARNING lambda_executor.")
    assert "dropped=1" in printed


def test_without_a_logger_the_librarys_own_log_is_left_alone(python: str) -> None:
    source = """
import logging
logging.basicConfig(stream=sys.stdout)
arguments = {"logger": None}
"""
    with program(source + DROPS_A_TASK, python) as running:
        assert running.end() == 0
        assert running.rest() == ""
        assert " WARN lambda_executor::" in running.said()


def test_an_exception_in_a_handler_harms_nobody(python: str) -> None:
    source = """
import logging
class Broken(logging.Handler):
    def emit(self, record):
        raise LookupError("of the handler")
logging.getLogger("lambda_executor").addHandler(Broken())
logging.getLogger("lambda_executor").setLevel(logging.DEBUG)
executor = Executor(BUILTIN)
for i in range(20):
    queue(executor, f"n{i}")
executor.drain()
print(sum(event.state.final for event in executor.events()))
executor.close()
"""
    with program(source, python) as running:
        assert running.end() == 0, running.said()
        assert running.rest() == "20\n"
        assert "LookupError: of the handler" in running.said()


def test_a_handler_that_blocks_at_the_end_holds_up_nobody_for_long(python: str) -> None:
    source = """
import logging
release = threading.Event()
class Blocking(logging.Handler):
    def emit(self, record):
        ready("blocked")
        release.wait()
        ready("released")
logging.getLogger("lambda_executor").addHandler(Blocking())
logging.getLogger("lambda_executor").setLevel(logging.DEBUG)
executor = Executor({**BUILTIN, "shutdown_grace_ms": 0})
queue(executor, "one")
while not executor._handle.records.thread:
    time.sleep(0.001)
began = time.monotonic()
executor.close()
assert time.monotonic() - began < 10
ready("closed")
# The end of the interpreter waits for the handler.
threading.Timer(1, release.set).start()
"""
    assert run(source, python) == "blocked\nclosed\nreleased\n"


def test_a_handler_may_close_the_executor(python: str) -> None:
    source = """
import logging
class Closing(logging.Handler):
    def emit(self, record):
        executor.close()
logging.getLogger("lambda_executor").addHandler(Closing())
logging.getLogger("lambda_executor").setLevel(logging.DEBUG)
executor = Executor(BUILTIN)
began = time.monotonic()
queue(executor, "one")
while not executor._handle._freed:
    time.sleep(0.001)
# Freeing in the handler's thread would wait for the handler, for the whole of shutdown_grace_ms.
assert time.monotonic() - began < 4
print("closed")
"""
    assert run(source, python) == "closed\n"


def test_collection_while_a_handlers_lock_is_held_does_not_wait_for_it(python: str) -> None:
    source = """
import gc, logging
class Slow(logging.Handler):
    def emit(self, record):
        pass
handler = Slow()
logging.getLogger("lambda_executor").addHandler(handler)
logging.getLogger("lambda_executor").setLevel(1)
for round in range(10):
    executor = Executor(BUILTIN)
    executor.queue_many(Task(f"n{i}", ["true"]) for i in range(50))
    next(executor.events())
    with handler.lock:
        began = time.monotonic()
        executor = None
        gc.collect()
        # Freeing would wait for the handler, for the whole of shutdown_grace_ms.
        assert time.monotonic() - began < 2
print("done")
"""
    assert run(source, python) == "done\n"


def test_busy_threads_of_python_do_not_hold_up_the_tasks(python: str) -> None:
    source = """
import logging
logging.basicConfig(level=1, stream=open(os.devnull, "w"))
stop = False
def busy():
    while not stop:
        pass
threads = [threading.Thread(target=busy) for _ in range(2)]
for thread in threads:
    thread.start()
executor = Executor(BUILTIN)
executor.queue_many(Task(f"n{i}", ["true"]) for i in range(500))
assert executor.drain(timeout=30) == 0
stop = True
executor.close()
print("done")
"""
    assert run(source, python) == "done\n"
