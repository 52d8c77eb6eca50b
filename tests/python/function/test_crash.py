"""The function itself is killed while a command runs."""

import os
import signal

import pytest
import servers

from .conftest import Start, until_gone, yes

# $PPID is the function's process id.
COMMAND = "echo $PPID $$ >> runs; exec sleep 600"


@pytest.mark.parametrize("retries", [0, 2])
def test_killed_while_a_command_runs(start: Start, retries: int) -> None:
    """E8, E1: one final event, and Lambda's retries do not run the command again. It ends with the function."""
    function = start(maximum_retry_attempts=retries)

    def kill() -> None:
        servers.until("the command runs", lambda: yes(function.lines("runs")))
        os.kill(int(function.lines("runs")[0].split()[0]), signal.SIGKILL)

    final = function.run({"task_key": "k", "command": COMMAND}, when_running=kill)["k"]
    assert (final["state"], final["reason"]) == ("failed", "dead_letter")
    why = "its outcome is unknown" if retries else "signal: 9"
    assert why in final["message"], final["message"]
    assert final["request_id"]
    [run] = function.lines("runs")
    until_gone(run.split())
    stats = function.server.stats()
    assert (stats["invocations"], stats["dead_letters"]) == (1 + retries, 1)
    # A new process runs the next task normally.
    assert function.run_one("echo fine")["output_tail"] == "fine\n"
    assert function.lines("runs") == [run]


def test_killed_after_the_command_has_ended(start: Start) -> None:
    """E8: the result was recorded but not sent; Lambda's next try sends it."""
    function = start(maximum_retry_attempts=1)
    command = "echo $PPID >> runs; until [ -e go-on ]; do sleep 0.02; done; exit 9"

    def kill() -> None:
        servers.until("the command runs", lambda: yes(function.lines("runs")))
        function.server.faults(sqs={"error": 1.0})
        function.path("go-on").touch()
        servers.until("the result waits to be sent", lambda: yes(b"cannot be sent yet" in function.log))
        os.kill(int(function.lines("runs")[0]), signal.SIGKILL)
        function.server.faults()

    final = function.run({"task_key": "k", "command": command}, when_running=kill)["k"]
    assert (final["state"], final["reason"], final["return_code"]) == ("failed", "exit", 9)
    assert len(function.lines("runs")) == 1
    assert function.server.stats()["invocations"] == 2
