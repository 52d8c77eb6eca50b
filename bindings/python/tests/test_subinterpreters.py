"""The package in subinterpreters, in which the library's threads cannot call Python."""

from __future__ import annotations

import pytest
from processes import program

#: Runs code in a new subinterpreter, isolated if this Python can, and prints exceptions.
IN_SUBINTERPRETER = """
from textwrap import dedent
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

def in_subinterpreter(code):
    number = interpreters.create()
    code = f"import sys; sys.path[:] = {sys.path!r}\\n" + dedent(code)
    try:
        failed = getattr(interpreters, "exec", getattr(interpreters, "run_string", None))(number, code)
        if failed is not None:
            print(failed.formatted, flush=True)
    finally:
        interpreters.destroy(number)
"""


def printed_by(source: str, python: str) -> str:
    with program(source, python) as running:
        status, said = running.end(), running.said()
        if "does not support loading in subinterpreters" in said:
            pytest.skip("ctypes of this version cannot be loaded in a subinterpreter")
        assert (status, said) == (0, ""), f"exit status {status}: {said}"
        return running.rest()


def test_with_a_logger_an_executor_works_or_is_refused(python: str) -> None:
    # From Python 3.12 on, the logger's first record would abort the process.
    source = IN_SUBINTERPRETER + (
        '''
in_subinterpreter("""
    import logging
    logging.basicConfig(level=1, stream=sys.stdout)
    from lambda_executor import Executor
    try:
        with Executor({"local": {"handler": "builtin"}}) as executor:
            executor.queue("one", ["true"])
            executor.wait("one", 60)
    except RuntimeError as error:
        print(error, flush=True)
""")
print("end")
'''
    )
    *said, end = printed_by(source, python).splitlines()
    assert end == "end"
    refused = "in a subinterpreter the library's log records cannot go to a logger: pass logger=None"
    assert said[0].startswith((refused, "DEBUG:lambda_executor.", "INFO:lambda_executor.")), said


def test_without_a_logger_an_executor_works(python: str) -> None:
    source = IN_SUBINTERPRETER + (
        '''
in_subinterpreter("""
    from lambda_executor import Executor
    with Executor({"local": {"handler": "builtin"}, "log": "off"}, logger=None) as executor:
        executor.queue("one", ["true"])
        print(executor.wait("one", 60), flush=True)
""")
# And that of the main interpreter goes on.
with Executor(BUILTIN) as executor:
    executor.queue("one", ["true"])
    print(executor.wait("one", 60))
'''
    )
    assert printed_by(source, python) == "succeeded\nsucceeded\n"


def test_a_pool_works_or_says_that_it_cannot(python: str) -> None:
    source = IN_SUBINTERPRETER + (
        '''
in_subinterpreter("""
    from lambda_executor import Executor, LambdaPool
    with Executor({"local": {"handler": "builtin"}, "log": "off"}, logger=None) as executor:
        with LambdaPool(executor) as pool:
            try:
                print(pool.submit("true").result(60).return_code, flush=True)
            except RuntimeError as error:
                print(error, flush=True)
""")
'''
    )
    printed = printed_by(source, python)
    # Python's own reason follows, which depends on the version.
    refused = "a LambdaPool cannot run in this subinterpreter; use an Executor: "
    assert printed == "0\n" or printed.startswith(refused), printed
