"""A deferred task resumes while the process of its first dispatch still runs."""

import runs
import servers
from conftest import Live


def test_a_task_resumes_while_its_first_dispatch_runs(live: Live) -> None:
    airflow = live.airflow
    notes, held, hold = (airflow.scratch / name for name in ("deferrable.held", "held", "hold"))
    # The function delays the end of the first dispatch until the task has resumed.
    hold.write_text(str(notes))
    live.web.trigger("live_deferrable", "held")
    runs.wait_for_file(airflow, "live_deferrable", "held", held / "by")
    servers.until(
        "the task resumed",
        lambda: notes.read_text().split() == ["deferred", "resumed"] or None,
        runs.PATIENCE_S,
        runs.PROBE_S,
    )
    # The first dispatch reports during or after the second one. That must have no effect.
    hold.unlink()
    assert runs.wait_for_run(airflow, "live_deferrable", "held") == "success"
    servers.until("no event is left", lambda: _queues_empty(live) or None, runs.PATIENCE_S, runs.PROBE_S)
    airflow.check_alive()
    task = runs.task(airflow, "live_deferrable", "held", "defers")
    assert (task.state, task.try_number) == ("success", 1)
    assert notes.read_text().split() == ["deferred", "resumed"]
    assert "resumed by the triggerer" in live.web.log("live_deferrable", "held", "defers", 1)
    assert not [event for event, *_ in runs.events(airflow, "live_deferrable", "held") if "mismatch" in event]


def _queues_empty(live: Live) -> bool:
    """Each result was received and acknowledged."""
    sqs = live.airflow.aws.sqs()
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = sqs.get_queue_attributes(QueueUrl=live.airflow.aws.queue_url, AttributeNames=names)["Attributes"]  # type: ignore[arg-type]
    return not any(int(count) for count in counts.values())
