"""Finds the shared library and loads it, once a process."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from pathlib import Path

from . import _native

VARIABLE = "LAMBDA_EXECUTOR_LIBRARY"
NAME = "liblambda_executor.so.1"
# Where a wheel has the library and the programs that the library starts.
BINARIES = Path(__file__).with_name("_binaries")


def path() -> str:
    """The library's file: the one that the environment names, else the wheel's, else the system's."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    ours = BINARIES / NAME
    return str(ours) if ours.exists() else NAME


@cache
def load() -> ctypes.CDLL:
    """The library with all its functions declared. Its calls release the GIL."""
    file = path()
    try:
        library = ctypes.CDLL(file)
    except OSError as why:
        raise ImportError(
            f"the library of lambda_executor was not loaded: {why}. Install the wheel, which contains it, or the "
            f"library itself (make install), or set {VARIABLE} to its file"
        ) from why
    try:
        abi = library.lambda_executor_abi_version
    except AttributeError as why:
        raise ImportError(f"{file} is not the library of lambda_executor: {why}") from why
    abi.restype, abi.argtypes = ctypes.c_uint32, []
    if abi() != _native.ABI_VERSION:
        raise ImportError(
            f"{file} has ABI {abi()}, this version of the package lambda_executor needs ABI {_native.ABI_VERSION}: "
            f"install the library and the package in the same version"
        )
    try:
        _native.declare(library)
    except AttributeError as why:
        raise ImportError(f"{file} is older than this version of the package lambda_executor: {why}") from why
    return library


@cache
def load_holding_python() -> ctypes.PyDLL:
    """The same library. Its calls keep the GIL."""
    library = ctypes.PyDLL(load()._name)
    _native.declare(library)
    return library


def version() -> str:
    """Version of the library, such as "0.1.0"."""
    text: bytes = load().lambda_executor_version_string()
    return text.decode()


def local() -> None:
    """Replaces this process with the wheel's program lambda-executor-local."""
    program = BINARIES / "lambda-executor-local"
    if not program.exists():
        raise SystemExit(
            "lambda-executor-local: this installation of the Python package does not contain the program; "
            "`make install` of lambda-executor installs it"
        )
    os.execv(program, ["lambda-executor-local", *sys.argv[1:]])
