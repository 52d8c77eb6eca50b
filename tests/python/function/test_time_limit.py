"""Commands over their time end with all that they started, and the result says so before Lambda ends the sandbox."""

from .conftest import Function, Start, until_gone

# Neither the shell nor what it starts heeds SIGTERM.
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
    # The sandbox was not ended, nothing was tried again, and the next command finds it warm.
    assert function.run_one(["true"])["state"] == "succeeded"
    stats = function.server.stats()
    assert {name: stats[name] for name in ("invocations", "timeouts", "function_errors", "cold_starts")} == {
        **{"invocations": 2, "timeouts": 0, "function_errors": 0, "cold_starts": 1}
    }


def test_at_the_tasks_own_time_limit(start: Start) -> None:
    """E7: `timeout_ms`, with a grace of its own."""
    function = start(env={"LAMBDA_EXECUTOR_KILL_GRACE_MS": "300"})
    final = function.run_one(STUBBORN, timeout_ms=500)
    assert (final["state"], final["reason"], final["return_code"]) == ("failed", "timeout", 124)
    assert "SIGKILL at the task's time limit of 500 ms (timeout_ms)" in final["output_tail"]
    # The limit's clock starts a moment before the command.
    assert 700 < final["finished_at_ms"] - final["started_at_ms"] < 5000
    ended_with_its_group(function)


def test_a_command_that_heeds_sigterm_ends_in_order(shared: Function) -> None:
    """E7: it has the grace to say and do its last."""
    command = 'trap "echo tidied up; exit 0" TERM; while :; do sleep 0.02; done'
    final = shared.run_one(command, timeout_ms=300)
    assert (final["state"], final["reason"], final["return_code"]) == ("failed", "timeout", 124)
    assert "tidied up\n" in final["output_tail"]
    assert "ended by SIGTERM at the task's time limit of 300 ms" in final["output_tail"]
    assert final["finished_at_ms"] - final["started_at_ms"] < 4000


def test_what_a_command_leaves_behind_ends_with_it(start: Start) -> None:
    """E7: also when it ends by itself; an open pipe does not hold up the result."""
    function = start()
    final = function.run_one("sleep 600 & echo $$ >> pids; echo $! >> pids; echo done")
    assert (final["state"], final["output_tail"]) == ("succeeded", "done\n")
    ended_with_its_group(function)
