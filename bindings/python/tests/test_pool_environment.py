"""Environment variables of the tasks of a pool."""

from __future__ import annotations

import os
import sys
from typing import Any

import cloudpickle
import pytest
from pool_support import DEADLINE, builtin, local

from lambda_executor import InvalidArgumentError, LambdaPool, TaskFailed, pickled_call

# Functions of this file are pickled by value.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

#: Text that a shell would change without quotes.
ODD = 'it\'s $HOME; "two"\nlines `true` \\ *'


def variables(*names: str) -> list[str]:
    return [os.environ.get(name, "unset") for name in names]


def test_variables_of_the_task_come_on_top_of_those_of_the_pool() -> None:
    with LambdaPool(local(), env={"ONE": "pool", "TWO": "pool"}) as pool:
        task = pool.options(env={"TWO": ODD})
        command = ["printf", "%s|%s", "$ONE", "as written"]
        for_shell = 'printf "%s|%s" "$ONE" "$TWO"'
        assert task.submit(for_shell).result(DEADLINE).output == f"pool|{ODD}"
        assert task.submit(["sh", "-c", for_shell]).result(DEADLINE).output == f"pool|{ODD}"
        assert task.submit(command).result(DEADLINE).output == "$ONE|as written"
        assert task.submit(variables, "ONE", "TWO").result(DEADLINE) == ["pool", ODD]
        assert list(task.map(variables, ["ONE", "TWO"], chunksize=2)) == [["pool"], [ODD]]
        assert pool.submit(for_shell).result(DEADLINE).output == "pool|pool"


def test_a_program_is_started_as_without_variables() -> None:
    with LambdaPool(local(), env={"ONE": "1"}) as pool:
        killed = pool.submit(["sh", "-c", "kill -9 $$"]).exception(DEADLINE)
        absent = pool.submit(["/no/such/program"]).exception(DEADLINE)
        odd = pool.submit(["A=b", "x"]).exception(DEADLINE)
    assert isinstance(killed, TaskFailed)
    assert (killed.reason, killed.signal) == ("signal", 9)
    assert isinstance(absent, TaskFailed)
    assert absent.return_code == 127
    assert "/no/such/program" in absent.output
    assert isinstance(odd, TaskFailed)
    assert (odd.return_code, "A=b" in odd.output) == (127, True)


def test_a_command_that_is_refused_is_refused_with_variables_too() -> None:
    with LambdaPool(builtin(), env={"ONE": "1"}) as pool:
        for wrong in ([], "", "  ", b"true", ["true", 1]):
            with pytest.raises(InvalidArgumentError, match="command"):
                pool.submit(wrong)  # type: ignore[arg-type]


def test_a_function_of_an_older_image_does_not_run_without_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    # The message of a version that does not know variables.
    with LambdaPool(local()) as pool:
        monkeypatch.setattr(pickled_call, "FORMAT_WITH_ENV", 99)
        error = pool.options(env={"ONE": "1"}).submit(variables, "ONE").exception(DEADLINE)
        assert isinstance(error, TaskFailed)
        assert "the call has format 99" in str(error)
        assert pool.submit(variables, "ONE").result(DEADLINE) == ["unset"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (["A=1"], "env: list is neither a mapping nor None"),
        ({"A": 1}, "env: 'A': 1: names and values are strings"),
        ({"A B": "1"}, "env: 'A B' is not the name of a variable"),
        ({"1A": "1"}, "env: '1A' is not the name of a variable"),
        ({"": "1"}, "env: '' is not the name of a variable"),
        ({"A": "a\0b"}, "env: the value of A has a NUL"),
        ({"LAMBDA_EXECUTOR_TASK_KEY": "k"}, "LAMBDA_EXECUTOR_TASK_KEY is a variable that lambda-executor sets"),
    ],
    ids=repr,
)
def test_wrong_variables_are_refused(wrong: Any, why: str) -> None:  # noqa: ANN401 - wrong ones, too
    with pytest.raises((ValueError, TypeError), match=why):
        LambdaPool(builtin(), env=wrong)
    with LambdaPool(builtin()) as pool, pytest.raises((ValueError, TypeError), match=why):
        pool.options(env=wrong)
