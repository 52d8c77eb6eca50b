"""The handler file that Airflow publishes for its Lambda executor, used from its installed package, never copied."""

import subprocess
from pathlib import Path
from typing import Any

import servers

# Uses the package's list of files, so that Airflow is not imported.
FIND = """
import importlib.metadata
files = importlib.metadata.files("apache-airflow-providers-amazon")
[handler] = [file for file in files if file.match("aws_lambda/docker/app.py")]
print(handler.locate())
"""


def find() -> Path:
    airflow = servers.VENVS / "airflow" / "bin" / "python"
    return Path(subprocess.run([airflow, "-I", "-c", FIND], capture_output=True, text=True, check=True).stdout.strip())


def options(handler: Path, home: Path) -> dict[str, Any]:
    """Options of the local server that run it under the real awslambdaric, with its own home as in its image."""
    python = servers.VENVS / "awslambdaric" / "bin" / "python"
    return {
        "handler": [str(python), "-m", "awslambdaric", f"{handler.stem}.lambda_handler"],
        "working_directory": str(handler.parent),
        "env": {"HOME": str(home)},
    }
