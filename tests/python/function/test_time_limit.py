"""A command over its time limit ends with its processes, and its result is sent before Lambda ends the sandbox."""

from .conftest import Function, Start, until_gone

# Neither the shell nor its child reacts to SIGTERM.
STUBBORN = "trap '' TERM; sleep 600 & echo $$ >> pids; echo $! >> pids; while :; do sleep 0.05; done"


def ended_with_its_group(function: Function) -> None:
    pids = function.lines("pids")
    assert len(pids) == 2
    until_gone(pids)


def test_a_command_that_ignores_sigterm(start: Start) -> None:
    """E7: at the function's own time limit."""
    function = start(timeout_ms=6000, maximum_retry_attempts=2)
    final = function.run_one(STUBBORN)
    assert (final["state"], final["reason"], final["return_code"]) == ("failed", "timeout", 124)
    assert "ended by SIGTERM, then SIGKILL at the time limit of the Lambda function" in final["output_tail"]
    assert 3000 < final["finished_at_ms"] - final["started_at_ms"] < 5900
    ended_with_its_group(function)
    # Lambda did not end the sandbox or retry; the next command finds it warm.
    assert function.run_one(["true"])["state"] == "succeeded"
    stats = function.server.stats()
    assert {name: stats[name] for name in ("invocations", "timeouts", "function_errors", "cold_starts")} == {
        **{"invocations": 2, "timeouts": 0, "function_errors": 0, "cold_starts": 1}
    }


def test_at_the_tasks_own_time_limit(start: Start) -> None:
    """E7: `timeout_ms`, with its own grace."""
    function = start(env={"LAMBDA_EXECUTOR_KILL_GRACE_MS": "300"})
    final = function.run_one(STUBBORN, timeout_ms=500)
    assert (final["state"], final["reason"], final["return_code"]) == ("failed", "timeout", 124)
    assert "SIGKILL at the task's time limit of 500 ms (timeout_ms)" in final["output_tail"]
    # The time limit starts shortly before the command.
    assert 700 < final["finished_at_ms"] - final["started_at_ms"] < 5000
    ended_with_its_group(function)


def test_a_command_that_handles_sigterm_can_clean_up(shared: Function) -> None:
    """E7: it can clean up and print within the grace."""
    command = 'trap "echo cleaned up; exit 0" TERM; while :; do sleep 0.02; done'
    final = shared.run_one(command, timeout_ms=300)
    assert (final["state"], final["reason"], final["return_code"]) == ("failed", "timeout", 124)
    assert "cleaned up\n" in final["output_tail"]
    assert "ended by SIGTERM at the task's time limit of 300 ms" in final["output_tail"]
    assert final["finished_at_ms"] - final["started_at_ms"] < 4000


def test_background_processes_end_with_their_command(start: Start) -> None:
    """E7: also when it ends by itself. An open pipe does not delay the result."""
    function = start()
    final = function.run_one("sleep 600 & echo $$ >> pids; echo $! >> pids; echo done")
    assert (final["state"], final["output_tail"]) == ("succeeded", "done\n")
    ended_with_its_group(function)
