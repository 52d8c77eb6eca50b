"""Python functions through LambdaPool, each in a real process of the function program."""

from __future__ import annotations

import ctypes
import functools
import json
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import cloudpickle
import pytest
from pool_support import DEADLINE, local
from processes import SOURCES

from lambda_executor import InvalidConfigError, LambdaPool, PayloadTooLargeError, TaskFailed, pickled_call

# The image has the package, but not this file.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


@pytest.fixture(scope="module")
def pool() -> Iterator[LambdaPool]:
    with LambdaPool(local()) as pool:
        yield pool


def failure(pool: LambdaPool, function: Any, *args: Any) -> TaskFailed:  # noqa: ANN401 - any function
    error = pool.submit(function, *args).exception(DEADLINE)
    assert isinstance(error, TaskFailed), repr(error)
    return error


class Point:
    def __init__(self, x: int) -> None:
        self.x = x


def test_arguments_go_and_values_come_back(pool: LambdaPool) -> None:
    offset = 3

    def shifted(point: Point, *, by: int = 1) -> Point:
        return Point(point.x + by + offset)

    assert pool.submit(math.factorial, 20).result(DEADLINE) == math.factorial(20)
    assert pool.submit(functools.partial(int, base=2), "101").result(DEADLINE) == 5
    moved = pool.submit(shifted, Point(1), by=10).result(DEADLINE)
    assert isinstance(moved, Point)
    assert moved.x == 14
    assert pool.submit(lambda: None).result(DEADLINE) is None
    # Names that are also options of tasks.
    assert pool.submit(dict, key=1, timeout=2, queue=3).result(DEADLINE) == {"key": 1, "timeout": 2, "queue": 3}


def test_map_over_a_function(pool: LambdaPool) -> None:
    assert list(pool.map(pow, [2, 3, 4], [3, 2, 1, 0])) == [8, 9, 4]


def test_map_in_chunks_uses_fewer_tasks(pool: LambdaPool) -> None:
    before = pool.summary().submitted
    assert list(pool.map(abs, range(-5, 5), chunksize=4)) == [5, 4, 3, 2, 1, 0, 1, 2, 3, 4]
    assert pool.summary().submitted == before + 3


def test_large_arguments_and_values(pool: LambdaPool) -> None:
    noise = os.urandom(600_000)
    assert pool.submit(lambda data: data[:100_000], noise).result(DEADLINE) == noise[:100_000]
    # Small when compressed.
    assert pool.submit(lambda: b"x" * 5_000_000).result(DEADLINE) == b"x" * 5_000_000


def test_an_exception_comes_back_with_its_traceback(pool: LambdaPool) -> None:
    def divide(by: int) -> float:
        print("about to divide")
        return 1 / by

    error = pool.submit(divide, 0).exception(DEADLINE)
    assert type(error) is ZeroDivisionError
    assert str(error) == "division by zero"
    cause = str(error.__cause__)
    assert "in divide" in cause
    assert "ZeroDivisionError: division by zero" in cause
    assert "lambda_executor" not in cause, "frames of ours help nobody"


def test_exceptions_of_ones_own(pool: LambdaPool) -> None:
    class Refused(Exception):
        def __init__(self, code: int, why: str) -> None:
            super().__init__(code, why)
            self.code = code

    def refuse() -> NoReturn:
        raise Refused(7, "no")

    error = pool.submit(refuse).exception(DEADLINE)
    assert isinstance(error, Refused)
    assert error.code == 7


def test_an_exception_that_cannot_be_sent(pool: LambdaPool) -> None:
    class Holds(Exception):
        pass

    class Rebuilt(Exception):
        def __init__(self, code: int, why: str) -> None:
            super().__init__(f"{code}: {why}")

    def holds_a_frame() -> NoReturn:
        raise Holds(sys._getframe())

    def cannot_be_rebuilt() -> NoReturn:
        raise Rebuilt(7, "no")

    assert "Holds, which cannot be sent as it is" in str(failure(pool, holds_a_frame))
    text = str(failure(pool, cannot_be_rebuilt))
    assert "Rebuilt, which cannot be sent as it is" in text
    assert "in cannot_be_rebuilt" in text


def test_the_traceback_of_a_function_is_in_the_text_once(pool: LambdaPool) -> None:
    def interrupted() -> NoReturn:
        print("printed by the function")
        raise KeyboardInterrupt

    text = str(failure(pool, interrupted))
    assert text.count("Traceback (most recent call last)") == 1
    assert text.count("in interrupted") == 1
    assert text.count("printed by the function") == 1


def test_a_traceback_that_was_cut_in_the_output_is_in_the_text_once(pool: LambdaPool) -> None:
    def interrupted() -> NoReturn:
        raise KeyboardInterrupt("".join(f"\nline {n} of the message" for n in range(400)))

    error = failure(pool, interrupted)
    assert error.output_truncated
    assert "last output" not in str(error)
    assert str(error).count("line 399 of the message") == 1


def test_what_raises_system_exit_when_it_is_loaded_ends_no_program_here(pool: LambdaPool) -> None:
    class Leaves:
        def __init__(self, raises: type[BaseException]) -> None:
            self.raises = raises

        def __reduce__(self) -> tuple[Any, ...]:
            return leave, (self.raises,)

    def leave(raises: type[BaseException]) -> NoReturn:
        raise raises("from the pickle")

    for raises in (SystemExit, KeyboardInterrupt):
        text = str(failure(pool, Leaves, raises))
        assert f"what the function sent cannot be loaded here: {raises.__name__}: from the pickle" in text
        # In the image.
        assert "the function cannot be loaded in the image" in str(failure(pool, repr, Leaves(raises)))


def test_an_exception_that_is_something_else_when_it_is_loaded(pool: LambdaPool) -> None:
    class Disguised(Exception):
        def __reduce__(self) -> tuple[Any, ...]:
            return SystemExit, ("disguised",)

    def disguised() -> NoReturn:
        raise Disguised

    assert "it is SystemExit('disguised') when it is loaded" in str(failure(pool, disguised))


def test_a_value_that_cannot_be_pickled(pool: LambdaPool) -> None:
    text = str(failure(pool, sys._getframe))
    assert "what the function returned (builtins.frame) cannot be pickled" in text


def test_arguments_that_cannot_be_pickled(pool: LambdaPool) -> None:
    with pytest.raises(TypeError, match="pickle"):
        pool.submit(repr, sys._getframe())


@pytest.mark.parametrize(
    ("argument", "said", "return_code"),
    [(3, "sys.exit(3)", 3), (None, "sys.exit()", 0), ("why", "sys.exit('why')", 1)],
)
def test_sys_exit(pool: LambdaPool, argument: Any, said: str, return_code: int) -> None:  # noqa: ANN401 - as sys.exit
    error = failure(pool, sys.exit, argument)
    assert f"the function called {said}" in str(error)
    assert error.return_code == return_code


def test_an_end_without_a_word(pool: LambdaPool) -> None:
    error = failure(pool, os._exit, 0)
    assert error.return_code == 0
    assert "no value was sent, although the interpreter ended with exit status 0" in str(error)


def test_keyboard_interrupt_in_the_function_is_none_here(pool: LambdaPool) -> None:
    def interrupted() -> NoReturn:
        raise KeyboardInterrupt

    assert "the function raised builtins.KeyboardInterrupt" in str(failure(pool, interrupted))


def test_a_crash(pool: LambdaPool) -> None:
    error = failure(pool, ctypes.string_at, 0)
    assert (error.reason, error.signal) == ("signal", signal.SIGSEGV)


def test_output_and_exception_of_a_process_that_ends_badly_later(pool: LambdaPool) -> None:
    def returns_then_fails() -> int:
        import atexit

        atexit.register(os._exit, 5)
        print("printed")
        return 1

    error = failure(pool, returns_then_fails)
    assert "the function returned, but its process then failed" in str(error)
    assert (error.return_code, error.output) == (5, "printed\n")


def test_a_time_limit(pool: LambdaPool) -> None:
    error = pool.options(timeout=0.5).submit(time.sleep, 60).exception(DEADLINE)
    assert isinstance(error, TaskFailed)
    assert error.reason == "timeout"


def test_arguments_that_are_too_large(pool: LambdaPool) -> None:
    with pytest.raises(PayloadTooLargeError, match=r"have 900,\d+ bytes pickled.*S3.*\n?.*max_payload_bytes"):
        pool.submit(len, os.urandom(900_000))


def test_a_value_that_is_too_large(pool: LambdaPool) -> None:
    text = str(failure(pool, os.urandom, 200_000))
    assert "what the function returned has 200,0" in text
    assert "the limit is 180,000: put it into S3" in text


def test_an_exception_that_is_too_large(pool: LambdaPool) -> None:
    def fails() -> NoReturn:
        raise ValueError(os.urandom(200_000))

    text = str(failure(pool, fails))
    assert "the function raised builtins.ValueError, which cannot be sent as it is" in text
    assert "in fails" in text


def test_another_python_in_the_image_is_said(pool: LambdaPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickled_call, "python_version", lambda: "CPython 3.8")
    text = str(failure(pool, math.factorial, 3))
    assert "the host runs CPython 3.8 and the function's image CPython 3." in text
    assert "the same version on both sides" in text


def test_another_lambda_executor_in_the_image_is_said(pool: LambdaPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickled_call, "FORMAT", 99)
    assert "the call has format 99" in str(failure(pool, math.factorial, 3))


def test_a_module_that_the_image_lacks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pool: LambdaPool
) -> None:
    (tmp_path / "only_here.py").write_text("def one():\n    return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_here  # type: ignore[import-not-found]

    assert "the image has no module 'only_here'" in str(failure(pool, only_here.one))


def interpreter(folder: Path, arguments: str, path: str = "") -> str:
    """An interpreter for the function's image, without some packages."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\nPYTHONPATH='{path}' exec '{sys.executable}' {arguments} \"$@\"\n")
    program.chmod(0o755)
    return str(program)


def test_an_image_without_the_package(tmp_path: Path) -> None:
    # -S: without the packages that are installed.
    with LambdaPool(local(), python=interpreter(tmp_path, "-S")) as pool:
        text = str(failure(pool, math.factorial, 3))
        assert "has no package lambda_executor: install its wheel and cloudpickle there" in text


def test_an_image_without_cloudpickle(tmp_path: Path) -> None:
    with LambdaPool(local(), python=interpreter(tmp_path, "-S", str(SOURCES))) as pool:
        # In the exception, and in the output.
        assert str(failure(pool, lambda: 3)).count("the image has no module 'cloudpickle'. Install it there") == 1
        assert "No module named 'cloudpickle'" in str(failure(pool, math.factorial, 3))


def test_an_image_without_python() -> None:
    with LambdaPool(local(), python="/no/such/python") as pool:
        error = failure(pool, math.factorial, 3)
        assert error.return_code == 127
        assert "/no/such/python" in str(error)


def test_a_host_without_cloudpickle(pool: LambdaPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    # Not as lambda-executor[pickle]: a package of that name in an index is not this one.
    with pytest.raises(ModuleNotFoundError, match=r"install cloudpickle here and in the function's image"):
        pool.submit(math.factorial, 3)


def test_what_cannot_be_pickled_is_named(pool: LambdaPool) -> None:
    lock: Any = threading.Lock()
    for submit, part in (
        (lambda: pool.submit(len, lock), r"submit\(len\): argument 0 cannot be pickled: .*lock"),
        (lambda: pool.submit(sorted, [], key=lock), r"submit\(sorted\): argument key cannot be pickled: .*lock"),
        (lambda: pool.submit(lambda: lock), r"submit\(.*<lambda>\): the function cannot be pickled: .*lock"),
        (lambda: pool.map(len, [lock]), r"submit\(len\): argument 0 cannot be pickled: .*lock"),
    ):
        with pytest.raises(TypeError, match=part):
            submit()


def test_what_the_function_finds_around_it(pool: LambdaPool) -> None:
    """The function sees its executor_config without the call: neither secret nor pickle."""

    def around(padding: bytes) -> tuple[dict[str, str], bytes]:
        with open("/proc/self/cmdline", "rb") as file:
            return dict(os.environ), file.read()

    for padding in (b"", os.urandom(200_000)):
        environment, command = pool.options(executor_config={"mine": 1}).submit(around, padding).result(DEADLINE)
        assert json.loads(environment["LAMBDA_EXECUTOR_CONFIG"]) == {"mine": 1}
        assert "secret" not in repr(environment)
        assert command.split(b"\0")[1:] == [b"-m", b"lambda_executor.run", b""]


def test_run_started_by_hand_says_what_it_is_for() -> None:
    import processes

    status = 2
    source = f"""
import subprocess
process = subprocess.run([sys.executable, "-m", "lambda_executor.run"], stderr=subprocess.PIPE, text=True)
assert process.returncode == {status} and "started by LambdaPool" in process.stderr, process
"""
    processes.run(source)


def test_a_secret_that_is_too_short() -> None:
    with pytest.raises(ValueError, match="secret has 3 bytes, and needs 16 or more"):
        LambdaPool(local(), secret=b"abc")
    with pytest.raises(InvalidConfigError):
        LambdaPool({}, secret=b"x" * 16)
