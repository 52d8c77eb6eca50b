"""The package in subinterpreters, in which the library's threads cannot call Python."""

from __future__ import annotations

import pytest
from processes import program

#: The two kinds that Python has. From Python 3.12 on an isolated one has a global lock of its own.
KINDS = ["isolated", "legacy"]

#: Runs code in a new subinterpreter and prints exceptions.
IN_SUBINTERPRETER = """
from textwrap import dedent
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

def in_subinterpreter(code):
    if sys.version_info >= (3, 13):
        number = interpreters.create(KIND)
    else:
        number = interpreters.create(isolated=KIND == "isolated")
    code = f"import sys; sys.path[:] = {sys.path!r}\\n" + dedent(code)
    try:
        failed = getattr(interpreters, "exec", getattr(interpreters, "run_string", None))(number, code)
        if failed is not None:
            print(failed.formatted, flush=True)
    finally:
        interpreters.destroy(number)
"""


def printed_by(source: str, python: str, kind: str) -> str:
    with program(f"KIND = {kind!r}\n{IN_SUBINTERPRETER}{source}", python) as running:
        status, said = running.end(), running.said()
        if kind == "isolated" and "module _ctypes does not support loading in subinterpreters" in said:
            pytest.skip("ctypes of this version of Python cannot be loaded in an isolated subinterpreter")
        assert (status, said) == (0, ""), f"exit status {status}: {said}"
        return running.rest()


@pytest.mark.parametrize("kind", KINDS)
def test_with_a_logger_an_executor_works_or_is_refused(each_python: str, kind: str) -> None:
    # From Python 3.12 on, the logger's first record would abort the process.
    source = '''
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
    *said, end = printed_by(source, each_python, kind).splitlines()
    assert end == "end"
    refused = "in a subinterpreter the library's log records cannot go to a logger: pass logger=None"
    assert said[0].startswith((refused, "DEBUG:lambda_executor.", "INFO:lambda_executor.")), said


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_logger_an_executor_works(each_python: str, kind: str) -> None:
    source = '''
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
    assert printed_by(source, each_python, kind) == "succeeded\nsucceeded\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_pool_works_or_says_that_it_cannot(each_python: str, kind: str) -> None:
    source = '''
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
    printed = printed_by(source, each_python, kind)
    # Python's own reason follows, which depends on the version.
    refused = "a LambdaPool cannot run in this subinterpreter; use an Executor: "
    assert printed == "0\n" or printed.startswith(refused), printed
