"""Fixtures of the tests of Airflow's executor. They run in an environment with Airflow, of any version."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import local_aws
import pytest

# Set before the import of Airflow and the library: neither may use the user's settings.
_home = tempfile.TemporaryDirectory(prefix="airflow-home-")
for _name in [name for name in os.environ if name.startswith(("AIRFLOW", "AWS_"))]:
    del os.environ[_name]
os.environ.update(
    {
        "AIRFLOW_HOME": _home.name,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "lambda_executor.airflow.LambdaExecutor",
        # Without it the base class of Airflow 3 draws one at random, with a warning.
        "AIRFLOW__API_AUTH__JWT_SECRET": "not-a-secret" * 4,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_home.name}/airflow.db",
        "LAMBDA_EXECUTOR_LIBRARY": str(local_aws.LIBRARY),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
)

import scheduler as scheduler_module  # noqa: E402
from lambda_executor.airflow import LambdaExecutor, versions  # noqa: E402
from local_aws import LocalAws  # noqa: E402
from scheduler import Scheduler  # noqa: E402

try:
    import airflow.providers.amazon  # noqa: F401
except ImportError:
    _HAS_AMAZON = False
else:
    _HAS_AMAZON = True

Start = Callable[..., Scheduler]


def pytest_report_header() -> str:
    import airflow

    return f"Airflow {airflow.__version__}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects tests of features that this version lacks: `airflow(3, 3)` needs 3.3, `airflow_before(3, 0)` an older
    version."""
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        least = [marker.args for marker in item.iter_markers("airflow")]
        below = [marker.args for marker in item.iter_markers("airflow_before")]
        if item.get_closest_marker("needs_amazon") and not _HAS_AMAZON:
            left.append(item)
            continue
        fits = all(versions.AIRFLOW >= args for args in least) and all(versions.AIRFLOW < args for args in below)
        (kept if fits else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAws]:
    """A local AWS, used by Airflow's configuration."""
    with local_aws.running(tmp_path, "--handler", "builtin", "--retry-base-ms", "10") as server:
        for name, text in server.options().items():
            monkeypatch.setenv(name, text)
        yield server


@pytest.fixture(autouse=True)
def caught() -> Iterator[list[str]]:
    """The exceptions that the executor has caught. A test with exceptions fails unless it clears the list."""
    tracebacks: list[str] = []

    class Tracebacks(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info:
                tracebacks.append(f"{record.getMessage()}: {record.exc_info[1]!r}")

    handler = Tracebacks()
    root = logging.getLogger()
    root.addHandler(handler)
    yield tracebacks
    root.removeHandler(handler)
    assert tracebacks == []


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts schedulers, each with its own executor."""
    started: list[LambdaExecutor] = []

    def make(**arguments: object) -> Scheduler:
        executor = LambdaExecutor(**{"parallelism": 100_000, **arguments})
        started.append(executor)
        executor.start()
        made = scheduler_module.Scheduler(executor)
        # On a busy machine, `start` may not have waited long enough.
        made.until(lambda: executor.library is not None, "the library")
        return made

    yield make
    for executor in started:
        executor.terminate()


@pytest.fixture
def scheduler(aws: LocalAws, start: Start) -> Scheduler:
    """A scheduler whose executor uses the local AWS."""
    return start()
