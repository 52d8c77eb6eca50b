"""Results of a pool's tasks: the value of a command, and an exception class for each other way to end."""

from __future__ import annotations

import concurrent.futures
from typing import Any, Callable, NamedTuple

from .event import Event

#: Lines of the output in the text of an exception. The attribute `output` has all of it.
_LAST_LINES = 8


class _Completed(NamedTuple):
    key: str
    return_code: int
    output: str  #: the last part of what it printed
    value: bytes  #: what it wrote to the file named in LAMBDA_EXECUTOR_RESULT_FILE
    event: Event


class Completed(_Completed):
    """A command that ended with return code 0."""

    _acknowledge: Callable[[], None] | None = None

    @property
    def output_truncated(self) -> bool:
        """`output` is less than all of the output."""
        return self.event.output_truncated

    @property
    def output_length(self) -> int:
        """Length in bytes of all that the command wrote; 0 if not known."""
        return self.event.output_length

    def ack(self) -> None:
        """With LambdaPool(acknowledge="manual"): acknowledges the result, so that it is deleted from its queue. Call it
        when you have stored what you need. Otherwise, and in another process, it does nothing. Raises ClosedError once
        the pool has ended."""
        if self._acknowledge is not None:
            self._acknowledge()

    def __reduce__(self) -> tuple[Any, ...]:
        return Completed, tuple(self)

    def __repr__(self) -> str:
        # Without the event, which repeats the other fields.
        shown = [f"{name}={value!r}" for name, value in zip(self._fields[:-1], self)]
        if self.output_truncated:
            shown.append(f"output_truncated=True, output_length={self.output_length}")
        return f"Completed({', '.join(shown)})"


class TaskError(Exception):
    """A task that did not succeed. Its text says why, and ends with the last lines of the output."""

    def __init__(self, event: Event, note: str = "") -> None:
        super().__init__(event, note)
        self.event = event
        #: Text that the pool adds, or "".
        self.note = note
        self._acknowledge: Callable[[], None] | None = None

    def ack(self) -> None:
        """As Completed.ack."""
        if self._acknowledge is not None:
            self._acknowledge()

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: value for name, value in self.__dict__.items() if name != "_acknowledge"}
        return type(self), self.args, state

    @property
    def key(self) -> str:
        return self.event.key

    @property
    def reason(self) -> str:
        """The header's name of the reason in lower case: "exit", "timeout", "dead_letter"."""
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
    def output_truncated(self) -> bool:
        """`output` is less than all of the output."""
        return self.event.output_truncated

    @property
    def output_length(self) -> int:
        """Length in bytes of all that the command wrote; 0 if not known."""
        return self.event.output_length

    @property
    def value(self) -> bytes:
        """What the command wrote to the file named in LAMBDA_EXECUTOR_RESULT_FILE, also when it failed."""
        return self.event.value

    @property
    def value_dropped(self) -> bool:
        """The command wrote a result file that could not be sent."""
        return self.event.value_dropped

    @property
    def message(self) -> str:
        """The library's message. May be empty."""
        # With Python's names of options; the event keeps the library's text.
        return self.event.message.replace("its max_wait_ms", "its max_wait")

    @property
    def request_id(self) -> str:
        return self.event.request_id

    @property
    def log_stream(self) -> str:
        """CloudWatch log stream that has all of the output."""
        return self.event.log_stream

    def __repr__(self) -> str:
        facts = [self.reason]
        if self.return_code is not None:
            facts.append(f"return code {self.return_code}")
        facts += [part.split("\n", 1)[0] for part in (self.note, self.message) if part]
        if self.output and not self.note:
            # The last line is usually the reason.
            facts.append(f"last output {self.output.splitlines()[-1]!r}")
        return f"<{type(self).__name__} {self.key!r}: {', '.join(facts)}>"

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
        if self.value_dropped and "value" not in self.message:
            lines.append("its result file could not be sent")
        output = self._output_beyond(said)
        if output:
            lines.append("last output:" if len(output) <= _LAST_LINES else f"last {_LAST_LINES} lines of output:")
            lines += [f"  {line}" for line in output[-_LAST_LINES:]]
        if self.output_truncated:
            kept = len(self.output.encode())
            lines.append(f"output was cut: {kept:,} of {self.output_length:,} bytes (log stream: all of it)")
        return "\n".join(lines)

    def _output_beyond(self, said: list[str]) -> list[str]:
        """Lines of the output, without the text of the note, which `lambda_executor.run` also prints. It prints to
        stderr and the function perhaps to stdout, so its first line may follow an unfinished line of the function."""
        output = self.output
        for part in said:
            for paragraph in part.rstrip("\n").split("\n\n"):
                if "\n" in paragraph:
                    output = output.replace(paragraph, "", 1)
        lines = output.strip("\n").splitlines()
        known = {line for part in said for line in part.splitlines() if line.strip()}
        if lines and self.output_truncated and any(line.endswith(lines[0]) for line in known):
            # The first line may be the rest of a line that was cut.
            lines = lines[1:]
        return [line for line in lines if line not in known and not any(map(line.endswith, said))]


class TaskFailed(TaskError):
    """Its return code is not 0, or it could not be run; or it is a function that sent no result."""


class TaskCancelled(TaskError, concurrent.futures.CancelledError):
    """It was cancelled after Lambda had accepted it: it may run, or have run."""


class TaskLost(TaskError):
    """No result arrived before its deadline (option result_timeout_ms): it may have run."""


class ValueNotSigned(TaskError):
    """The value that arrived for a function was not signed by its call. It has not been unpickled."""


class BrokenPool(concurrent.futures.BrokenExecutor):
    """The pool has no executor any more. Tasks that Lambda has accepted continue; `adopt` them with another pool."""
