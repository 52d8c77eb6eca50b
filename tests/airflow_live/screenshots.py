"""Writes docs/images/airflow-*.png: screenshots of runs on the executor in Airflow's web interface.

make airflow-screenshots
"""

import tempfile
import time
from pathlib import Path

import browser
import deployment
import runs
import servers
import web

IMAGES = servers.ROOT / "docs" / "images"
# A name, the page, and a text that the page has when it is loaded.
PAGES = (
    ("mapped", "/dags/live_mapped/runs/shown/tasks/count_run/mapped", "success"),
    ("retry", "/dags/live_retry/runs/shown", "fails_once"),
    ("log", "/dags/live_success/runs/shown/tasks/answer", "the answer is 42"),
)


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="lambda-executor-screenshots-") as folder,
        deployment.deployment(Path(folder) / "live") as airflow,
    ):
        served = web.Web(airflow)
        dags = ["live_success", "live_retry", "live_mapped"]
        served.wait_until_ready(dags)
        for dag in dags:
            served.trigger(dag, "shown", {"tasks": 20})
        for dag in dags:
            runs.wait_for_run(airflow, dag, "shown")
        with browser.browser(Path(folder), 1280, 800) as shown:
            take(airflow, shown)


def take(airflow: deployment.Deployment, shown: browser.Browser) -> None:
    IMAGES.mkdir(exist_ok=True)
    # Log in: all users are administrators, so no password is needed.
    shown.open(f"{airflow.api_url}/auth/token/login")
    for name, page, text in PAGES:
        shown.open(f"{airflow.api_url}{page}")

        def loaded(text: str = text) -> bool | None:
            return text in shown.text() or None

        servers.until(f"{page} shows {text!r}", loaded, runs.PATIENCE_S, runs.PROBE_S)
        # Wait for the end of animations; the page has no condition for it.
        time.sleep(2)
        shown.screenshot(IMAGES / f"airflow-{name}.png")
        print(f"docs/images/airflow-{name}.png")


if __name__ == "__main__":
    main()
