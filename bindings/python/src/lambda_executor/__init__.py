"""Runs tasks on AWS Lambda and reports their results: the Python side of lambda-executor."""

from ._library import version as library_version
from .batch import Batch
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
from .executor import CONFIGURED, Executor, new_attempt_id
from .future import LambdaFuture
from .outcome import BrokenPool, Completed, TaskCancelled, TaskError, TaskFailed, TaskLost, ValueNotSigned
from .pool import LambdaPool
from .prompt_calls import Counts, Statuses
from .statuses import Reason, State, Status
from .summary import Summary
from .task import Task
from .waiting import as_completed, wait

__version__ = "0.2.0"

__all__ = [
    "CONFIGURED",
    "AwsError",
    "Batch",
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
    "Statuses",
    "Summary",
    "Task",
    "TaskCancelled",
    "TaskError",
    "TaskFailed",
    "TaskLost",
    "TimedOut",
    "UnsupportedError",
    "ValueNotSigned",
    "as_completed",
    "library_version",
    "new_attempt_id",
    "wait",
]
