"""The ctypes layer matches the header and what a C compiler makes of it."""

from __future__ import annotations

import ctypes
import importlib.util
import inspect
import re
import subprocess
from enum import IntEnum
from pathlib import Path

import processes
import pytest

from lambda_executor import Reason, State, Status, _native, errors

INCLUDE = processes.ROOT / "include"
HEADER = (INCLUDE / "lambda_executor.h").read_text()


def generated(header: str) -> str:
    spec = importlib.util.spec_from_file_location("generate", processes.ROOT / "bindings" / "python" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text: str = module.generate(header)
    return text


def structs() -> dict[str, type[ctypes.Structure]]:
    members = vars(_native).items()
    return {name: kind for name, kind in members if inspect.isclass(kind) and issubclass(kind, ctypes.Structure)}


def c_name(name: str) -> str:
    return "lambda_executor_" + re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() + "_t"


def defined(header: str, prefix: str) -> list[tuple[str, str]]:
    """Names and values of the header's constants."""
    found = re.findall(rf"^#define LAMBDA_EXECUTOR_{prefix}(\w+) +\(?(-?\d+)\)? ", header, re.MULTILINE)
    assert found
    return found


def test_the_committed_file_is_what_the_header_says_now() -> None:
    assert Path(_native.__file__).read_text() == generated(HEADER), "run bindings/python/generate.py"


def test_another_header_gives_another_file() -> None:
    changed = HEADER.replace("uint32_t attempts;", "uint64_t attempts;")
    assert changed != HEADER
    assert generated(changed) != generated(HEADER)


@pytest.mark.parametrize("value", ["0x10", "1.5", "(1 + 1)", '"text"'])
def test_a_constant_that_the_generator_does_not_understand_is_an_error(value: str) -> None:
    with pytest.raises(SystemExit, match="not understood"):
        generated(f"#define LAMBDA_EXECUTOR_NEW {value} /**< New. */\n{HEADER}")


@pytest.mark.parametrize("unknown", ["float ratio;", "struct stat *status;", "int32_t (*f)(void);"])
def test_what_the_generator_does_not_understand_is_an_error(unknown: str) -> None:
    with pytest.raises(SystemExit, match="not understood"):
        generated(HEADER.replace("  uint32_t attempts;", f"  {unknown}"))


def test_every_struct_and_function_is_there() -> None:
    assert {c_name(name) for name in structs()} == set(re.findall(r"^\} (\w+_t);", HEADER, re.MULTILINE))
    found = re.findall(r"^(?:LAMBDA_EXECUTOR_EXPORT .*?)?\b(lambda_executor_\w+)\(", HEADER, re.MULTILINE)
    assert set(_native.FUNCTIONS) == set(found)


def test_sizes_and_offsets_are_the_c_compilers(tmp_path: Path) -> None:
    ours, lines = [], []
    for name, kind in structs().items():
        ours.append(f"{name} {ctypes.sizeof(kind)}")
        lines.append(f'printf("{name} %zu\\n", sizeof({c_name(name)}));')
        for field, *_ in kind._fields_:
            descriptor = getattr(kind, field)
            ours.append(f"{name}.{field} {descriptor.offset} {descriptor.size}")
            member = f"(({c_name(name)} *)0)->{field}"
            lines.append(f'printf("{name}.{field} %zu %zu\\n", offsetof({c_name(name)}, {field}), sizeof({member}));')
    source = tmp_path / "layout.c"
    body = "\n".join(lines)
    source.write_text(f"#include <lambda_executor.h>\n#include <stdio.h>\nint main(void) {{\n{body}\nreturn 0;\n}}\n")
    program = tmp_path / "layout"
    subprocess.run(["cc", f"-I{INCLUDE}", "-o", str(program), str(source)], check=True)
    assert ours == subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize(("kind", "prefix"), [(State, "TASK_"), (Reason, "REASON_")])
def test_states_and_reasons_are_the_headers(kind: type[IntEnum], prefix: str) -> None:
    found = defined(HEADER, prefix)
    assert {member.name: int(member) for member in kind} == {name: int(number) for name, number in found}


def test_statuses_are_the_headers() -> None:
    declared = HEADER[HEADER.index("/* ---- Statuses ---") : HEADER.index("/* ---- Strings ---")]
    found = defined(declared, "")
    assert {status.name: int(status) for status in Status} == {name: int(number) for name, number in found}


def test_each_failure_has_a_class_of_its_own() -> None:
    failures = {status for status in Status if status < 0}
    assert failures <= set(errors.CLASSES)
    assert len(set(errors.CLASSES.values())) == len(errors.CLASSES)
    assert all(kind.status == status for status, kind in errors.CLASSES.items())


def test_numbers_of_a_newer_library_have_no_name_and_do_no_harm() -> None:
    reason = Reason(77)
    assert (reason, repr(reason), f"{reason}") == (77, "<Reason.UNNAMED_77: 77>", "unnamed_77")
