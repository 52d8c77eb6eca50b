"""The library from Python: one thread queues the tasks, takes their events and acknowledges them.

Only the time inside queue, sync and ack counts as blocked: between them the thread waits for the library's descriptor.
"""

from __future__ import annotations

import select
import time

from lambda_executor import Executor, State
from measured import Measured, job

#: Tasks queued between two polls for events.
AT_ONCE = 1_000


def main() -> None:
    asked = job()
    tasks, rate, command = asked["tasks"], asked["rate"], asked["command"]
    measured = Measured(asked["limit_s"])
    executor = Executor(asked["config"], logger=None)
    executor.check_health(60)
    wakeup = select.poll()
    wakeup.register(executor.fileno(), select.POLLIN)

    measured.begin()
    queued = 0
    while measured.ended < tasks and not measured.over():
        elapsed = measured.elapsed()
        due = min(tasks, int(elapsed * rate) + 1 if rate else queued + AT_ONCE)
        while queued < due:
            began = time.perf_counter()
            executor.queue(f"bench/{queued:07}", command)
            measured.blocked_since(began)
            queued += 1
        wait_s = asked["limit_s"] - elapsed
        if queued < tasks:
            wait_s = queued / rate - measured.elapsed() if rate else 0.0
        if not wakeup.poll(max(0.0, wait_s * 1000)):
            continue
        began = time.perf_counter()
        batch = executor.sync(0)
        measured.blocked_since(began)
        now = time.time()
        for event in batch:
            if not event.state.final:
                continue
            if event.state is not State.SUCCEEDED:
                measured.failed += 1
                continue
            measured.done += 1
            measured.start_ms.append(((event.started_at or 0.0) - (event.queued_at or 0.0)) * 1000)
            measured.event_ms.append((now - (event.finished_at or 0.0)) * 1000)
        began = time.perf_counter()
        batch.ack()
        measured.blocked_since(began)
    measured.stop()
    # Deletes what was acknowledged: part of the CPU time.
    executor.close()
    measured.report()


if __name__ == "__main__":
    main()
