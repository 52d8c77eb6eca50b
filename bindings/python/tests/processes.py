"""Programs in processes of their own, under this Python or another version."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
LIBRARY = PROGRAMS / "liblambda_executor.so"
SOURCES = ROOT / "bindings" / "python" / "src"
TESTS = Path(__file__).resolve().parent

# Deadline of every wait, for a busy machine.
SECONDS = 60
# A program that runs longer hangs, and is killed.
KILL_AFTER = 150

# Start of every program: a configuration without a function program, and a function that waits for a task.
PROLOGUE = """
import os, signal, sys, threading, time, warnings
from lambda_executor import *

BUILTIN = {"local": {"handler": "builtin"}, "shutdown_grace_ms": 5000}

# Python 3.12 and later warn of fork with threads. The tests show that it works here.
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)

def queue(executor, key, ms=0):
    executor.queue(key, ["true"], executor_config={"builtin": {"duration_ms": ms}})

def final(executor, key):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        batch = executor.sync(1.0)
        batch.ack()
        for event in batch:
            if event.key == key and event.state.final:
                return event
    raise SystemExit(f"no final event of {key}")

def ready(word="ready"):
    print(word, flush=True)
"""


def environment() -> dict[str, str]:
    """The variables of this process, without those of AWS, Airflow and Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AIRFLOW_", "PYTHON"))}
    return {**kept, "PYTHONPATH": str(SOURCES), "LAMBDA_EXECUTOR_LIBRARY": str(LIBRARY), "PYTHONFAULTHANDLER": "1"}


class Program:
    """A process that runs a program, and its error output so far."""

    def __init__(self, process: subprocess.Popen[str], errors: IO[str]) -> None:
        self.process = process
        self.pid = process.pid
        self._errors = errors

    def await_line(self, line: str) -> None:
        """Returns when the program has printed the line."""
        assert self.process.stdout
        for printed in self.process.stdout:
            if printed.rstrip("\n") == line:
                return
        raise AssertionError(f"the program ended without printing {line!r}: {self.said()}")

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, seconds: float = SECONDS) -> int:
        """Waits for the exit status. Fails after the deadline."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            # faulthandler prints where it hangs.
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise AssertionError(f"the program did not end within {seconds} s: {self.said()}") from None

    def rest(self) -> str:
        """The rest of its standard output."""
        assert self.process.stdout
        return self.process.stdout.read()

    def said(self) -> str:
        """Its error output so far."""
        self._errors.seek(0)
        return self._errors.read()


@contextmanager
def program(source: str, python: str = sys.executable) -> Iterator[Program]:
    """Runs a program; kills it at the end of the block if it still runs."""
    text = PROLOGUE + textwrap.dedent(source)
    with tempfile.TemporaryDirectory() as folder, open(Path(folder, "stderr"), "w+") as errors:
        file = Path(folder, "program.py")
        file.write_text(text)
        process = subprocess.Popen(
            [python, str(file)],
            env=environment(),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        hangs = threading.Timer(KILL_AFTER, process.kill)
        hangs.start()
        try:
            yield Program(process, errors)
        finally:
            hangs.cancel()
            process.kill()
            process.wait()
            assert process.stdout
            process.stdout.close()


def run(source: str, python: str = sys.executable, *, seconds: float = SECONDS) -> str:
    """The output of a program. Fails unless it ends in time with exit status 0 and without error output."""
    with program(source, python) as running:
        status = running.end(seconds)
        said = running.said()
        assert (status, said) == (0, ""), f"exit status {status}: {said}"
        return running.rest()
