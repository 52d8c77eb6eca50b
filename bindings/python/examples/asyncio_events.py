"""Runs commands from an asyncio program, which does other work meanwhile in the same thread.

python asyncio_events.py [COMMAND]...
"""

from __future__ import annotations

import asyncio
import os
import sys

from lambda_executor.aio import AsyncExecutor


async def tick(seconds: float) -> None:
    """Stands for the program's other work."""
    beats = 0
    try:
        while True:
            await asyncio.sleep(seconds)
            beats += 1
    finally:
        print(f"{'some' if beats else 'no'} other work was done meanwhile")


async def main(commands: list[str]) -> int:
    config = os.environ.get("LAMBDA_EXECUTOR_CONFIG", '{"local": {}}')
    other_work = asyncio.create_task(tick(0.01))
    failed = 0
    async with AsyncExecutor(config) as executor:
        await executor.check_health(timeout=30)
        for number, command in enumerate(commands):
            executor.queue(f"task {number}", command)
        unfinished = len(commands)
        async for event in executor.events():
            print(f"{event.key}: {event.state.name.lower()} {event.output_tail.strip()}".rstrip())
            if event.state.final:
                unfinished -= 1
                failed += event.return_code != 0
            if not unfinished:
                # The loop acknowledges an event when it takes the next one.
                executor.ack(event)
                break
    other_work.cancel()
    await asyncio.gather(other_work, return_exceptions=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:] or ["sleep 0.2; echo one", "echo two"])))
