from datetime import datetime, timezone

from airflow.sdk import dag, task


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc))
def live_success():
    @task
    def answer():
        print("the answer is", 6 * 7)
        return 42

    @task
    def check(value):
        assert value == 42
        print("the value arrived")

    check(answer())


live_success()
