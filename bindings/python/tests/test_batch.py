"""Acknowledgement: an event that was not acknowledged is handed out again."""

from __future__ import annotations

import gc
import pickle
import select
import threading
from collections.abc import Callable

import pytest
from conftest import BUILTIN

import lambda_executor.batch as batch_module
from lambda_executor import Batch, ClosedError, Event, Executor, InvalidArgumentError, Task


def seqs(events: object) -> list[int]:
    return [event.seq for event in events]  # type: ignore[attr-defined]


@pytest.fixture
def drained(builtin: Executor) -> Executor:
    """An executor with ten waiting events, of five finished tasks."""
    builtin.queue_many(Task(f"n{i}", ["true"]) for i in range(5))
    assert builtin.drain() == 0
    return builtin


def test_acknowledged_events_do_not_come_again(drained: Executor) -> None:
    batch = drained.sync()
    assert seqs(batch) == list(range(1, 11))
    assert drained.counts().unacknowledged == 10
    batch.ack()
    batch.ack()
    assert drained.counts().unacknowledged == 0
    batch.release()
    with pytest.raises(ClosedError):
        drained.sync()


def test_a_batch_that_goes_unacknowledged_comes_again(drained: Executor) -> None:
    batch = drained.sync()
    assert select.select([drained], [], [], 0)[0] == [drained], "a drain that is over"
    assert drained.counts().waiting_events == 0
    first = batch[0]
    del batch
    gc.collect()
    assert drained.counts().waiting_events == 10
    again = drained.sync()
    assert again[0] == first
    assert seqs(again) == list(range(1, 11))
    again.ack()


def test_single_events_are_acknowledged(drained: Executor) -> None:
    batch = drained.sync()
    drained.ack(batch[0])
    drained.ack(batch[2:5])
    drained.ack([batch[1].seq, 99])
    drained.ack([])
    assert drained.counts().unacknowledged == 5
    batch.release()
    batch.release()
    assert seqs(drained.sync()) == list(range(6, 11))


def test_a_released_batch_is_not_acknowledged(drained: Executor) -> None:
    batch = drained.sync()
    batch.release()
    with pytest.raises(InvalidArgumentError, match="was released"):
        batch.ack()
    # The copies stay.
    assert seqs(batch) == list(range(1, 11))


def test_a_block_releases_what_it_has_not_acknowledged(drained: Executor) -> None:
    def work() -> None:
        with drained.sync() as batch:
            drained.ack(batch[0])
            raise LookupError

    with pytest.raises(LookupError):
        work()
    with drained.sync() as batch:
        assert seqs(batch) == list(range(2, 11))
        batch.ack()
    assert drained.counts().unacknowledged == 0


def test_an_empty_batch(builtin: Executor) -> None:
    batch = builtin.sync()
    assert not batch
    batch.ack()
    batch.release()
    batch.ack()


def test_a_batch_is_sent_elsewhere_as_events(drained: Executor) -> None:
    batch = drained.sync()
    copy = pickle.loads(pickle.dumps(batch))
    assert (type(copy), copy) == (tuple, batch)


def test_a_batch_outlives_its_executor() -> None:
    executor = Executor(BUILTIN)
    executor.queue("one", ["true"])
    executor.wait("one")
    batch = executor.sync()
    executor.close()
    assert batch[0].key == "one"
    with pytest.raises(ClosedError):
        batch.ack()
    batch.release()


def test_threads_acknowledge_and_release_one_batch() -> None:
    """Freeing a batch during a call would crash."""
    with Executor(BUILTIN) as executor:
        for round_ in range(50):
            executor.queue(f"n{round_}", ["true"])
            executor.wait(f"n{round_}")
            batch = executor.sync(None)

            def acknowledge(batch: Batch = batch) -> None:
                try:
                    batch.ack()
                except InvalidArgumentError:
                    return

            calls: list[Callable[[], None]] = [acknowledge, batch.release]
            threads = [threading.Thread(target=call) for call in calls * 3]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            executor.ack(batch)
        assert executor.counts().unacknowledged == 0


def test_the_loop_over_events_acknowledges_what_its_body_has_finished(drained: Executor) -> None:
    for event in drained.events():
        # All events before it.
        assert drained.counts().unacknowledged == 1
        if event.seq == 5:
            break
    # The others wait in the library, and its descriptor is readable.
    assert drained.counts() == (0, 0, 0, 6, 0)
    assert select.select([drained], [], [], 0)[0] == [drained]
    assert seqs(drained.events()) == list(range(5, 11))
    assert drained.counts().unacknowledged == 0


def test_an_exception_in_the_loop_does_not_acknowledge(drained: Executor) -> None:
    def work() -> None:
        for event in drained.events():
            if event.seq == 3:
                raise LookupError

    with pytest.raises(LookupError):
        work()
    assert seqs(drained.events()) == list(range(3, 11))


def test_an_event_acknowledged_in_the_body_does_not_come_again(drained: Executor) -> None:
    for event in drained.events():
        drained.ack(event)
        break
    assert seqs(drained.events()) == list(range(2, 11))


def test_the_loop_that_does_not_wait_acknowledges_the_last_event(builtin: Executor) -> None:
    builtin.queue("one", ["true"])
    builtin.wait("one")
    assert seqs(builtin.events(timeout=0)) == [1, 2]
    assert builtin.counts().unacknowledged == 0


def test_ctrl_c_while_events_are_read_loses_none(drained: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> list[Event]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(batch_module, "read_batch", interrupted)
        for _ in range(2):
            try:
                drained.sync(None, 4)
            except KeyboardInterrupt:
                # Immediately, while the traceback still has the frame of `sync`.
                assert drained.counts().waiting_events == 10
    assert seqs(drained.sync(None, 4)) == [1, 2, 3, 4]


def test_ctrl_c_while_a_batch_is_acknowledged(drained: Executor) -> None:
    """Python runs the handler after the call has returned. The events are acknowledged, and a second call works."""
    library = drained._handle.library

    class Interrupted:
        def lambda_executor_batch_ack(self, batch: object, error: object) -> None:
            library.lambda_executor_batch_ack(batch, error)
            raise KeyboardInterrupt

    batch = drained.sync(None, 4)
    drained._handle.library = Interrupted()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        batch.ack()
    drained._handle.library = library
    batch.ack()
    del batch
    assert seqs(drained.events()) == list(range(5, 11))
