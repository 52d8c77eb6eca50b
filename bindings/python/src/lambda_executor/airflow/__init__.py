"""Apache Airflow on AWS Lambda: `[core] executor = lambda_executor.airflow.LambdaExecutor`.

Importing this package does not import Airflow; the class does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .executor import LambdaExecutor

__all__ = ["LambdaExecutor"]


def __getattr__(name: str) -> object:
    # Airflow looks for providers while it reads its configuration, and the executor's base class needs that to be over.
    if name == "LambdaExecutor":
        from .executor import LambdaExecutor

        return LambdaExecutor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
