"""A run whose tasks end in steps, so that the test controls its duration."""

import runs
from conftest import Live

DAG = "live_gated"


class Gate:
    """The run `name` of `tasks` tasks in `steps` steps; the first step is open."""

    def __init__(self, live: Live, name: str, tasks: int, steps: int) -> None:
        self.live, self.name, self.tasks = live, name, tasks
        self.file = live.airflow.scratch / "gate"
        self.file.write_bytes(b"")
        live.web.trigger(DAG, name, {"tasks": tasks, "steps": steps})

    def open_next(self) -> None:
        with self.file.open("ab") as file:
            file.write(b".")

    def states(self) -> dict[str, int]:
        """Number of tasks in each state."""
        states: dict[str, int] = {}
        for task in runs.tasks(self.live.airflow, DAG, self.name):
            states[task.state or "none"] = states.get(task.state or "none", 0) + 1
        return states

    def runs_of_tasks(self) -> dict[int, int]:
        """Number of runs of each task's code, as counted by the tasks."""
        folder = self.live.airflow.scratch / self.name
        return {int(file.name): len(file.read_text().split()) for file in folder.iterdir()}
