"""Runs tasks on AWS Lambda and tells what became of each: the Python side of lambda-executor."""

from ._library import version as library_version
from .errors import (
    AwsError,
    ClosedError,
    CredentialsError,
    Duplicate,
    Error,
    ForkedError,
    InvalidArgumentError,
    InvalidConfigError,
    IoError,
    JournalError,
    NotFound,
    PanicError,
    PayloadTooLargeError,
    QueueFull,
    TimedOut,
    UnsupportedError,
)
from .event import Event
from .executor import CONFIGURED, Executor
from .future import LambdaFuture
from .outcome import BrokenPool, Completed, TaskCancelled, TaskError, TaskFailed, TaskLost, ValueNotSigned
from .pool import LambdaPool
from .prompt_calls import Counts
from .statuses import Reason, State, Status
from .task import Task

__version__ = "0.2.0"

__all__ = [
    "CONFIGURED",
    "AwsError",
    "BrokenPool",
    "ClosedError",
    "Completed",
    "Counts",
    "CredentialsError",
    "Duplicate",
    "Error",
    "Event",
    "Executor",
    "ForkedError",
    "InvalidArgumentError",
    "InvalidConfigError",
    "IoError",
    "JournalError",
    "LambdaFuture",
    "LambdaPool",
    "NotFound",
    "PanicError",
    "PayloadTooLargeError",
    "QueueFull",
    "Reason",
    "State",
    "Status",
    "Task",
    "TaskCancelled",
    "TaskError",
    "TaskFailed",
    "TaskLost",
    "TimedOut",
    "UnsupportedError",
    "ValueNotSigned",
    "library_version",
]
