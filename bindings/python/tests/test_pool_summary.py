"""The summary of a pool."""

from __future__ import annotations

import pytest
from pool_support import DEADLINE, Gate, builtin, local, wait_until_running

from lambda_executor import Duplicate, Executor, LambdaPool, Reason, State, Summary


def test_the_ends_of_all_tasks_are_counted(gate: Gate) -> None:
    with LambdaPool(local(concurrency=3), max_workers=3) as pool:
        assert pool.summary() == (0, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0)
        for future in [pool.submit("true") for _ in range(3)]:
            future.result(DEADLINE)
        pool.options(retries=2).submit("sleep 0.1; exit 3").exception(DEADLINE)
        holds = [pool.submit(gate.command()) for _ in range(3)]
        for future in holds:
            wait_until_running(future)
        assert pool.submit("true").cancel()
        with pytest.raises(Duplicate):
            pool.options(key=holds[0].key).submit("true")
        assert holds[1].abandon()
        holds[1].exception(DEADLINE)
        summary = pool.summary()
        assert summary[:6] == (8, 3, 1, 2, 0, 2)
        assert summary.unfinished == 2
        gate.open()
    assert pool.summary()[:6] == (8, 5, 1, 2, 0, 2)
    assert pool.summary().unfinished == 0


def test_a_lost_task_is_counted() -> None:
    # Constructed, as in test_a_task_that_is_lost: the library reports LOST after 40 s.
    with LambdaPool(builtin()) as pool:
        silent = pool.options(executor_config={"builtin": {"duration_ms": 600_000}}).submit("true")
        wait_until_running(silent)
        done = pool.submit("true").result(DEADLINE).event
        pool._loop._take(done._replace(tag=silent._tag, key=silent.key, state=State.LOST, reason=Reason.LOST), ())
        assert (pool.summary().lost, pool.summary().succeeded) == (1, 1)


def test_times_and_cost_are_known_after_the_end() -> None:
    with LambdaPool(local()) as pool:
        for future in [pool.submit("sleep 0.3") for _ in range(2)]:
            future.result(DEADLINE)
        cost = pool.executor.stats()["cost_estimate_usd"]["total"]
        pool.submit("true").result(DEADLINE)
    summary = pool.summary()
    assert summary.run_seconds >= 0.6
    assert summary.seconds >= 0.3
    # Three Invokes, at the list price of 0.20 US dollars a million, and some calls to SQS.
    assert cost >= 2 * 0.2e-6
    assert summary.cost_usd >= cost + 0.2e-6
    # The pool has ended, so the summary does not change any more.
    assert pool.summary() == summary


def test_the_cost_of_an_executor_of_ones_own_counts_from_the_start_of_the_pool() -> None:
    with Executor(builtin()) as executor:
        with LambdaPool(executor) as pool:
            pool.submit("true").result(DEADLINE)
        first = pool.summary().cost_usd
        assert first > 0
        with LambdaPool(executor) as pool:
            assert pool.summary().cost_usd < first
            assert pool.options(timeout=1).summary().submitted == 0


def test_a_summary_is_a_line_for_people() -> None:
    one = Summary(1, 1, 0, 0, 0, 0, 0.25, 0.2, 1e-6)
    many = Summary(1200, 1189, 3, 2, 1, 1, 61.04, 3600.0, 0.0123)
    assert str(one) == "1 task in 0.2 s: 1 succeeded; 0.2 s of run time; AWS calls: $0.000001"
    assert str(many) == (
        "1,200 tasks in 61.0 s: 1,189 succeeded, 3 failed, 2 cancelled, 1 lost, 5 unfinished, 1 retry; "
        "3,600.0 s of run time; AWS calls: $0.012300"
    )
    assert str(Summary(0, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0)) == "0 tasks in 0.0 s; 0.0 s of run time; AWS calls: $0.000000"
