"""Finds out how many points of a square lie in its circle, in many Lambda functions, and what pi is by that.

python functions.py [POINTS]
"""

from __future__ import annotations

import os
import random
import sys

from lambda_executor import LambdaPool

CALLS = 20


def inside(seed: int, points: int) -> int:
    """Runs in Lambda. Functions and classes of this file need not be in the image; what they import must be."""
    generator = random.Random(seed)
    return sum(generator.random() ** 2 + generator.random() ** 2 < 1 for _ in range(points))


def parse(text: str) -> int:
    return int(text)


def main() -> None:
    config = os.environ.get("LAMBDA_EXECUTOR_CONFIG", '{"local": {}}')
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with LambdaPool(config) as pool:
        # chunksize: calls that share a task, where one call is short beside the start of an interpreter.
        hits = sum(pool.map(inside, range(CALLS), [points] * CALLS, chunksize=5))
        print(f"pi is about {4 * hits / (CALLS * points):.2f}")

        # Options of a task go between, so that no argument of the function is taken for one.
        future = pool.options(timeout=60, key="parsing").submit(parse, "not a number")
        try:
            future.result()
        except ValueError as error:
            # Its own exception; the cause says where in Lambda it was raised.
            print(f"{future.key}: {type(error).__name__}: {error}")
            print("raised in", str(error.__cause__).rsplit(", in ", 1)[-1].split()[0])


if __name__ == "__main__":
    main()
