"""200 mapped tasks."""

import runs
from conftest import Live

TASKS = 200


def test_200_mapped_tasks_run_once_each(live: Live) -> None:
    live.web.trigger("live_mapped", "many", {"tasks": TASKS})
    assert runs.wait_for_run(live.airflow, "live_mapped", "many", 3600) == "success"
    mapped = [task for task in runs.tasks(live.airflow, "live_mapped", "many") if task.task == "count_run"]
    assert [(task.map_index, task.state) for task in mapped] == [(index, "success") for index in range(TASKS)]
    files = live.airflow.scratch / "many"
    assert {file.name: len(file.read_text().split()) for file in files.iterdir()} == dict.fromkeys(
        map(str, range(TASKS)), 1
    )
