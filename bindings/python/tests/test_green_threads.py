"""Pools in programs of eventlet and gevent, which replace parts of the standard library."""

from __future__ import annotations

import subprocess
import sys

import pytest
from processes import SECONDS, environment, run

WORK = """
from lambda_executor import Executor, LambdaPool
with LambdaPool({"local": {}}) as pool:
    print(*[completed.output for completed in pool.map(["echo 1", "echo 2"])])
    print(pool.submit("true").result(60).return_code)
with Executor({"local": {"handler": "builtin"}}) as executor:
    executor.queue("one", ["true"])
    print(executor.wait("one", 60))
"""
PRINTED = "1\n 2\n\n0\nsucceeded\n"

#: Removes what eventlet removes.
WITHOUT_POLL = """
import select, selectors
for module, names in ((select, ("poll", "epoll")), (selectors, ("PollSelector", "EpollSelector"))):
    for name in names:
        delattr(module, name)
selectors.DefaultSelector = selectors.SelectSelector
"""

PATCHES = {
    "eventlet": "import eventlet; eventlet.monkey_patch()",
    "gevent": "from gevent import monkey; monkey.patch_all()",
}


def test_a_pool_works_without_poll(python: str) -> None:
    assert run(WITHOUT_POLL + WORK, python) == PRINTED


@pytest.mark.parametrize("order", ["patched first", "imported first"])
@pytest.mark.parametrize("package", PATCHES)
def test_a_pool_works_after_monkey_patching(package: str, order: str) -> None:
    steps = [PATCHES[package], "import lambda_executor"]
    if order == "imported first":
        steps.reverse()
    process = subprocess.run(
        [sys.executable, "-c", "\n".join(steps) + WORK],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    # Both print warnings to the error stream.
    assert (process.returncode, process.stdout) == (0, PRINTED), process.stderr
