"""Handlers for the tests of the real Python runtime. Each does one thing."""

import os
import signal
import sys
import time
from typing import Any

started_at = time.time()
calls = 0


def echo(event: object, context: Any) -> object:  # noqa: ANN401 - the runtime's own class
    return event


def about(event: object, context: Any) -> dict[str, object]:  # noqa: ANN401
    """The runtime's data about the invocation and its process."""
    global calls
    calls += 1
    return {
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "name": context.function_name,
        "version": context.function_version,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "log_stream": context.log_stream_name,
        "pid": os.getpid(),
        "calls": calls,
        "environment": dict(os.environ),
    }


def act(event: dict[str, str], context: Any) -> str:  # noqa: ANN401
    """Appends its request id to the file named in the event, then ends as the event says."""
    if "file" in event:
        with open(event["file"], "a") as file:
            file.write(context.aws_request_id + "\n")
    match event["do"]:
        case "raise":
            raise ValueError(event.get("message", "on purpose"))
        case "exit":
            sys.stdout.flush()
            os._exit(3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "sleep":
            time.sleep(3600)
    return "done"
