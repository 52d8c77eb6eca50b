from datetime import UTC, datetime

from airflow.sdk import dag, task


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
def live_success() -> None:
    @task
    def answer() -> int:
        print("the answer is", 6 * 7)
        return 42

    @task
    def check(value: int) -> None:
        assert value == 42
        print("the value arrived")

    check(answer())


live_success()
