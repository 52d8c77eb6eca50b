#!/usr/bin/env python3
"""Writes src/lambda_executor/_native.py from include/lambda_executor.h; with --check only compares.

It reads the regular form of the header, as cbindgen writes it, and not C in general. Anything else is an error, and
never skipped. Macros that have no use in Python are listed in C_ONLY.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
HEADER = HERE.parents[1] / "include" / "lambda_executor.h"
NATIVE = HERE / "src" / "lambda_executor" / "_native.py"

PREFIX = "lambda_executor_"
SCALARS = {
    "int": ("ctypes.c_int", "int"),
    "int32_t": ("ctypes.c_int32", "int"),
    "uint32_t": ("ctypes.c_uint32", "int"),
    "int64_t": ("ctypes.c_int64", "int"),
    "uint64_t": ("ctypes.c_uint64", "int"),
    "size_t": ("ctypes.c_size_t", "int"),
}
# Macros without use in Python: attributes, initialisers, and the include guard.
C_ONLY = {"H", "EXPORT", "MUST_CHECK", "INLINE", "STR", "TASK_INIT", "COUNTS_INIT"}


class Field(NamedTuple):
    ctype: str
    annotation: str
    name: str


class Types:
    """The types that the header has declared so far."""

    def __init__(self) -> None:
        self.scalars = dict(SCALARS)
        self.opaque: set[str] = set()
        self.structs: dict[str, str] = {}
        self.callbacks: dict[str, str] = {}

    def of(self, declaration: str) -> Field:
        """The field or parameter of a C declaration."""
        # An array parameter is a pointer.
        declaration = re.sub(r"\s*(\w+)\[\w*\]$", r" *\1", declaration)
        match = re.fullmatch(r"(.*?)\s*(\w+)", declaration)
        if match is None:
            raise SystemExit(f"{HEADER.name}: not understood: {declaration!r}")
        return Field(*self.pointed(match[1]), match[2])

    def pointed(self, text: str) -> tuple[str, str]:
        """ctypes name and Python annotation of a C type."""
        base = re.sub(r"\bconst\b|\bstruct\b|\s", "", text)
        depth = base.count("*")
        base = base.rstrip("*")
        if base in self.scalars and depth <= 1:
            name, annotation = self.scalars[base]
            return (name, annotation) if depth == 0 else (f"ctypes.POINTER({name})", "Any")
        if base == "char" and depth == 1:
            return "ctypes.c_char_p", "bytes | None"
        if base == "char" and depth == 2:
            return "ctypes.POINTER(ctypes.c_char_p)", "Any"
        if (base in self.opaque or base == "void") and depth == 1:
            return "ctypes.c_void_p", "int | None"
        if base in self.opaque and depth == 2:
            return "ctypes.POINTER(ctypes.c_void_p)", "Any"
        if base in self.structs and depth <= 1:
            name = self.structs[base]
            return (name, name) if depth == 0 else (f"ctypes.POINTER({name})", "Any")
        if base in self.callbacks and depth == 0:
            return self.callbacks[base], "Any"
        raise SystemExit(f"{HEADER.name}: type not understood: {text!r}")


def python_name(c_name: str) -> str:
    """lambda_executor_log_record_t -> LogRecord"""
    return "".join(part.title() for part in c_name[len(PREFIX) :].removesuffix("_t").split("_"))


def constants(text: str) -> list[str]:
    """The numeric macros of the header, without their prefix."""
    lines = []
    for line in re.findall(r"^#define (.*)$", text.replace("\\\n", " "), re.MULTILINE):
        match = re.fullmatch(r"LAMBDA_EXECUTOR_(\w+)(\(.*?\))? *(.*?) *(/\*.*)?", line)
        if match is None:
            raise SystemExit(f"{HEADER.name}: not understood: #define {line}")
        name, _, value, _ = match.groups()
        if name in C_ONLY:
            continue
        if value == "((size_t)-1)":
            lines.append(f"{name} = ctypes.c_size_t(-1).value")
        elif number := re.fullmatch(r"(\d+)u?|\((-\d+)\)", value):
            lines.append(f"{name} = {number[1] or number[2]}")
        else:
            raise SystemExit(f"{HEADER.name}: value of {name} not understood: {value!r}")
    return lines


def without_comments(text: str) -> str:
    text = re.sub(r"/\*.*?\*/", "", text.replace("\\\n", " "), flags=re.DOTALL)
    text = re.sub(r'extern "C" \{|^ *#.*$|\bLAMBDA_EXECUTOR_(EXPORT|MUST_CHECK)\b', "", text, flags=re.MULTILINE)
    # Without functions that have a body, which are for C only.
    text = re.sub(r"^static LAMBDA_EXECUTOR_INLINE .*?^\}", "", text, flags=re.MULTILINE | re.DOTALL)
    return text.replace("}  \n", "")


def statements(text: str) -> list[str]:
    """The declarations of the header, one line each. A semicolon outside of braces ends one."""
    found, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if character == ";" and depth == 0:
            found.append(" ".join(text[start:at].split()))
            start = at + 1
    return found


def generate(header: str) -> str:
    types = Types()
    structs: list[str] = []
    functions: list[str] = []
    for statement in statements(without_comments(header)):
        # The closing brace of extern "C" comes last and ends no declaration.
        if match := re.fullmatch(r"typedef struct (\w+) (\w+)", statement):
            types.opaque.add(match[2])
        elif match := re.fullmatch(r"typedef (\w+) (\w+)", statement):
            types.scalars[match[2]] = types.scalars[match[1]]
        elif match := re.fullmatch(r"typedef struct \w+ \{(.*)\} (\w+)", statement):
            fields = [types.of(line.strip()) for line in match[1].split(";") if line.strip()]
            name = types.structs[match[2]] = python_name(match[2])
            structs.append(struct(name, fields))
        elif match := re.fullmatch(r"typedef void \(\*(\w+)\)\((.*)\)", statement):
            parameters = [types.of(part.strip()).ctype for part in match[2].split(",")]
            name = types.callbacks[match[1]] = python_name(match[1])
            structs.append(f"{name} = ctypes.CFUNCTYPE(None, {', '.join(parameters)})\n")
        elif match := re.fullmatch(r"(.*?)\s*\b(\w+)\((.*)\)", statement):
            functions.append(function(types, *match.groups()))
        else:
            raise SystemExit(f"{HEADER.name}: not understood: {statement!r}")
    return TEMPLATE.format(
        constants="\n".join(constants(header)), structs="\n\n".join(structs).strip(), functions="\n".join(functions)
    )


def struct(name: str, fields: list[Field]) -> str:
    lines = [f"class {name}(ctypes.Structure):"]
    lines += [f"    {field.name}: {field.annotation}" for field in fields]
    lines += ["    _fields_ = ["]
    lines += [f'        ("{field.name}", {field.ctype}),' for field in fields]
    return "\n".join([*lines, "    ]\n"])


def function(types: Types, result: str, name: str, parameters: str) -> str:
    restype = "None" if result == "void" else types.pointed(result)[0]
    argtypes = [] if parameters == "void" else [types.of(part.strip()).ctype for part in parameters.split(",")]
    arguments = "".join(f"\n            {argument}," for argument in argtypes)
    listed = f"[{arguments}\n        ]" if arguments else "[]"
    return f'    "{name}": (\n        {restype},\n        {listed},\n    ),'


TEMPLATE = '''"""The C API as ctypes sees it. Generated from include/lambda_executor.h by generate.py: do not edit."""

from __future__ import annotations

import ctypes
from typing import Any

{constants}


{structs}

# Name: type of the result, types of the parameters.
FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {{
{functions}
}}


def declare(library: ctypes.CDLL) -> None:
    """Declares the types of all functions of a loaded library."""
    for name, (restype, argtypes) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = restype
        function.argtypes = argtypes
'''


def main() -> None:
    fresh = generate(HEADER.read_text())
    if sys.argv[1:] == ["--check"]:
        if not NATIVE.exists() or NATIVE.read_text() != fresh:
            raise SystemExit(f"{NATIVE.name} does not match {HEADER.name}: run bindings/python/generate.py")
    elif sys.argv[1:]:
        raise SystemExit(f"usage: {Path(__file__).name} [--check]")
    else:
        NATIVE.write_text(fresh)


if __name__ == "__main__":
    main()
