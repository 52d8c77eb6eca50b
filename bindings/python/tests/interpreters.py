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
from pathlib import Path

#: CPython's own tests of concurrent.futures. Some installations of Python leave them out.
TESTS = "test.test_concurrent_futures"
DEBIAN = "/usr/bin/python3"

Version = tuple[int, int]
#: The versions that are looked for, from the oldest that the package supports.
VERSIONS: list[Version] = [(3, minor) for minor in range(9, 20)]
#: Of these, the tests say so if one is not on the machine.
EXPECTED: list[Version] = [(3, minor) for minor in range(9, 14)]


@functools.cache
def pythons() -> dict[Version, str]:
    """The interpreter of each version: this one, else the first on PATH that starts, else the newest of pyenv."""
    found = {sys.version_info[:2]: sys.executable}
    for version in VERSIONS:
        if version not in found:
            # The names of pyenv on PATH start only the versions that are selected.
            for program in [*_on_path(version), *_of_pyenv(version)]:
                asked = [program, "-c", "import ctypes, sys; print(sys.executable)"]
                answer = subprocess.run(asked, capture_output=True, text=True)
                if answer.returncode == 0:
                    found[version] = answer.stdout.strip()
                    break
    return found


@functools.cache
def with_tests() -> str | None:
    """The first interpreter that has TESTS: this one, the other versions from the newest, Debian's, others of pyenv."""
    newest_first = sorted(pythons().items(), reverse=True)
    of_pyenv = [python for version in reversed(VERSIONS) for python in _of_pyenv(version)]
    for python in [sys.executable, *(python for _, python in newest_first), DEBIAN, *of_pyenv]:
        asked = [python, "-c", f"import {TESTS}"]
        if os.path.exists(python) and subprocess.run(asked, capture_output=True).returncode == 0:
            return python
    return None


def _on_path(version: Version) -> list[str]:
    program = shutil.which(f"python{version[0]}.{version[1]}")
    return [] if program is None else [program]


def _of_pyenv(version: Version) -> list[str]:
    """Installed by pyenv, also if not selected for PATH; the newest first."""
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    prefix = f"{version[0]}.{version[1]}."
    numbers = [found.name[len(prefix) :] for found in versions.glob(f"{prefix}*")]
    # Not the others, such as 3.13.1t, which has no global lock.
    patches = sorted((int(number) for number in numbers if number.isdecimal()), reverse=True)
    return [str(versions / f"{prefix}{patch}" / "bin" / "python") for patch in patches]


if __name__ == "__main__":
    found = with_tests()
    if found is None:
        raise SystemExit(f"no interpreter of this machine has {TESTS}")
    print(found)
