"""One list of modules for the warm start serves images in which not all of them exist."""

import sys
from pathlib import Path

import image_defaults
import pytest
import servers

from .conftest import Function, Start

# Prints which of the modules in its arguments were there before it.
PROGRAM = "import sys\nfound = [name for name in sys.argv[1:] if name in sys.modules]\nprint(*found)\n"
COLD = b"a new interpreter is started"
AIRFLOWS = sorted(folder.name for folder in servers.VENVS.glob("airflow*") if (folder / "bin" / "airflow").exists())


def begin(start: Start, modules: str, python: Path, **env: str) -> Function:
    """A function with a program in the folder that commands start in."""
    path = f"{python}:/usr/bin:/bin"
    function = start({"LAMBDA_EXECUTOR_PRELOAD": modules, "PATH": path, **env}, concurrency=1)
    function.path("program.py").write_text(PROGRAM)
    return function


def found(function: Function, modules: str) -> list[str]:
    """Those that a task finds loaded."""
    final = function.run_one(["python", "-m", "program", *modules.split(",")])
    assert (final["state"], final["return_code"]) == ("succeeded", 0), final
    tail: str = final["output_tail"]
    return tail.split()


def test_what_does_not_exist_is_left_out(start: Start) -> None:
    modules = "no_such_module,wave,wave.no_such_part,colorsys"
    function = begin(start, modules, Path(sys.executable).parent)
    assert found(function, modules) == ["wave", "colorsys"]
    assert found(function, modules) == ["wave", "colorsys"]
    # Said once, not for each task.
    assert function.log.count(b"no such module") == 1, function.log
    assert b"no such module: no_such_module, wave.no_such_part\n" in function.log
    assert COLD not in function.log
    assert b"Traceback" not in function.log


def test_where_none_exists_tasks_are_started_as_without(start: Start) -> None:
    modules = "no_such_module,nor_this"
    function = begin(start, modules, Path(sys.executable).parent)
    assert found(function, modules) == []
    assert COLD + b": modules cannot be loaded: no such module: no_such_module, nor_this" in function.log


def test_a_module_that_lacks_another_one_is_a_fault(start: Start) -> None:
    """For example a package that is not installed in the image. This is not a difference between versions."""
    function = begin(start, "wave,lacking", Path(sys.executable).parent)
    function.path("lacking.py").write_text("import no_such_module\n")
    assert found(function, "wave,lacking") == []
    assert b"cannot import lacking: ModuleNotFoundError: No module named 'no_such_module'" in function.log


@pytest.mark.parametrize("version", AIRFLOWS)
def test_the_list_of_the_image_serves_each_version_of_airflow(version: str, start: Start, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "AIRFLOW_HOME": str(tmp_path / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    function = begin(start, image_defaults.preload(), servers.VENVS / version / "bin", **home)
    # A module that each version of Airflow has, and those that cost a task most to import.
    modules = "airflow.settings"
    if not version.startswith("airflow-2"):
        modules += ",airflow.sdk.execution_time.execute_workload,airflow.sdk.execution_time.task_runner"

    def warm() -> list[str] | None:
        there = found(function, modules)
        assert b"modules cannot be loaded" not in function.log, function.log
        # A busy machine takes longer than commands wait for modules.
        return there or None

    assert servers.until("modules are loaded", warm, 180) == modules.split(",")
    assert b"cannot read certificates" not in function.log
