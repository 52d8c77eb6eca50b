"""AsyncExecutor: waits in the loop, and loses no event when it is cancelled."""

from __future__ import annotations

import asyncio
import importlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from conftest import BUILTIN
from processes import run

from lambda_executor import ClosedError, State, Task, TimedOut, errors
from lambda_executor.aio import AsyncExecutor


def in_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[str], None]:
    """Runs a test in a loop of its own, asyncio's and that of uvloop, with a deadline for a busy machine."""

    @pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
    def run_test(loop: str) -> None:
        importlib.import_module(loop).run(asyncio.wait_for(test(), 60))

    run_test.__name__, run_test.__doc__ = test.__name__, test.__doc__
    return run_test


@asynccontextmanager
async def started() -> AsyncIterator[AsyncExecutor]:
    async with AsyncExecutor(BUILTIN) as executor:
        yield executor


@in_loop
async def test_events_come_until_it_is_drained() -> None:
    async with started() as executor:
        executor.queue_many(Task(f"n{i}", ["true"], tag=i) for i in range(50))
        assert await executor.drain() == 0
        events = [event async for event in executor.events()]
    assert [event.seq for event in events] == list(range(1, 101))
    assert sorted(event.tag for event in events if event.state is State.SUCCEEDED) == list(range(50))


@in_loop
async def test_waiting_needs_no_thread_and_holds_up_no_other_task() -> None:
    async with started() as executor:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        before = threading.active_count()
        waiting = asyncio.create_task(executor.sync())
        while ticks < 5:
            await asyncio.sleep(0.01)
        assert threading.active_count() == before
        assert not waiting.done()
        assert executor._watched is not None
        executor.queue("one", ["true"])
        assert (await waiting)[0].state is State.RUNNING
        # Events that no coroutine waits for do not keep the loop busy.
        assert executor._watched is None
        ticking.cancel()


@in_loop
async def test_sync_waits_as_long_as_told() -> None:
    async with started() as executor:
        began = time.monotonic()
        assert await executor.sync(0.2) == ()
        assert time.monotonic() - began >= 0.2
        assert await executor.sync(0) == ()


@in_loop
async def test_several_tasks_may_wait_and_each_event_goes_to_one() -> None:
    async with started() as executor:
        seen: list[int] = []

        async def take() -> None:
            seen.extend([event.seq async for event in executor.events()])

        takers = [asyncio.create_task(take()) for _ in range(5)]
        executor.queue_many(Task(f"n{i}", ["true"]) for i in range(100))
        assert await executor.drain() == 0
        await asyncio.gather(*takers)
        assert sorted(seen) == list(range(1, 201))


@in_loop
async def test_cancelling_at_any_moment_loses_no_event() -> None:
    async with started() as executor:
        executor.queue_many(Task(f"n{i}", ["true"]) for i in range(300))
        seen: list[int] = []

        async def take() -> None:
            async for event in executor.events():
                seen.append(event.seq)
                await asyncio.sleep(0)

        cancelled = 0
        while len(set(seen)) < 600:
            taking = asyncio.create_task(take())
            await asyncio.sleep(0.001 * (cancelled % 4))
            cancelled += taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
        assert cancelled > 3
        # The event of a cancelled body was handed out again.
        assert sorted(set(seen)) == list(range(1, 601))
        assert len(seen) <= 600 + cancelled


@in_loop
async def test_wait_for_loses_no_event() -> None:
    async with started() as executor:
        executor.queue_many(
            Task(f"n{i}", ["true"], executor_config={"builtin": {"duration_ms": i}}) for i in range(200)
        )
        seen: list[int] = []
        while len(seen) < 400:
            try:
                batch = await asyncio.wait_for(executor.sync(), 0.002)
                batch.ack()
                seen += [event.seq for event in batch]
            except asyncio.TimeoutError:
                continue
        assert seen == list(range(1, 401))


@in_loop
async def test_leaving_the_loop_over_events_loses_none() -> None:
    async with started() as executor:
        executor.queue_many(Task(f"n{i}", ["true"]) for i in range(5))
        await executor.drain()
        async for event in executor.events():
            assert event.seq == 1
            break
        assert executor.counts().unacknowledged == 0
        # The body has not finished this event.
        assert [event.seq async for event in executor.events()] == list(range(1, 11))


@in_loop
async def test_an_exception_in_the_loop_over_events_does_not_acknowledge() -> None:
    async with started() as executor:
        executor.queue("one", ["true"])
        await executor.drain()

        async def work() -> None:
            async for event in executor.events():
                if event.state.final:
                    raise LookupError

        with pytest.raises(LookupError):
            await work()
        assert executor.counts().waiting_events == 1
        assert [event.seq async for event in executor.events()] == [2]
        assert executor.counts().unacknowledged == 0


@in_loop
async def test_other_coroutines_get_a_turn_while_events_wait() -> None:
    async with started() as executor:
        executor.queue_many(Task(f"n{i}", ["true"]) for i in range(200))
        await executor.drain()
        turns = 0

        async def take_turns() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        other = asyncio.create_task(take_turns())
        assert len([event async for event in executor.events()]) == 400
        assert turns >= 3
        other.cancel()


@in_loop
async def test_other_coroutines_get_a_turn_before_each_batch() -> None:
    async with started() as executor:
        executor.queue_many(Task(f"n{i}", ["true"]) for i in range(200))
        await executor.drain()
        turns = 0

        async def take_turns() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        other = asyncio.create_task(take_turns())
        for batches in range(1, 40):
            batch = await executor.sync(max_events=10)
            batch.ack()
            assert len(batch) == 10
            assert turns >= batches
        other.cancel()


@in_loop
async def test_waiting_for_one_task() -> None:
    async with started() as executor:
        executor.queue("slow", ["true"], executor_config={"builtin": {"duration_ms": 60_000}})
        executor.queue("one", ["true"])
        assert await executor.wait("one") is State.SUCCEEDED
        assert not (await executor.wait("slow", 0.1)).final


@in_loop
async def test_stopping_ends_waits_and_answers_until_it_is_closed() -> None:
    async with started() as executor:
        executor.queue("one", ["true"])
        await executor.wait("one")
        batch = await executor.sync()
        waiting = asyncio.create_task(executor.sync())
        await asyncio.sleep(0)
        executor.stop()
        with pytest.raises(ClosedError):
            await waiting
        batch.ack()
        assert executor.counts().unacknowledged == 0
        assert await executor.close() == 0


@in_loop
async def test_drain_and_health_wait_beside_the_loop() -> None:
    async with started() as executor:
        await executor.check_health(60)
        executor.queue("slow", ["true"], executor_config={"builtin": {"duration_ms": 60_000}})
        await executor.sync()
        assert await executor.drain(timeout=0.1) == 1
        draining = asyncio.create_task(executor.drain(timeout=None))
        await asyncio.sleep(0)
        draining.cancel()
        with pytest.raises(asyncio.CancelledError):
            await draining
        executor.cancel("slow")
        assert await executor.drain(timeout=60) == 0


@in_loop
async def test_a_drain_that_is_cancelled_holds_no_thread() -> None:
    async with started() as executor:
        executor.queue("slow", ["true"], executor_config={"builtin": {"duration_ms": 60_000}})
        other = asyncio.create_task(executor.drain())
        for _ in range(3):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(executor.drain(), 0.05)
        deadline = time.monotonic() + 30
        while len(executor._handle._calls) > 1:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        assert not other.done()
        executor.cancel("slow")
        assert await other == 0


@in_loop
async def test_health_that_is_not_known_in_time() -> None:
    silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    config = {
        "function_name": "f",
        "queue_url": f"{url}/1/q",
        "dead_letter_queue_url": f"{url}/1/d",
        "region_name": "us-east-1",
        "endpoint_url": url,
        "credentials": {"access_key_id": "AKID", "secret_access_key": "s"},
        "shutdown_grace_ms": 0,
    }
    async with AsyncExecutor(config, logger=None) as executor:
        with pytest.raises(TimedOut):
            await executor.check_health(0.2)
    silent.close()


@in_loop
async def test_closing_ends_the_waits_of_other_tasks() -> None:
    executor = AsyncExecutor(BUILTIN)
    waiting = [asyncio.create_task(executor.sync()) for _ in range(3)]
    ended = asyncio.create_task(anext_of(executor))
    await asyncio.sleep(0)
    await executor.close()
    for task in waiting:
        with pytest.raises(ClosedError):
            await task
    assert await ended == []
    with pytest.raises(errors.ClosedError):
        await executor.sync()


async def anext_of(executor: AsyncExecutor) -> list[int]:
    return [event.seq async for event in executor.events()]


@in_loop
async def test_an_exception_in_the_block_comes_through() -> None:
    async def leave() -> None:
        async with started() as executor:
            executor.queue("one", ["true"])
            raise LookupError

    with pytest.raises(LookupError):
        await leave()


def test_ctrl_c_ends_the_program_at_once(python: str) -> None:
    source = """
import asyncio
from lambda_executor.aio import AsyncExecutor

async def main():
    async with AsyncExecutor(BUILTIN) as executor:
        queue(executor, "slow", 60_000)
        await executor.sync()
        asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGINT)
        await executor.sync()

began = time.monotonic()
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
assert time.monotonic() - began < 10
"""
    assert run(source, python) == "interrupted\n"


def test_a_loop_that_ends_while_it_is_open(python: str) -> None:
    source = """
import asyncio
from lambda_executor.aio import AsyncExecutor

async def main():
    global executor
    executor = AsyncExecutor(BUILTIN)
    waiting = asyncio.create_task(executor.sync())
    await asyncio.sleep(0)
asyncio.run(main())
print("done")
"""
    assert run(source, python) == "done\n"
