"""Computes a graph of dask on Lambda: dask takes any executor of concurrent.futures as its scheduler.

    python dask_on_lambda.py [FILE]...

Counts words: a task for each file, and one for each pair of counts. The image needs dask, this package and cloudpickle
too.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

from dask.base import compute
from dask.delayed import delayed

from lambda_executor import LambdaPool

TEXTS = ["the quick brown fox", "jumps over the lazy dog", "the end of the fox"]


def count(text: str) -> Counter[str]:
    return Counter(text.split())


def add(one: Counter[str], other: Counter[str]) -> Counter[str]:
    return one + other


def main() -> None:
    config = os.environ.get("LAMBDA_EXECUTOR_CONFIG", '{"local": {}}')
    texts = [Path(name).read_text() for name in sys.argv[1:]] or TEXTS
    counts = [delayed(count)(text) for text in texts]
    while len(counts) > 1:
        counts = [*counts[2:], delayed(add)(*counts[:2])]
    with LambdaPool(config, max_workers=100) as pool:
        (words,) = compute(counts[0], scheduler=pool)  # type: ignore[no-untyped-call]
    for word, n in sorted(words.items(), key=lambda item: (-item[1], item[0]))[:3]:
        print(n, word)


if __name__ == "__main__":
    main()
