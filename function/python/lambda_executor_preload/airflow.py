"""Loads and makes what every task of Airflow 3 needs before its own code runs. Import it: LAMBDA_EXECUTOR_PRELOAD of
Airflow's image names this module.
"""

from __future__ import annotations

import importlib
import sys

# What a task that does nothing imports, with Airflow 3.0 to 3.4. Each version lacks some of them, Airflow 2 most: its
# tasks do not start with `python -m`.
_MODULES = (
    "airflow.sdk.execution_time.execute_workload",
    "airflow.executors.workloads",
    "airflow.executors.base_executor",
    "airflow.sdk.log",
    "airflow.sdk._shared.logging.factory",
    "airflow.sdk._shared.logging.remote",
    "airflow.sdk.definitions.connection",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.settings",
    "airflow.models.dagbag",
    "airflow.dag_processing.dagbag",
    "airflow.dag_processing.bundles.local",
    "airflow.serialization.serialized_objects",
    "airflow.providers.standard.decorators.python",
    "setproctitle",
    "jinja2.ext",
    "encodings.idna",
)


def _load() -> None:
    for name in _MODULES:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            # Only the module itself or a package above it: one that fails for another reason would fail in each task.
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise


def _read_certificates() -> None:
    """Makes the client of the API server once. It keeps the certificates that it reads for later clients of the
    process, and reading them takes a third of the time of a task that does nothing. Nothing is connected."""
    try:
        from airflow.sdk.api.client import Client
    except ModuleNotFoundError:
        # Airflow 2.
        return
    try:
        Client(base_url="http://127.0.0.1/", token="").close()
    except Exception as error:
        # Each task reads them itself, as without this.
        print(f"cannot read certificates before tasks run: {type(error).__name__}: {error}", file=sys.stderr)


_load()
_read_certificates()
