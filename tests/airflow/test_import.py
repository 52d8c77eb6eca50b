"""The package works without Airflow, and Airflow finds the class by its name."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def test_importing_the_package_imports_no_airflow() -> None:
    program = (
        "import sys, lambda_executor, lambda_executor.airflow, lambda_executor.airflow.provider as p; "
        "p.get_provider_info(); print([name for name in sys.modules if name.split('.')[0] == 'airflow'])"
    )
    path = ":".join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_airflow_loads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # Needed by Airflow 2, which refuses SQLite.
    monkeypatch.setenv("_AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK", "1")
    from airflow.executors.executor_loader import ExecutorLoader
    from lambda_executor.airflow import LambdaExecutor

    executor = ExecutorLoader.get_default_executor()
    assert type(executor) is LambdaExecutor
    assert executor.name is not None


@pytest.mark.airflow(3, 0)
def test_it_is_no_local_executor() -> None:
    from lambda_executor.airflow import LambdaExecutor

    assert (LambdaExecutor.is_local, LambdaExecutor.is_production, LambdaExecutor.serve_logs) == (False, True, False)


def test_an_unknown_name_of_the_package() -> None:
    import lambda_executor.airflow as package

    with pytest.raises(AttributeError):
        package.Nothing  # noqa: B018


def test_it_is_loaded_from_a_list_and_by_an_alias() -> None:
    """Together with another executor. In a separate process, since Airflow caches the names."""
    program = (
        "from airflow.executors.executor_loader import ExecutorLoader as L; "
        "print(type(L.load_executor('lambda')).__name__, len(L.get_executor_names()))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={
            **os.environ,
            "PYTHONPATH": ":".join(entry for entry in sys.path if entry),
            "AIRFLOW__CORE__EXECUTOR": "lambda:lambda_executor.airflow.LambdaExecutor,LocalExecutor",
            # Needed by Airflow 2, which refuses SQLite.
            "_AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "LambdaExecutor 2"
