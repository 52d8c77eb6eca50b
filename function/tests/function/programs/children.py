"""Starts processes in every way that the standard library offers."""

import multiprocessing
import os
import subprocess
import sys


def add_one(number):
    return number + 1


if __name__ == "__main__":
    for kind in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(kind).Pool(1) as pool:
            print(kind, pool.map(add_one, [1]))
    child = "import os, sys; print(os.getpgrp() == os.getppid(), sys.argv, sys.path[0] == '', sorted(sys.modules)[:3])"
    print(subprocess.run([sys.executable, "-c", child, "a"], capture_output=True, text=True, check=True))
    if os.fork() == 0:
        print("forked")
        sys.exit(2)
    print(os.wait()[1])
