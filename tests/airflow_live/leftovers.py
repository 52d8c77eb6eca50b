"""Processes that outlive the one that started them.

Airflow's components start processes of their own: the triggerer, for one, a server of logs. A component that is
killed, or that is terminated before it handles signals, leaves them behind. They are found by a text in their
environment, such as the path of a temporary folder, which no other process has there.
"""

import os
import select
import signal
import time
from pathlib import Path

# setproctitle writes names such as `airflow serve-logs` over the environment, unless it finds this variable there.
KEEPS_ENVIRONMENT = {"SPT_NOENV": "1"}


def of(text: str) -> dict[int, str]:
    """Command lines of the processes that have the text in their environment, by number. Not our own process."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and int(folder.name) != os.getpid() and _has(folder, text):
            found[int(folder.name)] = _command(folder)
    return found


def end(text: str) -> None:
    """Kills these processes, also those that they start meanwhile."""
    while found := of(text):
        for process in found:
            _kill(process, text)


def wait(text: str, seconds: float) -> dict[int, str]:
    """Those that are still there after this time; returns as soon as there are none."""
    deadline = time.monotonic() + seconds
    while (found := of(text)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _has(folder: Path, text: str) -> bool:
    try:
        return text.encode() in (folder / "environ").read_bytes()
    except OSError:
        # It has ended, or belongs to another user.
        return False


def _command(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "ended"


def _kill(process: int, text: str) -> None:
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        # The number may be that of another process by now. It stays this one's as long as the descriptor is open.
        if _has(Path("/proc", str(process)), text):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            select.select([descriptor], [], [], 10)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)
