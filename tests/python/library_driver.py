"""A host of the shared library: reads {"config": {...}, "tasks": [...]} from its input, runs the tasks to the end and
writes the events as JSON lines.

A separate program, so that the environment and a crash of the library affect only this process.
"""

import ctypes
import json
import sys
import time
from typing import Any

NUL_TERMINATED = ctypes.c_size_t(-1).value


class Str(ctypes.Structure):
    _fields_ = (("ptr", ctypes.c_void_p), ("len", ctypes.c_size_t))

    def text(self) -> str:
        return ctypes.string_at(self.ptr, self.len).decode() if self.ptr else ""


class Task(ctypes.Structure):
    _fields_ = (
        ("struct_size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("tag", ctypes.c_uint64),
        ("key", Str),
        ("argv", ctypes.c_void_p),
        ("argc", ctypes.c_size_t),
        ("command_json", Str),
        ("executor_config_json", Str),
        ("queue", Str),
        ("timeout_ms", ctypes.c_int64),
        ("max_wait_ms", ctypes.c_int64),
        ("result_timeout_ms", ctypes.c_int64),
        ("attempt_id", Str),
    )


class Event(ctypes.Structure):
    _fields_ = (
        ("seq", ctypes.c_uint64),
        ("tag", ctypes.c_uint64),
        ("key", Str),
        *((name, ctypes.c_int32) for name in ("state", "reason", "has_return_code", "return_code", "signal")),
        ("attempts", ctypes.c_uint32),
        *((f"{name}_at_ms", ctypes.c_int64) for name in ("queued", "submitted", "started", "finished")),
        *((name, Str) for name in ("message", "output_tail", "value", "request_id", "log_stream")),
    )

    def read(self, library: ctypes.CDLL) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name, *_ in self._fields_}
        fields = {name: value.text() if isinstance(value, Str) else value for name, value in fields.items()}
        fields["state"] = library.lambda_executor_task_state_name(self.state).decode()
        fields["reason"] = library.lambda_executor_reason_name(self.reason).decode()
        return fields


def load(path: str) -> ctypes.CDLL:
    library = ctypes.CDLL(path)
    out = ctypes.POINTER(ctypes.c_void_p)
    library.lambda_executor_create.argtypes = [ctypes.c_char_p, ctypes.c_size_t, out, out]
    library.lambda_executor_queue.argtypes = [ctypes.c_void_p, ctypes.POINTER(Task), out]
    library.lambda_executor_sync.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_size_t, out, out]
    library.lambda_executor_batch_len.argtypes = [ctypes.c_void_p]
    library.lambda_executor_batch_len.restype = ctypes.c_size_t
    library.lambda_executor_batch_event.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    library.lambda_executor_batch_event.restype = ctypes.POINTER(Event)
    library.lambda_executor_batch_free.argtypes = [ctypes.c_void_p]
    library.lambda_executor_batch_free.restype = None
    library.lambda_executor_check_health.argtypes = [ctypes.c_void_p, ctypes.c_int64, out]
    library.lambda_executor_stats.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.POINTER(ctypes.c_size_t),
        out,
    ]
    library.lambda_executor_batch_ack.argtypes = [ctypes.c_void_p, out]
    library.lambda_executor_free.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint64)]
    library.lambda_executor_free.restype = None
    library.lambda_executor_error_message.argtypes = [ctypes.c_void_p]
    library.lambda_executor_error_message.restype = Str
    for name in ("lambda_executor_task_state_name", "lambda_executor_reason_name"):
        getattr(library, name).argtypes = [ctypes.c_int32]
        getattr(library, name).restype = ctypes.c_char_p
    return library


class Host:
    def __init__(self, library: ctypes.CDLL, config: dict[str, Any]) -> None:
        self.library = library
        self.handle = ctypes.c_void_p()
        self.error = ctypes.c_void_p()
        text = json.dumps(config).encode()
        self.check(library.lambda_executor_create(text, len(text), ctypes.byref(self.handle), ctypes.byref(self.error)))

    def check(self, status: int) -> int:
        if status < 0:
            message = self.library.lambda_executor_error_message(self.error).text()
            raise SystemExit(f"status {status}: {message}")
        return status

    def queue(self, tag: int, task: dict[str, Any]) -> None:
        texts = {
            "key": task["task_key"],
            "command_json": json.dumps(task["command"]),
            "executor_config_json": json.dumps(task.get("executor_config", {})),
            "queue": task.get("queue", ""),
        }
        kept = {name: text.encode() for name, text in texts.items()}
        filled = Task(struct_size=ctypes.sizeof(Task), tag=tag, timeout_ms=task.get("timeout_ms", 0))
        for name, value in kept.items():
            setattr(filled, name, Str(ctypes.cast(ctypes.c_char_p(value), ctypes.c_void_p), NUL_TERMINATED))
        status = self.check(
            self.library.lambda_executor_queue(self.handle, ctypes.byref(filled), ctypes.byref(self.error))
        )
        if status != 0:
            raise SystemExit(f"{task['task_key']} was not accepted: status {status}")

    def stats(self) -> dict[str, Any]:
        text = ctypes.create_string_buffer(1 << 20)
        self.check(self.library.lambda_executor_stats(self.handle, text, len(text), None, ctypes.byref(self.error)))
        stats: dict[str, Any] = json.loads(text.value)
        return stats

    def events(self) -> list[dict[str, Any]]:
        batch = ctypes.c_void_p()
        self.check(
            self.library.lambda_executor_sync(self.handle, 1000, 0, ctypes.byref(batch), ctypes.byref(self.error))
        )
        if not batch:
            return []
        number = self.library.lambda_executor_batch_len(batch)
        events = [
            self.library.lambda_executor_batch_event(batch, index).contents.read(self.library)
            for index in range(number)
        ]
        self.check(self.library.lambda_executor_batch_ack(batch, ctypes.byref(self.error)))
        self.library.lambda_executor_batch_free(batch)
        return events


def main() -> None:
    order = json.load(sys.stdin)
    host = Host(load(sys.argv[1]), order["config"])
    if order["check_health"]:
        status = host.library.lambda_executor_check_health(host.handle, 10_000, ctypes.byref(host.error))
        if host.check(status) != 0:
            raise SystemExit(f"the health check had no answer in 10 s: status {status}")
        if order["tasks"] == []:
            print(json.dumps(host.stats()), flush=True)
    deadline = time.monotonic() + order["seconds"]
    tasks = list(enumerate(order["tasks"]))
    # One by one: a task is queued when the previous one has ended.
    waves = [[task] for task in tasks] if order["one_by_one"] else [tasks]
    for wave in waves:
        for tag, task in wave:
            host.queue(tag, task)
        unfinished = len(wave)
        while unfinished:
            if time.monotonic() > deadline:
                raise SystemExit(f"{unfinished} tasks without a final event")
            for event in host.events():
                print(json.dumps(event), flush=True)
                unfinished -= event["state"] != "running"
    host.library.lambda_executor_free(host.handle, None)


if __name__ == "__main__":
    main()
