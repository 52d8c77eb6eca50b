from datetime import UTC, datetime

from airflow.decorators import dag, task


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
def live_airflow2() -> None:
    @task
    def answer() -> int:
        print("the answer is", 6 * 7)
        return 42

    @task
    def check(value: int) -> None:
        assert value == 42

    check(answer())


live_airflow2()
