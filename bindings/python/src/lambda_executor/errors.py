"""An exception class for each status that a call can fail with."""

from __future__ import annotations

from typing import Any

from .statuses import Status


class Error(Exception):
    """A call that failed, or that was refused."""

    status: Status = Status.OK
    #: AWS's error code, such as "AccessDeniedException", or a name of this library for what did not reach AWS, such as
    #: "ConnectionFailed". "" if the error does not come from a call to AWS.
    aws_code: str = ""
    #: AWS's id of the failed request, for AWS's support. "" if AWS did not answer.
    request_id: str = ""
    #: The same call may succeed later without a change by the operator.
    retriable: bool = False

    def __init__(self, message: str, status: Status | None = None) -> None:
        super().__init__(message)
        self.message = message
        if status is not None:
            self.status = status

    def __reduce__(self) -> tuple[type[Error], tuple[str, Status], dict[str, Any]]:
        return type(self), (self.message, self.status), self.__dict__


class InvalidArgumentError(Error, ValueError):
    """An argument is wrong; the message says which and how."""

    status = Status.ERR_INVALID_ARGUMENT


class InvalidConfigError(Error, ValueError):
    """The configuration is wrong; the message has a line for each mistake."""

    status = Status.ERR_INVALID_CONFIG


class ClosedError(Error):
    """The executor is closed, or draining and so accepts no more tasks, or drained and has no more events."""

    status = Status.ERR_CLOSED


class ForkedError(Error):
    """The executor belongs to the parent of this process. Create one here."""

    status = Status.ERR_FORKED


class PanicError(Error):
    """A bug in the library. The executor can only be closed; what runs continues and can be adopted by another."""

    status = Status.ERR_PANIC


class CredentialsError(Error):
    """AWS did not accept the credentials, or there are none."""

    status = Status.ERR_CREDENTIALS


class AwsError(Error):
    """AWS could not be reached or refused a call."""

    status = Status.ERR_AWS


class IoError(Error, OSError):
    """The operating system refused a call: threads, descriptors, sockets, memory."""

    status = Status.ERR_IO


class JournalError(Error):
    """The journal cannot be read or written."""

    status = Status.ERR_JOURNAL


class UnsupportedError(Error):
    """Not supported by this version of the library."""

    status = Status.ERR_UNSUPPORTED


class PayloadTooLargeError(Error, ValueError):
    """The task's event is larger than option max_payload_bytes allows."""

    status = Status.ERR_PAYLOAD_TOO_LARGE


class TimedOut(Error, TimeoutError):
    """The timeout passed."""

    status = Status.TIMED_OUT


class QueueFull(Error):
    """As many tasks wait as option max_queued_tasks allows; from `drain`, as many results. Retry after a `sync`."""

    status = Status.QUEUE_FULL


class Duplicate(Error, ValueError):
    """The key belongs to a task that has not finished, or whose final event has not been handed out."""

    status = Status.DUPLICATE


class NotFound(Error, LookupError):
    """There is no such task."""

    status = Status.NOT_FOUND


CLASSES: dict[int, type[Error]] = {
    kind.status: kind
    for kind in (
        InvalidArgumentError,
        InvalidConfigError,
        ClosedError,
        ForkedError,
        PanicError,
        CredentialsError,
        AwsError,
        IoError,
        JournalError,
        UnsupportedError,
        PayloadTooLargeError,
        TimedOut,
        QueueFull,
        Duplicate,
        NotFound,
    )
}


def error(status: int, message: str) -> Error:
    """Creates the exception for a status."""
    return CLASSES.get(status, Error)(message, Status(status))


#: C names in the library's messages, and their Python names. Left in a message, they would mean nothing to its reader.
_WORDS = (
    ("(set argv and argc, or command_json)", "(a list of strings or paths, or one string for the shell)"),
    ("command_json ", "command "),
    ('or one string for the shell, in quotes: "echo hi")', "or one string for the shell)"),
    ("executor_config_json ", "executor_config "),
    ("(allowed: a JSON object, or empty)", "(allowed: a mapping, or None)"),
    ("lambda_executor_new_attempt_id", "new_attempt_id"),
    (
        "(freeing a batch acknowledges nothing; call lambda_executor_batch_ack or lambda_executor_ack)",
        '(nothing is acknowledged without Batch.ack or Executor.ack; for a pool, LambdaPool(acknowledge="manual"))',
    ),
    ("free the executor and create a new one", "close the executor and create another one"),
)


def in_python(message: str) -> str:
    """A message of the library, with Python's names in place of C's."""
    # Only the text after the key is changed: a key is quoted as it is, whatever it contains.
    about, colon, what = message.rpartition("`: ")
    for theirs, ours in _WORDS:
        what = what.replace(theirs, ours)
    return about + colon + what
