"""Python interpreters of this machine.

    python3 interpreters.py

prints the one that has CPython's own tests of concurrent.futures, or fails. tools/setup.sh then installs these tests.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

#: CPython's own tests of concurrent.futures. Some installations of Python leave them out.
TESTS = "test.test_concurrent_futures"
DEBIAN = "/usr/bin/python3"
OLDEST, NEWEST = 9, 19


@functools.cache
def pythons() -> list[str]:
    """This interpreter, and each other version on PATH that starts. (Some names of pyenv do not.)"""
    found = {sys.version_info[:2]: sys.executable}
    for minor in range(OLDEST, NEWEST + 1):
        program = shutil.which(f"python3.{minor}")
        if program is None or (3, minor) in found:
            continue
        asked = subprocess.run(
            [program, "-c", "import ctypes, sys; print(sys.executable)"], capture_output=True, text=True
        )
        if asked.returncode == 0:
            found[3, minor] = asked.stdout.strip()
    return list(found.values())


@functools.cache
def with_tests() -> str | None:
    """The first interpreter that has TESTS: this one, others on PATH from the newest, Debian's, those of pyenv."""
    this, *others = pythons()
    for python in [this, *reversed(others), DEBIAN, *_of_pyenv()]:
        asked = [python, "-c", f"import {TESTS}"]
        if os.path.exists(python) and subprocess.run(asked, capture_output=True).returncode == 0:
            return python
    return None


def _of_pyenv() -> Iterator[str]:
    """Installed by pyenv, the newest first, also if not selected for PATH."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for minor in range(NEWEST, OLDEST - 1, -1):
        yield from map(str, sorted(root.glob(f"versions/3.{minor}.*/bin/python3"), reverse=True))


if __name__ == "__main__":
    found = with_tests()
    if found is None:
        raise SystemExit(f"no interpreter of this machine has {TESTS}")
    print(found)
