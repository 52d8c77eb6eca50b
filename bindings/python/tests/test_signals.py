"""Signals: Ctrl-C ends every wait immediately, and handlers may use the executor that they interrupted."""

from __future__ import annotations

import signal
import time

import pytest
from processes import program, run

# Calls that wait without limit, and a server that accepts connections and never answers.
WAITS = {
    "sync": "executor.sync(None)",
    "events": "next(executor.events())",
    "drain": "executor.drain(timeout=None)",
    "drain as configured": "executor.drain()",
    "wait": "executor.wait('slow')",
    "check_health": "silent.check_health()",
}

START = """
import socket
server = socket.create_server(("127.0.0.1", 0))
url = f"http://127.0.0.1:{server.getsockname()[1]}"
silent = Executor({
    "function_name": "f", "queue_url": url + "/1/q", "dead_letter_queue_url": url + "/1/d", "region_name": "us-east-1",
    "endpoint_url": url, "credentials": {"access_key_id": "AKID", "secret_access_key": "s"}, "shutdown_grace_ms": 0,
    "log": "off",
}, logger=None)
executor = Executor({**BUILTIN, "shutdown_grace_ms": 0, "log": "off"}, logger=None)
queue(executor, "slow", 60_000)
executor.sync(None, 1).ack()
"""


def wait_until_it_sleeps(pid: int) -> None:
    """Waits until the main thread waits in the kernel."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with open(f"/proc/{pid}/wchan") as file:
            where = file.read()
        with open(f"/proc/{pid}/stat") as file:
            state = file.read().rsplit(")", 1)[1].split()[0]
        if state == "S" and "futex" not in where:
            return
        time.sleep(0.01)
    raise AssertionError("the program does not wait")


@pytest.mark.parametrize("call", WAITS)
def test_ctrl_c_ends_a_wait_at_once(python: str, call: str) -> None:
    source = f"""
try:
    ready()
    {WAITS[call]}
except KeyboardInterrupt:
    ready("interrupted")
executor.cancel("slow")
final(executor, "slow")
"""
    with program(START + source, python) as running:
        running.await_line("ready")
        wait_until_it_sleeps(running.pid)
        began = time.monotonic()
        running.send(signal.SIGINT)
        running.await_line("interrupted")
        assert time.monotonic() - began < 1
        assert running.end() == 0, running.said()


def test_ctrl_c_just_before_the_wait_begins_ends_it_too(python: str) -> None:
    """The signal arrives after Python's last check for signals, and does not interrupt the library's wait."""
    source = """
from lambda_executor import _handle
call = _handle.Handle.call
sent = []
def late(self, name, *arguments):
    if name == "lambda_executor_sync" and not sent:
        sent.append(True)
        # Delivered to another thread, the signal does not end the wait of this one.
        other = threading.Thread(target=lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT))
        threading.Timer(0.3, other.start).start()
    return call(self, name, *arguments)
_handle.Handle.call = late
try:
    executor.sync(None)
except KeyboardInterrupt:
    print("interrupted")
"""
    assert run(START + source, python) == "interrupted\n"


def test_ctrl_c_without_a_handler_of_anybodys_ends_the_program(python: str) -> None:
    source = """
with executor:
    ready()
    executor.sync(None)
"""
    with program(START + source, python) as running:
        running.await_line("ready")
        wait_until_it_sleeps(running.pid)
        began = time.monotonic()
        running.send(signal.SIGINT)
        assert running.end() == -signal.SIGINT
        assert time.monotonic() - began < 3
        assert "KeyboardInterrupt" in running.said()


def test_sigterm_ends_the_program_by_default(python: str) -> None:
    with program(START + "ready()\nexecutor.sync(None)", python) as running:
        running.await_line("ready")
        running.send(signal.SIGTERM)
        assert running.end(5) == -signal.SIGTERM


def test_a_handler_that_returns_does_not_end_the_wait(python: str) -> None:
    source = """
signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b"handled\\n"))
ready()
began = time.monotonic()
assert executor.sync(2.0) == ()
assert time.monotonic() - began >= 2
"""
    with program(START + source, python) as running:
        running.await_line("ready")
        wait_until_it_sleeps(running.pid)
        running.send(signal.SIGUSR1)
        running.await_line("handled")
        assert running.end() == 0, running.said()


@pytest.mark.parametrize(
    ("does", "then"),
    [
        ("executor.wake()", "assert executor.sync(None) == ()"),
        ("executor.cancel('slow')", "assert executor.sync(None)[0].state is State.CANCELLED"),
        ("executor.close()", "assert next(executor.events(), 'ended') == 'ended'"),
    ],
)
def test_a_handler_may_use_the_executor_that_it_interrupts(python: str, does: str, then: str) -> None:
    source = f"""
signal.signal(signal.SIGUSR1, lambda *_: {does})
ready()
{then}
"""
    with program(START + source, python) as running:
        running.await_line("ready")
        wait_until_it_sleeps(running.pid)
        running.send(signal.SIGUSR1)
        assert running.end() == 0, running.said()
