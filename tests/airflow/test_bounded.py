"""A heartbeat is short and raises nothing in every state of AWS. Rows A1, A2, B1 to B5."""

from __future__ import annotations

import gc
import json
import time

import pytest
from conftest import Start
from local_aws import LocalAws
from scheduler import Scheduler

# Limit of one call. The goal is 100 ms on an idle machine; benches/airflow_sync.py measures it.
LIMIT_S = 0.4


def longest(scheduler: Scheduler, *keys: object) -> float:
    """Loops until these keys have ended. Returns the CPU time of the longest heartbeat."""
    most = 0.0

    def ended() -> bool:
        nonlocal most
        began = time.thread_time()
        scheduler.executor.heartbeat()
        most = max(most, time.thread_time() - began)
        taken = scheduler.executor.get_event_buffer()
        scheduler.events += [(key, str(getattr(state, "value", state)), info) for key, (state, info) in taken.items()]
        return sum(state in ("success", "failed") for _, state, _ in scheduler.events) >= len(keys)

    scheduler.until(ended, "the end of all")
    return most


def test_many_tasks_and_many_events(scheduler: Scheduler) -> None:
    """A1, A2."""
    keys = [scheduler.queue(f"t{place}") for place in range(1500)]
    gc.collect()
    assert longest(scheduler, *keys) < LIMIT_S
    assert {state for _, state, _ in scheduler.events} <= {"running", "success"}


def test_an_unreachable_aws(aws: LocalAws, scheduler: Scheduler) -> None:
    """B3: measured in wall time, since no call may wait."""
    aws.faults(outages=[{"after_ms": 0, "for_ms": 3000, "kind": "refuse"}])
    keys = [scheduler.queue(f"t{place}") for place in range(20)]
    most = 0.0
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        began = time.monotonic()
        scheduler.executor.heartbeat()
        most = max(most, time.monotonic() - began)
        time.sleep(0.01)
    assert most < LIMIT_S
    assert set(scheduler.until_ended(*keys)) == {"success"}


def test_a_slow_aws(aws: LocalAws, scheduler: Scheduler) -> None:
    aws.faults(latency_ms=1000)
    key = scheduler.queue()
    began = time.monotonic()
    scheduler.executor.heartbeat()
    assert time.monotonic() - began < LIMIT_S
    assert scheduler.until_ended(key) == ["success"]


def test_rejected_credentials(aws: LocalAws, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """B1, B4: the scheduler continues, the task waits and uses no attempt."""
    connection = json.loads(aws.options()["AIRFLOW_CONN_AWS_DEFAULT"])
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({**connection, "password": "wrong"}))
    scheduler = start()
    key = scheduler.queue()
    assert scheduler.executor.library is not None
    library = scheduler.executor.library
    scheduler.until(lambda: "redential" in json.dumps(library.stats()["health"]), "the rejection")
    scheduler.loop()
    assert not scheduler.final(key)
    assert key in scheduler.executor.running
    library.set_credentials(aws.access_key_id, aws.secret_access_key)
    assert scheduler.until_ended(key) == ["success"]


MALFORMED = ["5", "null", "[]", '{"task_key": []}', "{", '{"return_code": 0}', '"text"', ""]


def test_malformed_messages(aws: LocalAws, scheduler: Scheduler) -> None:
    """B2: each is handled by itself."""
    for body in filter(None, MALFORMED):
        aws.send(aws.queue_url, body)
        aws.send(aws.dead_letter_queue_url, body)
    keys = [scheduler.queue(f"t{place}", builtin={"duration_ms": 200}) for place in range(10)]
    assert set(scheduler.until_ended(*keys)) == {"success"}


def test_duplicate_results_are_one_event(scheduler: Scheduler) -> None:
    """B5."""
    keys = [scheduler.queue(f"t{place}", builtin={"duplicate": True}) for place in range(20)]
    scheduler.until_ended(*keys)
    for _ in range(20):
        scheduler.loop()
        time.sleep(0.01)
    assert sum(state == "success" for _, state, _ in scheduler.events) == 20


def test_results_of_another_scheduler_stay(aws: LocalAws, start: Start) -> None:
    """A3: two schedulers on one queue."""
    one, two = start(), start()
    ones = [one.queue(f"one {place}") for place in range(20)]
    twos = [two.queue(f"two {place}") for place in range(20)]
    two.executor.heartbeat()
    assert set(one.until_ended(*ones)) == {"success"}
    assert set(two.until_ended(*twos)) == {"success"}


def test_a_bug_in_one_event_does_not_hold_up_the_others(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch, caught: list[str]
) -> None:
    from lambda_executor.airflow import outcomes

    def broken(event: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(outcomes, "failure", broken)
    bad = scheduler.queue("bad", builtin={"return_code": 1})
    scheduler.until(lambda: caught, "the failed event")
    monkeypatch.undo()
    assert "a bug" in caught[0]
    caught.clear()
    good = scheduler.queue("good")
    assert scheduler.until_ended(good) == ["success"]
    assert not scheduler.final(bad)


def test_a_failing_heartbeat_raises_nothing(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch, caught: list[str]
) -> None:
    monkeypatch.setattr(type(scheduler.executor), "_process_workloads", lambda *_: 1 / 0)
    monkeypatch.setattr(type(scheduler.executor), "execute_async", lambda *_, **__: 1 / 0)
    scheduler.queue()
    scheduler.executor.heartbeat()
    assert "division" in caught.pop()
