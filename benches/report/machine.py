"""The machine and the versions, for the head of the report. No path and no host name."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from .contender import BUILD, ROOT


def describe(library: Path) -> dict[str, str]:
    memory_gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    airflow = ROOT / "build" / "venvs" / "airflow"
    packages = {
        "Airflow": (airflow, "apache_airflow_core"),
        "its Amazon provider": (airflow, "apache_airflow_providers_amazon"),
    }
    packages |= {name: (BUILD / "venv", name.lower()) for name in ("boto3", "Lithops")}
    locked = (ROOT / "benches" / "contenders" / "rust" / "Cargo.lock").read_text()
    crates = {name: re.search(rf'name = "{name}"\nversion = "([^"]+)"', locked) for name in CRATES}
    described = {
        "measured at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processors": f"{os.cpu_count()} of {_model()}, {memory_gb:.0f} GB of memory",
        "system": f"Linux {platform.release()}",
        "library": f"{_library()}, {_stripped_mb(library)} stripped",
        "compilers": f"{_first('rustc', '--version')}; {_first('cc', '--version')}; {_first('go', 'version')}",
        "Python": platform.python_version(),
        "crates": ", ".join(f"{name} {found[1]}" for name, found in crates.items() if found),
    }
    versions = {title: _installed(*where) for title, where in packages.items()}
    described["packages"] = ", ".join(f"{title} {version}" for title, version in versions.items() if version)
    return {name: text for name, text in described.items() if text}


CRATES = ("hyper", "aws-sigv4", "aws-sdk-lambda", "aws-sdk-sqs")


def _library() -> str:
    commit = _first("git", "-C", str(ROOT), "describe", "--always", "--dirty")
    version = re.search(r'^version = "([^"]+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    return f"{version[1] if version else ''} ({commit})"


def _stripped_mb(library: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        stripped = Path(folder) / library.name
        done = subprocess.run(["strip", "-o", stripped, library], capture_output=True)
        return f"{(stripped if done.returncode == 0 else library).stat().st_size / 1e6:.1f} MB"


def _model() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _first(*command: str) -> str:
    try:
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    return printed.splitlines()[0]


def _installed(environment: Path, package: str) -> str:
    for folder in environment.glob(f"lib/python3*/site-packages/{package}-*.dist-info"):
        return folder.name.removesuffix(".dist-info").rpartition("-")[2]
    return ""
