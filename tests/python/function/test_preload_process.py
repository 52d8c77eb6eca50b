"""What a task finds in a process that was forked from one with modules loaded, and what it must not find there."""

import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Function, Start

# The number of the process that loads modules, and what they find there.
LOADED = """
import os

SERVER, PATH = os.getpid(), os.environ.get("PYTHONPATH")
"""
COLD = b"a new interpreter is started"


def begin(start: Start, modules: str = "loaded", *, loaded: str = LOADED, **env: str) -> Function:
    """A function that has a module `loaded`."""
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    function = start({"LAMBDA_EXECUTOR_PRELOAD": modules, "PATH": path, **env}, concurrency=1)
    function.path("loaded.py").write_text(loaded)
    return function


def run(function: Function, program: str, module: str = "program") -> Any:  # noqa: ANN401 - what the program prints
    """What a program prints, run as a module."""
    path = function.path(f"{module.replace('.', '/')}.py")
    path.parent.mkdir(exist_ok=True)
    path.write_text(program)
    final = function.run_one(["python", "-m", module])
    assert (final["state"], final["return_code"]) == ("succeeded", 0), final
    return final["output_tail"]


@pytest.fixture
def function(start: Start) -> Function:
    return begin(start)


def test_nothing_of_the_warm_start(function: Function) -> None:
    left = run(function, "import sys\nprint([name for name in sys.modules if 'preload' in name])\n")
    assert left == "[]\n"
    assert COLD not in function.log


def test_modules_find_no_path_of_ours_while_they_are_loaded(start: Start, function: Function) -> None:
    assert run(function, "import loaded, os\nprint(loaded.PATH, os.environ.get('PYTHONPATH'))\n") == "None None\n"


def test_the_users_path_is_kept(start: Start) -> None:
    function = begin(start, PYTHONPATH="/one:two")
    assert run(function, "import loaded, os\nprint(loaded.PATH, os.environ['PYTHONPATH'])\n") == "/one:two /one:two\n"


def test_it_starts_in_the_functions_folder(start: Start) -> None:
    """Wherever a module has gone while it was loaded."""
    function = begin(start, loaded="import os\nos.chdir('/')\n")
    assert run(function, "import os, sys\nprint(os.getcwd(), 'loaded' in sys.modules)\n") == f"{function.folder} True\n"


def test_a_module_that_is_loaded_already_is_run_without_a_warning(start: Start) -> None:
    """As `python -m` would: not under its own name. One of a package would get a warning otherwise."""
    function = begin(start, "package.program")
    function.path("package").mkdir()
    program = "import sys\nprint(__name__, 'package' in sys.modules, 'package.program' in sys.modules)\n"
    assert run(function, program, "package.program") == "__main__ True False\n"
    assert COLD not in function.log


def test_a_folder_that_did_not_exist_when_modules_were_loaded(start: Start) -> None:
    """Such as that of Dags, which are fetched later."""
    function = begin(start, PYTHONPATH="later")
    run(function, "import loaded\n")
    function.path("later").mkdir()
    function.path("later").joinpath("dag.py").write_text("print('found')\n")
    assert run(function, "import dag\n") == "found\n"
    assert COLD not in function.log


def test_memory_of_modules_is_shared(start: Start) -> None:
    """A collection in a task does not copy what was loaded, here some 60 MB."""
    function = begin(start, loaded="kept = [[number] for number in range(500_000)]\n")
    program = """
import gc, loaded, re

def private():
    with open("/proc/self/smaps_rollup") as file:
        return int(re.search(r"Private_Dirty: +([0-9]+) kB", file.read())[1])

before = private()
gc.collect()
print(private() - before)
"""
    assert int(run(function, program)) < 10_000
    assert COLD not in function.log


def test_forks_that_fail_leave_nothing_open(start: Start) -> None:
    failing = """
real = os.fork
def fork():
    if os.path.exists("fails"):
        raise OSError(11, "no process")
    return real()
os.fork = fork
"""
    function = begin(start, loaded=LOADED + failing)

    def descriptors() -> int:
        server = run(function, "import loaded\nprint(loaded.SERVER)\n").strip()
        return len(list(Path(f"/proc/{server}/fd").iterdir()))

    before = descriptors()
    function.path("fails").touch()
    for _ in range(3):
        run(function, "pass\n")
    assert function.log.count(COLD + b": no process can be forked") == 3
    function.path("fails").unlink()
    assert descriptors() == before
