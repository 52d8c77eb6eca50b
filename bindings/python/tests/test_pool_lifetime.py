"""The end of a pool: with the interpreter, by Ctrl-C, by an exception, in a forked child. Each in its own process."""

from __future__ import annotations

import signal
import time

import processes

#: Limit for an end without waiting, on a busy machine. It is far less than the 60 s of the tasks.
AT_ONCE_S = 5

START = """
import concurrent.futures, logging
from lambda_executor import LambdaPool, BrokenPool
logging.basicConfig(format="%(name)s: %(message)s")

def task(pool, ms=60_000):
    return pool.options(executor_config={"builtin": {"duration_ms": ms}}).submit("true")

def until_running(*futures):
    deadline = time.monotonic() + 60
    while not all(future.running() for future in futures):
        assert time.monotonic() < deadline
        time.sleep(0.01)
"""


def test_the_interpreter_does_not_wait_for_tasks(python: str) -> None:
    source = (
        START
        + """
pool = LambdaPool(BUILTIN, max_workers=2)
futures = [task(pool) for _ in range(5)]
until_running(*futures[:2])
for future in futures:
    future.add_done_callback(lambda future: print(type(future.exception()).__name__))
print("end")
"""
    )
    with processes.program(source, python) as program:
        started = time.monotonic()
        assert program.end() == 0, program.said()
        assert time.monotonic() - started < AT_ONCE_S
        assert program.rest().split() == ["end"] + ["BrokenPool"] * 5
        assert "lambda_executor.pool: the interpreter ends with 5 tasks of a LambdaPool unfinished: " in program.said()
        assert "unfinished: 2 end with this process (option local)" in program.said()
        assert "and 3 that waited are dropped; 0 were cancelled before" in program.said()


def test_a_thread_that_waits_for_a_result_gets_it_at_the_end_of_the_main_thread(python: str) -> None:
    source = (
        START
        + """
pool = LambdaPool(BUILTIN)
future = task(pool, 300)
threading.Thread(target=lambda: print(future.result(60).return_code)).start()
"""
    )
    assert processes.run(source, python) == "0\n"


def test_a_pool_that_is_idle_says_nothing_at_the_end(python: str) -> None:
    source = (
        START
        + """
pool = LambdaPool(BUILTIN)
print(task(pool, 0).result(60).return_code)
"""
    )
    assert processes.run(source, python) == "0\n"


def test_ctrl_c_ends_a_wait_for_a_result(python: str) -> None:
    source = (
        START
        + """
pool = LambdaPool(BUILTIN)
future = task(pool)
until_running(future)
ready()
future.result()
"""
    )
    interrupted(source, python)


def test_ctrl_c_that_interrupts_no_wait_ends_it_too(python: str) -> None:
    source = (
        START
        + """
pool = LambdaPool(BUILTIN)
future = task(pool)
until_running(future)
# Delivered to another thread, the signal does not end the wait of this one, like a signal just before the wait.
other = threading.Thread(target=lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT))
threading.Timer(0.3, other.start).start()
try:
    future.result()
except KeyboardInterrupt:
    print("interrupted", future.running())
    future.abandon()
    future.exception(60)
"""
    )
    assert processes.run(source, python) == "interrupted True\n"


def test_ctrl_c_leaves_the_block_at_once(python: str) -> None:
    source = (
        START
        + """
try:
    with LambdaPool(BUILTIN, max_workers=1) as pool:
        running, waiting = task(pool), task(pool)
        until_running(running)
        ready()
        running.result()
finally:
    print(waiting.cancelled(), running.running(), flush=True)
"""
    )
    assert interrupted(source, python) == "True True\n"


def test_ctrl_c_ends_the_wait_at_the_end_of_the_block(python: str) -> None:
    source = (
        START
        + """
with LambdaPool(BUILTIN) as pool:
    future = task(pool)
    until_running(future)
    ready()
"""
    )
    interrupted(source, python)


def test_ctrl_c_ends_a_submit_that_waits_for_room(python: str) -> None:
    source = (
        START
        + """
with LambdaPool({**BUILTIN, "max_queued_tasks": 1}, max_workers=1) as pool:
    until_running(task(pool))
    task(pool)
    ready()
    task(pool)
"""
    )
    interrupted(source, python)


def interrupted(source: str, python: str) -> str:
    """The program's output after Ctrl-C."""
    with processes.program(source, python) as program:
        program.await_line("ready")
        started = time.monotonic()
        program.send(signal.SIGINT)
        assert program.end() == -signal.SIGINT, program.said()
        assert time.monotonic() - started < AT_ONCE_S
        assert "KeyboardInterrupt" in program.said()
        # With option local, Lambda is in this process.
        assert "of a LambdaPool unfinished: 1 ends with this process (option local)" in program.said()
        return program.rest()


def test_what_leaving_the_block_at_once_has_cancelled_is_told_after_the_bar(python: str) -> None:
    source = (
        START
        + """
class Bar:
    n = total = 0
    def update(self, n):
        self.n += n
    def set_postfix(self, failed, refresh):
        self.failed = failed
    def refresh(self):
        pass
    def close(self):
        print(f"bar: {self.n} of {self.total}, failed {self.failed}", file=sys.stderr)

from lambda_executor.progress import Progress
with LambdaPool(BUILTIN, max_workers=1) as pool:
    pool._loop.ends.progress = Progress(Bar())
    running, waiting = task(pool), [task(pool) for _ in range(3)]
    until_running(running)
    raise SystemExit(3)
"""
    )
    with processes.program(source, python) as program:
        assert program.end() == 3, program.said()
        bar, message = program.said().splitlines()[:2]
        assert bar == "bar: 3 of 4, failed 3"
        assert "ends with 1 task of a LambdaPool unfinished: 1 ends with this process (option local), and " in message
        assert "0 that waited are dropped; 3 were cancelled before" in message


def test_sys_exit_in_the_block_leaves_at_once(python: str) -> None:
    source = (
        START
        + """
with LambdaPool(BUILTIN) as pool:
    until_running(task(pool))
    sys.exit(3)
"""
    )
    with processes.program(source, python) as program:
        started = time.monotonic()
        assert program.end() == 3, program.said()
        assert time.monotonic() - started < AT_ONCE_S


def test_an_exception_in_the_block_waits_for_the_tasks_and_is_raised(python: str) -> None:
    source = (
        START
        + """
try:
    with LambdaPool(BUILTIN) as pool:
        futures = [task(pool, 200) for _ in range(3)]
        raise LookupError("in the block")
except LookupError as error:
    print(error, [future.result(0).return_code for future in futures])
"""
    )
    assert processes.run(source, python) == "in the block [0, 0, 0]\n"


def test_an_exception_with_a_pool_that_is_in_no_block(python: str) -> None:
    source = (
        START
        + """
pool = LambdaPool(BUILTIN)
future = task(pool)
until_running(future)
raise LookupError("uncaught")
"""
    )
    with processes.program(source, python) as program:
        assert program.end() == 1, program.said()
        assert "LookupError: uncaught" in program.said()


def test_a_forked_child_cannot_use_the_pool_and_does_it_no_harm(python: str) -> None:
    source = (
        START
        + """
from lambda_executor import ForkedError
pool = LambdaPool(BUILTIN)
done, pending = task(pool, 0), task(pool, 1500)
done.result(60)
until_running(pending)

def raises(call, *arguments):
    try:
        call(*arguments)
    except ForkedError:
        return True

with pool:
    child = os.fork()
    if child == 0:
        right = (
            raises(pool.submit, "true") and raises(pending.result) and raises(pending.exception)
            and not pending.cancel() and not pending.abandon() and done.result().return_code == 0
        )
        pool.shutdown(wait=True, cancel_futures=True)
        sys.exit(0 if right else 1)  # leaves the block, and ends the interpreter
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not pending.done()
    print(pending.result(60).return_code, task(pool, 0).result(60).return_code)
"""
    )
    assert processes.run(source, python) == "0 0\n"


def test_a_child_may_have_a_pool_of_its_own(python: str) -> None:
    source = (
        START
        + """
pool = LambdaPool(BUILTIN)
task(pool, 0).result(60)
child = os.fork()
if child == 0:
    with LambdaPool(BUILTIN) as own:
        sys.exit(task(own, 0).result(60).return_code)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), task(pool, 0).result(60).return_code)
pool.shutdown()
"""
    )
    assert processes.run(source, python) == "0 0\n"


def test_multiprocessing_beside_an_open_pool(python: str) -> None:
    source = (
        START
        + """
import multiprocessing

def double(n):
    return 2 * n

if __name__ == "__main__":
    with LambdaPool(BUILTIN) as pool:
        futures = [task(pool, 500) for _ in range(3)]
        for method in ("fork", "forkserver", "spawn"):
            with multiprocessing.get_context(method).Pool(2) as workers:
                print(workers.map(double, range(4)))
        print([future.result(60).return_code for future in futures])
"""
    )
    # Python 3.12 and later warn of fork with threads.
    quiet = "import warnings\nwarnings.simplefilter('ignore', DeprecationWarning)\n"
    expected = "[0, 2, 4, 6]\n" * 3 + "[0, 0, 0]\n"
    assert processes.run(quiet + source, python) == expected


def test_a_pool_in_a_daemon_thread_at_the_end(python: str) -> None:
    source = (
        START
        + """
started = threading.Event()

def work():
    with LambdaPool(BUILTIN) as pool:
        future = task(pool)
        until_running(future)
        started.set()
        future.result()

threading.Thread(target=work, daemon=True).start()
assert started.wait(60)
print("end")
"""
    )
    with processes.program(source, python) as program:
        started = time.monotonic()
        assert program.end() == 0, program.said()
        assert time.monotonic() - started < AT_ONCE_S
        assert program.rest() == "end\n"
