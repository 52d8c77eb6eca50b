"""Adds the library and its programs to the wheel, and their platform to its name.

Without these variables the wheel is pure Python, for an installed library.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "LAMBDA_EXECUTOR_WHEEL_BINARIES"
PLATFORM = "LAMBDA_EXECUTOR_WHEEL_PLATFORM"

# Name in the folder: name in the wheel.
BINARIES = {
    "liblambda_executor.so": "liblambda_executor.so.1",
    "lambda-executor-local": "lambda-executor-local",
    "lambda-executor-function": "lambda-executor-function",
}


class WheelBinaries(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        folder = os.environ.get(FOLDER)
        if not folder or self.target_name != "wheel":
            return
        for source, name in BINARIES.items():
            build_data["force_include"][str(Path(folder, source))] = f"lambda_executor/_binaries/{name}"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{os.environ[PLATFORM]}"
