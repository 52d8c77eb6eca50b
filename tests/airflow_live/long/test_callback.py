"""A callback of a missed deadline runs on Lambda."""

import runs
import servers
from conftest import Live


def test_a_callback_runs(live: Live) -> None:
    assert live.run("live_callback") == "success"
    assert (live.airflow.scratch / "callback").read_text() == "the deadline was missed"

    def ended() -> str | None:
        [[state]] = live.airflow.database.query("select state from callback")
        return state if state in runs.FINAL else None

    assert servers.until("the callback ends", ended, 120) == "success"
