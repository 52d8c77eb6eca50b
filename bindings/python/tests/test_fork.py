"""Executors and fork: a child cannot use or affect its parent's, and can create its own."""

from __future__ import annotations

import pytest
from processes import program, run

# The process forks while a task runs and another thread waits inside the library.
IN_USE = """
executor = Executor(BUILTIN)
queue(executor, "held")
executor.wait("held")
batch = executor.sync(None)
queue(executor, "meanwhile", 300)
waiting = threading.Thread(target=lambda: final(executor, "meanwhile"))
waiting.start()

def child_of(parent):
    calls = [
        lambda: executor.queue("a", ["true"]),
        lambda: executor.queue_many([Task("a", ["true"])]),
        lambda: executor.sync(None),
        lambda: list(executor.events()),
        lambda: executor.state("a"),
        lambda: executor.describe("a"),
        executor.counts,
        lambda: executor.cancel("a"),
        lambda: executor.adopt("a"),
        executor.drain,
        lambda: executor.wait("a"),
        executor.stop,
        batch.ack,
        lambda: executor.ack([1]),
        executor.fileno,
        executor.wake,
        executor.check_health,
        lambda: executor.set_credentials("a", "b"),
        executor.stats,
        executor.close,
    ]
    assert os.getpid() != parent
    for call in calls:
        try:
            call()
        except ForkedError:
            continue
        raise SystemExit("a call of the child was not refused")

def wait_for(child):
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

def parent_goes_on():
    batch.ack()
    waiting.join(60)
    assert not waiting.is_alive()
    queue(executor, "after")
    final(executor, "after")
    executor.close()
    print("parent went on")
"""


@pytest.mark.parametrize("leaves", ["sys.exit(0)", "os._exit(0)"])
def test_every_call_of_a_child_is_refused_and_the_parent_goes_on(python: str, leaves: str) -> None:
    source = f"""
parent = os.getpid()
child = os.fork()
if child == 0:
    child_of(parent)
    {leaves}
wait_for(child)
parent_goes_on()
"""
    assert run(IN_USE + source, python) == "parent went on\n"


def test_collection_in_a_child_is_silent(python: str) -> None:
    source = """
import gc
other = Executor(BUILTIN)
queue(other, "of the parent", 200)
child = os.fork()
if child == 0:
    del executor, other
    gc.collect()
    sys.exit(0)
wait_for(child)
final(other, "of the parent")
other.close()
parent_goes_on()
"""
    assert run(IN_USE + source, python) == "parent went on\n"


def test_a_child_leaves_the_parents_with_block_without_an_error_of_ours(python: str) -> None:
    source = """
with Executor(BUILTIN) as other:
    queue(other, "of the parent", 200)
    child = os.fork()
    if child == 0:
        sys.exit(0)
    wait_for(child)
    final(other, "of the parent")
parent_goes_on()
"""
    assert run(IN_USE + source, python) == "parent went on\n"


def test_a_child_has_executors_of_its_own(python: str) -> None:
    source = """
child = os.fork()
if child == 0:
    with Executor(BUILTIN) as own:
        queue(own, "mine")
        final(own, "mine")
    # And one that the end of the interpreter closes.
    left = Executor(BUILTIN)
    queue(left, "runs", 60_000)
    next(left.events())
    print("child done", flush=True)
    sys.exit(0)
wait_for(child)
parent_goes_on()
"""
    assert run(IN_USE + source, python) == "child done\nparent went on\n"


HANDLER = """
import logging
lock, entered = threading.Lock(), threading.Event()
class Writing(logging.Handler):
    def emit(self, record):
        # Like the lock of a Python file, which every write takes.
        with lock:
            entered.set()
            {does}
logging.getLogger("lambda_executor").addHandler(Writing())
logging.getLogger("lambda_executor").setLevel(logging.DEBUG)
other = Executor(BUILTIN)
queue(other, "one")
assert entered.wait(60)
"""


def test_a_child_has_no_lock_of_a_log_handler_in_the_middle_of_its_work(python: str) -> None:
    source = """
for round in range(5):
    entered.clear()
    queue(other, f"n{round}")
    assert entered.wait(60)
    child = os.fork()
    if child == 0:
        os._exit(0 if lock.acquire(timeout=5) else 1)
    assert os.waitpid(child, 0)[1] == 0
other.drain()
other.close()
print("done")
"""
    assert run(HANDLER.format(does="time.sleep(0.05)") + source, python) == "done\n"


def test_a_handler_that_waits_for_the_forking_thread_does_not_keep_it_from_forking(python: str) -> None:
    source = """
began = time.monotonic()
child = os.fork()
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert time.monotonic() - began < 10
forked.set()
other.close()
print("done")
"""
    assert run("forked = threading.Event()\n" + HANDLER.format(does="forked.wait()") + source, python) == "done\n"


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing(python: str, method: str) -> None:
    source = f"""
import multiprocessing

def work(number):
    with Executor(BUILTIN) as own:
        queue(own, f"task {{number}}")
        return str(final(own, f"task {{number}}").state)

if __name__ == "__main__":
    with Executor(BUILTIN) as executor:
        queue(executor, "of the parent", 200)
        with multiprocessing.get_context("{method}").Pool(2) as pool:
            print(*pool.map(work, range(4)))
        print(final(executor, "of the parent").state)
"""
    assert run(source, python) == "succeeded succeeded succeeded succeeded\nsucceeded\n"


def test_a_child_can_be_forked_while_another_thread_closes() -> None:
    source = """
for round in range(10):
    executor = Executor(BUILTIN)
    queue(executor, "one", 60_000)
    closing = threading.Thread(target=executor.close)
    closing.start()
    child = os.fork()
    if child == 0:
        try:
            executor.sync(None)
        except (ForkedError, ClosedError):
            sys.exit(0)
        sys.exit(1)
    assert os.waitpid(child, 0)[1] == 0
    closing.join()
print("done")
"""
    with program(source) as running:
        assert running.end() == 0, running.said()
        assert running.rest() == "done\n"
