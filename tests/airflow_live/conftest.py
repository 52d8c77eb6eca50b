"""A real Airflow on the local Lambda, shared by tests that do not change it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import deployment
import functions
import leftovers
import pytest
import runs
import web

# Time for processes to end after the last test.
PATIENCE_S = 30.0
# Dags that each deployment must have read before a test begins.
DAGS = ["live_success", "live_retry", "live_mapped", "live_deferrable"]


@dataclass
class Live:
    """A running Airflow, and access to its state."""

    airflow: deployment.Deployment
    web: web.Web
    handler: str

    def run(self, dag: str, conf: object = None) -> str:
        """Triggers the Dag and returns its final state. Each Dag runs once; the run has its name."""
        self.web.trigger(dag, dag, conf)
        return runs.wait_for_run(self.airflow, dag, dag)


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every process that a test has started has ended with it: Airflow's, the local Lambda's, tasks, the database."""
    mine = f"{tmp_path_factory.getbasetemp()}/"
    # For those that get no path below that folder, such as the database.
    os.environ["LIVE_SESSION"] = mine
    yield
    left = leftovers.wait(mine, PATIENCE_S)
    leftovers.end(mine)
    assert not left


@pytest.fixture(scope="session", params=functions.HANDLERS)
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    handler: str = request.param
    with deployment.deployment(tmp_path_factory.mktemp(handler) / "live", handler=handler) as airflow:
        served = web.Web(airflow)
        served.wait_until_ready(DAGS)
        yield Live(airflow, served, handler)
