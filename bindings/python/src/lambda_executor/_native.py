"""The C API as ctypes sees it. Generated from include/lambda_executor.h by generate.py: do not edit."""

from __future__ import annotations

import ctypes
from typing import Any

VERSION = 2000
ABI_VERSION = 1
OK = 0
TIMED_OUT = 1
INTERRUPTED = 2
QUEUE_FULL = 3
DUPLICATE = 4
NOT_FOUND = 5
BUFFER_TOO_SMALL = 6
PARTIAL = 7
ERR_INVALID_ARGUMENT = -1
ERR_INVALID_CONFIG = -2
ERR_CLOSED = -3
ERR_FORKED = -4
ERR_PANIC = -5
ERR_CREDENTIALS = -6
ERR_AWS = -7
ERR_IO = -8
ERR_JOURNAL = -9
ERR_UNSUPPORTED = -10
ERR_PAYLOAD_TOO_LARGE = -11
NUL = ctypes.c_size_t(-1).value
TASK_UNKNOWN = 0
TASK_QUEUED = 1
TASK_SUBMITTING = 2
TASK_RUNNING = 3
TASK_SUCCEEDED = 4
TASK_FAILED = 5
TASK_CANCELLED = 6
TASK_LOST = 7
REASON_NONE = 0
REASON_EXIT = 1
REASON_SIGNAL = 2
REASON_TIMEOUT = 3
REASON_EXPIRED = 4
REASON_DEAD_LETTER = 5
REASON_INVOKE_FAILED = 6
REASON_LOST = 7
REASON_NEVER_INVOKED = 8
REASON_ABANDONED = 9
REASON_SETUP_FAILED = 10
REASON_BAD_EVENT = 11
REASON_REPLY_TO_REFUSED = 12
REASON_BAD_RESULT = 13
REASON_VALUE_TOO_LARGE = 14
MAX_KEY_BYTES = 8192
MAX_BATCH = 1000000
ATTEMPT_ID_SIZE = 37
MAX_VALUE_BYTES = 180000
MAX_OUTPUT_TAIL_BYTES = 65536
MAX_TEXT_BYTES = 1048576
DEFAULT_EVENTS = 10000
DRAIN_FINISH = 0
DRAIN_CANCEL_QUEUED = 1
TIMEOUT_CONFIGURED = -2
LOG_OFF = 0
LOG_ERROR = 1
LOG_WARN = 2
LOG_INFO = 3
LOG_DEBUG = 4
LOG_TRACE = 5


class Str(ctypes.Structure):
    ptr: bytes | None
    len: int
    _fields_ = [
        ("ptr", ctypes.c_char_p),
        ("len", ctypes.c_size_t),
    ]


class Task(ctypes.Structure):
    struct_size: int
    flags: int
    tag: int
    key: Str
    argv: Any
    argc: int
    command_json: Str
    executor_config_json: Str
    queue: Str
    timeout_ms: int
    max_wait_ms: int
    result_timeout_ms: int
    attempt_id: Str
    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("tag", ctypes.c_uint64),
        ("key", Str),
        ("argv", ctypes.POINTER(ctypes.c_char_p)),
        ("argc", ctypes.c_size_t),
        ("command_json", Str),
        ("executor_config_json", Str),
        ("queue", Str),
        ("timeout_ms", ctypes.c_int64),
        ("max_wait_ms", ctypes.c_int64),
        ("result_timeout_ms", ctypes.c_int64),
        ("attempt_id", Str),
    ]


class Event(ctypes.Structure):
    seq: int
    tag: int
    key: Str
    state: int
    reason: int
    has_return_code: int
    return_code: int
    signal: int
    attempts: int
    queued_at_ms: int
    submitted_at_ms: int
    started_at_ms: int
    finished_at_ms: int
    message: Str
    output_tail: Str
    value: Str
    request_id: Str
    log_stream: Str
    attempt_id: Str
    output_length: int
    output_truncated: int
    value_dropped: int
    _fields_ = [
        ("seq", ctypes.c_uint64),
        ("tag", ctypes.c_uint64),
        ("key", Str),
        ("state", ctypes.c_int32),
        ("reason", ctypes.c_int32),
        ("has_return_code", ctypes.c_int32),
        ("return_code", ctypes.c_int32),
        ("signal", ctypes.c_int32),
        ("attempts", ctypes.c_uint32),
        ("queued_at_ms", ctypes.c_int64),
        ("submitted_at_ms", ctypes.c_int64),
        ("started_at_ms", ctypes.c_int64),
        ("finished_at_ms", ctypes.c_int64),
        ("message", Str),
        ("output_tail", Str),
        ("value", Str),
        ("request_id", Str),
        ("log_stream", Str),
        ("attempt_id", Str),
        ("output_length", ctypes.c_uint64),
        ("output_truncated", ctypes.c_int32),
        ("value_dropped", ctypes.c_int32),
    ]


class Counts(ctypes.Structure):
    struct_size: int
    reserved: int
    queued: int
    submitting: int
    running: int
    waiting_events: int
    unacknowledged: int
    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("queued", ctypes.c_uint64),
        ("submitting", ctypes.c_uint64),
        ("running", ctypes.c_uint64),
        ("waiting_events", ctypes.c_uint64),
        ("unacknowledged", ctypes.c_uint64),
    ]


class LogRecord(ctypes.Structure):
    struct_size: int
    level: int
    time_ms: int
    target: Str
    message: Str
    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("level", ctypes.c_int32),
        ("time_ms", ctypes.c_int64),
        ("target", Str),
        ("message", Str),
    ]


LogCallback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(LogRecord))

# Name: type of the result, types of the parameters.
FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "lambda_executor_version": (
        ctypes.c_uint32,
        [],
    ),
    "lambda_executor_version_string": (
        ctypes.c_char_p,
        [],
    ),
    "lambda_executor_abi_version": (
        ctypes.c_uint32,
        [],
    ),
    "lambda_executor_status_name": (
        ctypes.c_char_p,
        [
            ctypes.c_int32,
        ],
    ),
    "lambda_executor_status_string": (
        ctypes.c_char_p,
        [
            ctypes.c_int32,
        ],
    ),
    "lambda_executor_error_status": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
        ],
    ),
    "lambda_executor_error_message": (
        Str,
        [
            ctypes.c_void_p,
        ],
    ),
    "lambda_executor_error_cstr": (
        ctypes.c_char_p,
        [
            ctypes.c_void_p,
        ],
    ),
    "lambda_executor_error_aws_code": (
        ctypes.c_char_p,
        [
            ctypes.c_void_p,
        ],
    ),
    "lambda_executor_error_request_id": (
        ctypes.c_char_p,
        [
            ctypes.c_void_p,
        ],
    ),
    "lambda_executor_error_is_retriable": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
        ],
    ),
    "lambda_executor_error_free": (
        None,
        [
            ctypes.c_void_p,
        ],
    ),
    "lambda_executor_config_schema": (
        ctypes.c_char_p,
        [],
    ),
    "lambda_executor_create": (
        ctypes.c_int32,
        [
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.POINTER(ctypes.c_void_p),
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_close": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
        ],
    ),
    "lambda_executor_free": (
        None,
        [
            ctypes.c_void_p,
            ctypes.POINTER(ctypes.c_uint64),
        ],
    ),
    "lambda_executor_task_state_name": (
        ctypes.c_char_p,
        [
            ctypes.c_int32,
        ],
    ),
    "lambda_executor_reason_name": (
        ctypes.c_char_p,
        [
            ctypes.c_int32,
        ],
    ),
    "lambda_executor_state": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.POINTER(ctypes.c_int32),
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_describe": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.POINTER(ctypes.c_size_t),
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_queue": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.POINTER(Task),
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_queue_batch": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.POINTER(Task),
            ctypes.c_size_t,
            ctypes.POINTER(ctypes.c_int32),
            ctypes.POINTER(ctypes.c_size_t),
            ctypes.POINTER(ctypes.c_void_p),
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_new_attempt_id": (
        ctypes.c_int32,
        [
            ctypes.c_char_p,
        ],
    ),
    "lambda_executor_adopt": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.POINTER(Task),
            ctypes.c_size_t,
            ctypes.POINTER(ctypes.c_int32),
            ctypes.POINTER(ctypes.c_void_p),
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_cancel": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.POINTER(Str),
            ctypes.c_size_t,
            ctypes.POINTER(ctypes.c_int32),
            ctypes.POINTER(ctypes.c_void_p),
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_sync": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.c_int64,
            ctypes.c_size_t,
            ctypes.POINTER(ctypes.c_void_p),
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_batch_len": (
        ctypes.c_size_t,
        [
            ctypes.c_void_p,
        ],
    ),
    "lambda_executor_batch_event": (
        ctypes.POINTER(Event),
        [
            ctypes.c_void_p,
            ctypes.c_size_t,
        ],
    ),
    "lambda_executor_batch_events": (
        ctypes.POINTER(Event),
        [
            ctypes.c_void_p,
            ctypes.POINTER(ctypes.c_size_t),
            ctypes.POINTER(ctypes.c_size_t),
        ],
    ),
    "lambda_executor_batch_free": (
        None,
        [
            ctypes.c_void_p,
        ],
    ),
    "lambda_executor_batch_ack": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_ack": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.POINTER(ctypes.c_uint64),
            ctypes.c_size_t,
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_wait": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_int64,
            ctypes.POINTER(ctypes.c_int32),
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_wakeup_fd": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.POINTER(ctypes.c_int),
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_wake": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
        ],
    ),
    "lambda_executor_drain": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.c_int64,
            ctypes.POINTER(ctypes.c_uint64),
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_counts": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.POINTER(Counts),
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_stats": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.POINTER(ctypes.c_size_t),
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_check_health": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.c_int64,
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_set_credentials": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
    "lambda_executor_set_log_callback": (
        ctypes.c_int32,
        [
            ctypes.c_void_p,
            LogCallback,
            ctypes.c_void_p,
            ctypes.c_int32,
            ctypes.POINTER(ctypes.c_void_p),
        ],
    ),
}


def declare(library: ctypes.CDLL) -> None:
    """Declares the types of all functions of a loaded library."""
    for name, (restype, argtypes) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = restype
        function.argtypes = argtypes
