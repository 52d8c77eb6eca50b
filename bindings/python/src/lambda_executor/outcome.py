"""What became of a task, as a future tells it: what it returned, or one exception for each way to end."""

from __future__ import annotations

import concurrent.futures
from typing import NamedTuple

from .event import Event

#: Of the output, in the text of an exception. All of it is in the attribute.
_LAST_LINES = 8


class Completed(NamedTuple):
    """A command that ended with return code 0."""

    key: str
    return_code: int
    output: str  #: the last part of what it printed
    value: bytes  #: what it wrote to the file named in LAMBDA_EXECUTOR_RESULT_FILE
    event: Event

    def __repr__(self) -> str:
        # Without the event, which has all of it once more.
        told = (f"{name}={value!r}" for name, value in zip(self._fields[:-1], self))
        return f"Completed({', '.join(told)})"


class TaskError(Exception):
    """A task that did not succeed. Its text says why, and ends with the last lines of the output."""

    def __init__(self, event: Event, note: str = "") -> None:
        super().__init__(event, note)
        self.event = event
        #: What the pool has to add, or "".
        self.note = note

    @property
    def key(self) -> str:
        return self.event.key

    @property
    def reason(self) -> str:
        """As in the header, in lower case: "exit", "timeout", "dead_letter"."""
        return self.event.reason.name.lower()

    @property
    def return_code(self) -> int | None:
        return self.event.return_code

    @property
    def signal(self) -> int:
        """The signal that ended the command, or 0."""
        return self.event.signal

    @property
    def output(self) -> str:
        return self.event.output_tail

    @property
    def message(self) -> str:
        """What the library says about it. May be empty."""
        return self.event.message

    @property
    def request_id(self) -> str:
        return self.event.request_id

    @property
    def log_stream(self) -> str:
        """Where in CloudWatch all of the output is."""
        return self.event.log_stream

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.key!r}: {self.reason}, return code {self.return_code}>"

    def __str__(self) -> str:
        facts = [f"{self.event.state.name.lower()} ({self.reason})"]
        if self.return_code is not None:
            facts.append(f"return code {self.return_code}")
        if self.signal:
            facts.append(f"signal {self.signal}")
        if self.log_stream:
            facts.append(f"log stream {self.log_stream}")
        lines = [f"task {self.key!r}: {', '.join(facts)}"]
        said = [part for part in (self.note, self.message) if part]
        lines += said
        # `lambda_executor.run` prints, too, what it sends back.
        output = [line for line in self.output.splitlines() if not any(map(line.endswith, said))]
        if output:
            lines.append("last output:" if len(output) <= _LAST_LINES else f"last {_LAST_LINES} lines of output:")
            lines += [f"  {line}" for line in output[-_LAST_LINES:]]
        return "\n".join(lines)


class TaskFailed(TaskError):
    """Its return code is not 0, or it could not be run; or it is a function that did not send back what it came to."""


class TaskCancelled(TaskError, concurrent.futures.CancelledError):
    """It was given up after Lambda had accepted it: it may run, or have run."""


class TaskLost(TaskError):
    """Nothing was heard of it (option result_timeout_ms): it may have run."""


class ValueNotSigned(TaskError):
    """What arrived as the value of a function was not made by the call. It has not been unpickled."""


class BrokenPool(concurrent.futures.BrokenExecutor):
    """The pool has no executor any more. What Lambda has accepted runs on there; `adopt` it with another pool."""
