"""The end of the interpreter: no crash and no hang, with executors left open."""

from __future__ import annotations

import pytest
from processes import program, run

LEFT_OPEN = {
    "tasks run": "queue(executor, 'runs', 60_000); next(executor.events())",
    "tasks wait": "executor.queue_many(Task(f'n{i}', ['true']) for i in range(1000))",
    "events wait": "queue(executor, 'one'); executor.drain()",
    "events iterated": "queue(executor, 'one'); events = executor.events(); next(events)",
    "a daemon thread waits": """
def wait():
    ready()
    executor.sync(None)
threading.Thread(target=wait, daemon=True).start()
while not executor._handle._calls:
    time.sleep(0.001)
""",
    "a daemon thread calls all the time": """
def call():
    while True:
        try:
            executor.sync(0.001)
        except Error:
            pass
threading.Thread(target=call, daemon=True).start()
""",
    "a cycle": "executor.itself = executor",
    "a module has it": "sys.modules['kept'] = executor",
    "many": "more = [Executor(BUILTIN) for _ in range(8)]",
    "collected just now": "queue(executor, 'runs', 60_000); executor = None",
    "a log callback is busy": """
import logging
logging.basicConfig(level=1, stream=open(os.devnull, "w"))
noisy = Executor(BUILTIN)
noisy.queue_many(Task(f'n{i}', ['true']) for i in range(2000))
""",
}


@pytest.mark.parametrize("left", LEFT_OPEN)
def test_the_program_ends_well(python: str, left: str) -> None:
    source = f"""
executor = Executor({{**BUILTIN, "log": "off"}}, logger=None)
{LEFT_OPEN[left]}
print("end of program", flush=True)
"""
    with program(source, python) as running:
        running.await_line("end of program")
        status = running.end(20)
        assert status == 0, running.said()
        assert "Fatal" not in running.said()
        assert "Exception ignored" not in running.said()
        # Daemon threads print no exception either: printing while Python ends can crash.
        assert "ClosedError" not in running.said()


def test_real_function_processes_end_with_the_program(python: str) -> None:
    source = """
executor = Executor({"local": {}})
executor.queue("runs", ["sleep", "600"])
for event in executor.events():
    break
"""
    with program(source, python) as running:
        assert running.end(20) == 0, running.said()


def test_an_exception_in_the_with_block_comes_through(python: str) -> None:
    source = """
try:
    with Executor(BUILTIN) as executor:
        queue(executor, "runs", 60_000)
        next(executor.events())
        raise LookupError("of the user")
except LookupError as error:
    print(error)
try:
    executor.sync()
except ClosedError:
    print("closed")
"""
    assert run(source, python) == "of the user\nclosed\n"


@pytest.mark.parametrize("how", ["raise SystemExit(3)", "sys.exit(3)", "os._exit(3)"])
def test_the_exit_status_is_the_programs(python: str, how: str) -> None:
    with program(f"executor = Executor(BUILTIN)\nqueue(executor, 'runs', 60_000)\n{how}", python) as running:
        assert running.end(20) == 3


def test_a_log_handler_that_uses_the_executor_does_not_hold_up_the_end(python: str) -> None:
    """Its call raises ClosedError, and the interpreter waits for the thread."""
    source = """
import logging
class Counting(logging.Handler):
    def emit(self, record):
        try:
            executor.counts()
        except ClosedError:
            print("closed", flush=True)
logging.getLogger("lambda_executor").addHandler(Counting())
executor = Executor({**BUILTIN, "max_running_tasks": 1})
for key in ("runs", "dropped"):
    queue(executor, key, 60_000)
next(executor.events())
"""
    with program(source, python) as running:
        # Waiting for a handler that does not return takes 30 s.
        assert running.end(20) == 0, running.said()
        assert (running.rest(), running.said()) == ("closed\n", "")


CHECK_LAST = """
import atexit
from lambda_executor import _handle
def check():
    print(*(handle._freed for handle in handles), flush=True)
atexit.unregister(_handle._close_all)
atexit.register(check)
atexit.register(_handle._close_all)
executors = [Executor(BUILTIN) for _ in range(3)]
handles = [executor._handle for executor in executors]
"""


@pytest.mark.parametrize("call", ["close", "free"])
def test_ctrl_c_while_the_interpreter_ends_leaves_nothing_open(python: str, call: str) -> None:
    """Python runs the handler after the library's call has returned."""
    source = f"""
class Interrupted:
    def __init__(self, library):
        self.library = library
    def __getattr__(self, name):
        return getattr(self.library, name)
    def lambda_executor_{call}(self, *arguments):
        self.library.lambda_executor_{call}(*arguments)
        signal.raise_signal(signal.SIGINT)
for handle in handles:
    handle.library = Interrupted(handle.library)
"""
    with program(CHECK_LAST + source, python) as running:
        running.end(20)
        assert running.rest() == "True True True\n", running.said()
        assert "KeyboardInterrupt" in running.said()


def test_what_a_second_signal_leaves_of_a_call_keeps_nothing_open(python: str) -> None:
    source = "handles[0]._calls[object()] = threading.get_ident()"
    assert run(CHECK_LAST + source, python) == "True True True\n"


def test_a_child_that_is_forked_while_the_interpreter_ends_is_not_ending(python: str) -> None:
    source = """
from lambda_executor import _handle
# As in another thread.
_handle._ending_in = -1
child = os.fork()
if child == 0:
    with Executor(BUILTIN) as own:
        queue(own, "one")
        final(own, "one")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    assert run(source, python) == ""


def test_no_executor_starts_when_the_interpreter_ends(python: str) -> None:
    source = """
import atexit
def late():
    try:
        Executor(BUILTIN)
    except RuntimeError as error:
        print(error)
# Registered before the package is used, and so called after the package has closed everything.
import lambda_executor
atexit.unregister(lambda_executor._handle._close_all)
atexit.register(late)
atexit.register(lambda_executor._handle._close_all)
"""
    assert run(source, python) == "the interpreter ends: an executor that is created now would never be closed\n"


def test_executors_of_threads_that_end_later_than_the_main_thread(python: str) -> None:
    source = """
def work():
    with Executor(BUILTIN) as executor:
        main.join()
        queue(executor, "one", 100)
        print(final(executor, "one").state, flush=True)
main = threading.main_thread()
threading.Thread(target=work).start()
"""
    assert run(source, python) == "succeeded\n"
