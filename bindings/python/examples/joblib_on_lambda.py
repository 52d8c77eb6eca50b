"""A backend of joblib that runs on Lambda, for `joblib.Parallel` and libraries that use it.

    python joblib_on_lambda.py [LIMIT]

Finds primes. The image needs joblib, this package and cloudpickle too.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import Future
from typing import Any, Callable

import joblib
from joblib.parallel import ParallelBackendBase

from lambda_executor import LambdaPool


class LambdaBackend(ParallelBackendBase):  # type: ignore[misc]
    """Submits joblib's batches to a pool."""

    supports_retrieve_callback = True

    def __init__(self, pool: LambdaPool, **options: Any) -> None:
        super().__init__(**options)
        self._pool = pool
        self._futures: set[Future[Any]] = set()

    def effective_n_jobs(self, n_jobs: int) -> int:
        return self._pool._max_workers if n_jobs < 0 else n_jobs

    def submit(self, func: Callable[[], Any], callback: Callable[[Future[Any]], None]) -> Future[Any]:
        future = self._pool.submit(func)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        future.add_done_callback(callback)
        return future

    def retrieve_result_callback(self, out: Future[Any]) -> Any:
        return out.result()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        for future in list(self._futures):
            future.cancel()


def primes(start: int, end: int) -> list[int]:
    return [n for n in range(max(start, 2), end) if all(n % d for d in range(2, int(n**0.5) + 1))]


def main() -> None:
    config = os.environ.get("LAMBDA_EXECUTOR_CONFIG", '{"local": {}}')
    limit = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    step = max(limit // 10, 1)
    with LambdaPool(config) as pool:
        joblib.register_parallel_backend("lambda", lambda **options: LambdaBackend(pool, **options))
        with joblib.parallel_config(backend="lambda", n_jobs=-1):
            found = joblib.Parallel()(joblib.delayed(primes)(start, start + step) for start in range(0, limit, step))
    numbers = [prime for part in found for prime in part]
    print(f"{len(numbers)} primes, the last is {numbers[-1]}")


if __name__ == "__main__":
    main()
