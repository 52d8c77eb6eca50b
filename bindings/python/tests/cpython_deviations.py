"""Differences between LambdaPool and what CPython's own tests of concurrent.futures expect. The table is complete:
test_cpython.py fails if a test that is not in it fails, or one that is in it passes."""

from __future__ import annotations

#: Exceptions that LambdaPool raises in place of others, by their name in the test modules. A crash does not break the
#: pool, because each task has a process of its own. `sys.exit` in a function must not end the host's program. A return
#: value is pickled in Lambda, and an error there arrives as text.
EXCEPTIONS = {
    "BrokenProcessPool": "TaskFailed",
    "SystemExit": "TaskFailed",
    "PicklingError": "PicklingError or TaskFailed",
}

#: Tests that fail, by mixin and name: a part of the failure's text, and the reason.
FAILING = {
    "ExecutorShutdownTest.test_interpreter_shutdown": (
        "1 task of a LambdaPool unfinished",
        "the end of the interpreter does not wait for tasks, which may run for minutes and continue on AWS",
    ),
    "ExecutorShutdownTest.test_hang_gh83386": (
        "1 task of a LambdaPool unfinished",
        "shutdown(wait=False) and the end of the interpreter do not wait for tasks",
    ),
    "ExecutorDeadlockTest.test_error_at_task_pickle": (
        "Error in pickle",
        "submit itself raises for what cannot be pickled, not the future",
    ),
}

#: Tests of internals of the standard library's own pools.
NOT_RUN = {
    "ExecutorDeadlockTest.test_shutdown_deadlock_pickle": "needs _executor_manager_thread",
    "ExecutorDeadlockTest.test_gh105829_should_not_deadlock_if_wakeup_pipe_full": "replaces _ThreadWakeup",
}
