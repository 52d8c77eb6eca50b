"""Estimates pi from the share of random points of a square that lie in its circle, with many Lambda functions.

python functions.py [POINTS]
"""

from __future__ import annotations

import os
import random
import sys

from lambda_executor import LambdaPool

CALLS = 20


def inside(seed: int, points: int) -> int:
    """Runs in Lambda. The image does not need this file's functions and classes, but the modules that they import."""
    generator = random.Random(seed)
    return sum(generator.random() ** 2 + generator.random() ** 2 < 1 for _ in range(points))


def parse(text: str) -> int:
    return int(text)


def main() -> None:
    config = os.environ.get("LAMBDA_EXECUTOR_CONFIG", '{"local": {}}')
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with LambdaPool(config) as pool:
        # chunksize: several short calls share a task, and so the start of an interpreter.
        hits = sum(pool.map(inside, range(CALLS), [points] * CALLS, chunksize=5))
        print(f"pi is about {4 * hits / (CALLS * points):.2f}")

        # `options` takes the options of the task, so that they cannot collide with arguments of the function.
        future = pool.options(timeout=60, key="parsing").submit(parse, "not a number")
        try:
            future.result()
        except ValueError as error:
            # The function's exception. Its cause has the traceback in Lambda.
            print(f"{future.key}: {type(error).__name__}: {error}")
            print("raised in", str(error.__cause__).rsplit(", in ", 1)[-1].split()[0])


if __name__ == "__main__":
    main()
