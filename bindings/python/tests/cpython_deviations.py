"""Where LambdaPool differs from what CPython's own tests of concurrent.futures expect. This table is all there is:
a test that fails and is not in it fails test_cpython.py, and so does one that is in it and passes."""

from __future__ import annotations

#: Other exceptions than the tests name, by the name in their module. One crash does not break the pool: each task has a
#: process of its own. `sys.exit` in a function must not end the host's program. What the function returns is pickled in
#: Lambda, where an error is text.
EXCEPTIONS = {
    "BrokenProcessPool": "TaskFailed",
    "SystemExit": "TaskFailed",
    "PicklingError": "PicklingError or TaskFailed",
}

#: Tests that fail, by mixin and name: what their failure says, and why it is so.
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

#: Tests of the inside of the standard library's own pools.
NOT_RUN = {
    "ExecutorDeadlockTest.test_shutdown_deadlock_pickle": "needs _executor_manager_thread",
    "ExecutorDeadlockTest.test_gh105829_should_not_deadlock_if_wakeup_pipe_full": "replaces _ThreadWakeup",
}
