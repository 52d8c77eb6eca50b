"""Runs the lines of a file as commands, each in a Lambda function, and prints their results.

    python commands.py [FILE]

Each line is one command for the shell; blank lines and lines that start with # are skipped. Progress goes to stderr,
results to stdout as they come. Ctrl-C leaves at once: what runs in Lambda continues there.

Exit status: 0 all succeeded, 1 some did not.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import Future, as_completed

from lambda_executor import Completed, LambdaPool, TaskError


def main() -> int:
    config = os.environ.get("LAMBDA_EXECUTOR_CONFIG", '{"local": {}}')
    with open(sys.argv[1]) if len(sys.argv) > 1 else sys.stdin as file:
        commands = [line.strip() for line in file if line.strip() and not line.startswith("#")]

    failed = 0
    with LambdaPool(config, progress=sys.stderr.isatty()) as pool:
        pool.executor.check_health(timeout=30)  # fails early; without it, tasks wait until the configuration is fixed
        futures: dict[Future[Completed], str] = {pool.submit(command): command for command in commands}
        for future in as_completed(futures):
            try:
                completed = future.result()
                print(f"ok      {futures[future]}: {completed.output.strip()}")
            except TaskError as error:
                failed += 1
                print(f"failed  {futures[future]}: {error.reason}, return code {error.return_code}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
