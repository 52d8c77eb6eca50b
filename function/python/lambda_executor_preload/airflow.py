"""Loads modules and creates objects that every task of Airflow 3 needs before its own code runs.
LAMBDA_EXECUTOR_PRELOAD of Airflow's image names this module.
"""

from __future__ import annotations

import importlib
import sys

# Modules that an empty task imports, with Airflow 3.0 to 3.4. Each version lacks some of them. Airflow 2 lacks most of
# them; its tasks do not start with `python -m`.
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
            # Ignore only a missing module or package: any other failure would occur in each task, too.
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise


def _read_certificates() -> None:
    """Creates the client of the API server once, without a connection. It caches the certificates for later clients of
    the process; reading them takes a third of the time of an empty task."""
    try:
        from airflow.sdk.api.client import Client
    except ModuleNotFoundError:
        # Airflow 2.
        return
    try:
        Client(base_url="http://127.0.0.1/", token="").close()
    except Exception as error:
        # Each task then reads them itself.
        # One write, so that no other line comes between.
        sys.stderr.write(f"cannot read certificates before tasks run: {type(error).__name__}: {error}\n")


_load()
_read_certificates()
