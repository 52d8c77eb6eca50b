"""Large workloads and arguments. Linux accepts arguments below 128 KiB; Airflow's module also reads a file."""

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from .conftest import Function, Start

MODULE = "airflow.sdk.execution_time.execute_workload"

# Replaces `python`: prints its arguments, and reads the workload like Airflow's module.
FAKE_PYTHON = f"""#!{sys.executable} -I
import hashlib, json, os, stat, sys
dash_m, module, option, given = sys.argv[1:]
seen = {{"module": [dash_m, module], "option": option}}
if option == "--json-path":
    seen["mode"] = oct(stat.S_IMODE(os.stat(given).st_mode))
    seen["path"] = given
    with open(given, "rb") as file:
        given = file.read()
else:
    given = os.fsencode(given)
seen["sha256"] = hashlib.sha256(given).hexdigest()
print(json.dumps(seen))
"""


@pytest.fixture
def airflow(start: Start, tmp_path: Path) -> Function:
    """A function whose `python` is the one above."""
    folder = tmp_path / "bin"
    folder.mkdir()
    python = folder / "python"
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)
    return start(env={"PATH": f"{folder}:{os.environ['PATH']}"})


def workload(length: int) -> str:
    """A workload of this length in Airflow's format. It has quotes, which the event escapes."""
    text = json.dumps({"token": "", "ti": {"task_id": "t", "map_index": -1}, "type": "ExecuteTask"})
    return text.replace('"token": ""', f'"token": "{"j" * (length - len(text))}"')


@pytest.mark.parametrize(
    ("length", "option"),
    [(120 * 1024, "--json-string"), (131_071, "--json-string"), (131_072, "--json-path"), (900 * 1024, "--json-path")],
)
def test_a_workload_arrives_whole(airflow: Function, length: int, option: str) -> None:
    """E2: as an argument if it fits, else in a file readable by this user only, which is removed with the command."""
    given = workload(length)
    assert len(given) == length
    final = airflow.run_one(["python", "-m", MODULE, "--json-string", given])
    assert (final["state"], final["return_code"]) == ("succeeded", 0), final["output_tail"]
    seen = json.loads(final["output_tail"])
    assert seen["module"] == ["-m", MODULE]
    assert seen["option"] == option
    assert seen["sha256"] == hashlib.sha256(given.encode()).hexdigest()
    if option == "--json-path":
        assert seen["mode"] == "0o600"
        assert not Path(seen["path"]).exists()


def test_an_argument_of_120_kb(shared: Function) -> None:
    """E2: any command accepts an argument of this length."""
    final = shared.run_one(["sh", "-c", 'printf %s "$1" | wc -c', "sh", "x" * 120 * 1024])
    assert (final["state"], final["output_tail"].strip()) == ("succeeded", str(120 * 1024))


@pytest.mark.parametrize("form", [list, str])
def test_an_argument_that_is_too_long_is_reported(shared: Function, form: type) -> None:
    """E2: a command other than Airflow's has no option for a file."""
    command = ["true", "x" * 900_000] if form is list else "true " + "x" * 900_000
    final = shared.run_one(command)
    assert (final["state"], final["reason"], final["return_code"]) == ("failed", "setup_failed", 126)
    assert "and Linux takes at most 131071" in final["output_tail"]
    assert "xxx" not in final["output_tail"]


@pytest.mark.parametrize(("length", "variable"), [(120 * 1024, "_CONFIG"), (900_000, "_CONFIG_FILE")])
def test_a_large_executor_config_arrives_whole(shared: Function, length: int, variable: str) -> None:
    """E2: in the environment if it fits, else in a file."""
    show = f'printf %s "$LAMBDA_EXECUTOR{variable}"' if variable == "_CONFIG" else 'cat "$LAMBDA_EXECUTOR_CONFIG_FILE"'
    config = {"pad": "x" * length}
    final = shared.run_one(f"{show} | sha256sum", executor_config=config)
    # White space may differ.
    forms = [json.dumps(config, separators=separators).encode() for separators in ((",", ":"), (", ", ": "))]
    assert final["output_tail"].split()[0] in [hashlib.sha256(form).hexdigest() for form in forms]
