"""Acknowledges a result after the scheduler has processed its event.

`sync` puts an event into the event buffer. The scheduler takes the buffer and writes to its database; an exception
meanwhile ends the scheduler. So the next heartbeat shows that the events were processed. A result that is not
acknowledged returns to its queue, for the scheduler that adopts the task.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable

from lambda_executor import Batch, Executor


class Acknowledgements:
    def __init__(self, library: Executor) -> None:
        self._library = library
        # Batches of events that are not acknowledged. The library hands out events again when their batch is freed.
        self._batches: dict[int, Batch] = {}
        self._in_buffer: dict[Hashable, list[int]] = {}
        self._handed_over: dict[Hashable, list[int]] = {}

    def __len__(self) -> int:
        return len(self._batches)

    def hold(self, batch: Batch) -> None:
        """Keeps the events of a batch until they are acknowledged."""
        for event in batch:
            self._batches[event.seq] = batch

    def buffered(self, key: Hashable, seq: int) -> None:
        """The event of a key was put into the event buffer."""
        self._in_buffer.setdefault(key, []).append(seq)

    def handed_over(self, keys: Iterable[Hashable]) -> None:
        """The scheduler has taken the events of these keys."""
        for key in keys:
            seqs = self._in_buffer.pop(key, None)
            if seqs:
                self._handed_over.setdefault(key, []).extend(seqs)

    def dropped(self, key: Hashable) -> None:
        """The event of a key was removed from the buffer. The scheduler does not need it any more."""
        self.acknowledge(self._in_buffer.pop(key, []))

    def processed(self, event_buffer: Container[Hashable]) -> None:
        """The next heartbeat: events were processed, except those that are in the buffer again. The scheduler puts
        events back if another transaction has locked their rows."""
        seqs: list[int] = []
        handed_over, self._handed_over = self._handed_over, {}
        for key, of_key in handed_over.items():
            if key in event_buffer:
                self._in_buffer[key] = of_key + self._in_buffer.get(key, [])
            else:
                seqs += of_key
        self.acknowledge(seqs)

    def acknowledge(self, seqs: list[int]) -> None:
        if seqs:
            self._library.ack(seqs)
            for seq in seqs:
                self._batches.pop(seq, None)
