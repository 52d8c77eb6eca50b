"""Stands in for Airflow's api-server: accepts all that a task that does nothing sends to the Execution API."""

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DAG = """
from airflow.sdk import DAG, task

with DAG("nothing", schedule=None):

    @task
    def nothing():
        return None

    nothing()
"""
MOMENT = "2026-01-01T00:00:00Z"
CONTEXT = {
    "dag_run": {
        "dag_id": "nothing",
        "run_id": "run",
        "logical_date": MOMENT,
        "data_interval_start": MOMENT,
        "data_interval_end": MOMENT,
        "run_after": MOMENT,
        "start_date": MOMENT,
        "end_date": None,
        "run_type": "manual",
        "state": "running",
        "conf": {},
        "consumed_asset_events": [],
        "partition_key": None,
    },
    "max_tries": 0,
    "should_retry": False,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    states: list[str]

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.endswith("/state"):
            self.states.append(json.loads(body)["state"])
        content = json.dumps(CONTEXT).encode() if self.path.endswith("/run") else b""
        self.send_response(200 if content else 204)
        self.send_header("content-type", "application/json")
        if content:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PATCH = do_POST = do_PUT = answer

    def log_message(self, format: str, *args: object) -> None:
        """Without a log."""


class Api:
    """Where it listens, and the states that tasks have reported."""

    def __init__(self, port: int, states: list[str]) -> None:
        self.url = f"http://127.0.0.1:{port}/execution/"
        self.states = states


@contextmanager
def serving() -> Iterator[Api]:
    states: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Recording", (Handler,), {"states": states}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Api(server.server_address[1], states)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def command() -> list[str]:
    """Runs the task `nothing`, as Airflow's scheduler would have it run."""
    workload = {
        "type": "ExecuteTask",
        "token": "token",
        "dag_rel_path": "nothing.py",
        "bundle_info": {"name": "dags-folder", "version": None},
        "log_path": None,
        "ti": {
            "id": str(uuid.uuid4()),
            "task_id": "nothing",
            "dag_id": "nothing",
            "run_id": "run",
            "try_number": 1,
            "dag_version_id": str(uuid.uuid4()),
            "map_index": -1,
            "queue": "default",
            "pool_slots": 1,
            "priority_weight": 1,
        },
    }
    return [
        "python",
        "-m",
        "airflow.sdk.execution_time.execute_workload",
        "--json-string",
        json.dumps(workload),
    ]


def environment(home: Path, api: Api) -> dict[str, str]:
    """Of a function that runs it. Writes the Dag below `home`."""
    dags = home / "dags"
    dags.mkdir(parents=True)
    (dags / "nothing.py").write_text(DAG)
    return {
        "HOME": str(home),
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": api.url,
    }
