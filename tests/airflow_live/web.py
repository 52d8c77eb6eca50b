"""The REST API that Airflow's web interface calls, version 2 (Airflow 3)."""

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import runs
import servers
from deployment import Deployment


class Web:
    def __init__(self, airflow: Deployment) -> None:
        self.airflow = airflow
        self.token = ""

    def wait_until_ready(self, dags: list[str]) -> None:
        """Waits until the API server answers and the Dag processor has read the Dags."""

        def answers() -> bool | None:
            self.airflow.check_alive()
            try:
                self.token = self._ask("GET", "/auth/token")["access_token"]
                # Airflow builds this part of the server at the first request. It takes seconds: do it before the tasks.
                self._ask("GET", "/execution/health")
            except OSError:
                return None
            return True

        servers.until("the API server answers", answers, runs.PATIENCE_S, runs.PROBE_S)

        def known() -> bool | None:
            self.airflow.check_alive()
            errors = self.call("GET", "/importErrors")["import_errors"]
            assert not errors, errors
            found = {dag["dag_id"] for dag in self.call("GET", "/dags?limit=1000")["dags"]}
            return True if found.issuperset(dags) else None

        servers.until(f"the Dag processor has read {dags}", known, runs.PATIENCE_S, runs.PROBE_S)

    def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - what Airflow answers
        return self._ask(method, f"/api/v2{path}", body)

    def trigger(self, dag: str, run: str, conf: object = None) -> None:
        self.call("POST", f"/dags/{dag}/dagRuns", {"dag_run_id": run, "logical_date": None, "conf": conf or {}})

    def log(self, dag: str, run: str, task: str, try_number: int, map_index: int = -1) -> str:
        """The content of a task's log page, one event per line."""
        path = (
            f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/{try_number}?map_index={map_index}&full_content=true"
        )
        content = self.call("GET", path)["content"]
        return "\n".join(event if isinstance(event, str) else json.dumps(event) for event in content)

    def clear(self, dag: str, run: str, task: str) -> None:
        """The button "Clear task": a running task is stopped and runs again."""
        body = {"dry_run": False, "dag_run_id": run, "task_ids": [task], "only_failed": False, "reset_dag_runs": True}
        self.call("POST", f"/dags/{dag}/clearTaskInstances", body)

    def set_state(self, dag: str, run: str, task: str, state: str) -> None:
        """The menu "Mark state as"."""
        self.call("PATCH", f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}", {"new_state": state})

    def _ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - what Airflow answers
        request = urllib.request.Request(
            f"{self.airflow.api_url}{urllib.parse.quote(path, safe='/?&=')}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json", "accept": "application/json"},
            method=method,
        )
        if self.token:
            request.add_header("authorization", f"Bearer {self.token}")
        try:
            return json.loads(servers.ask(request, 120) or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error
