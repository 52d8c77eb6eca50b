"""Describes this package for `airflow providers list` and `airflow config list`. Must not import Airflow, which calls
it while it reads its configuration."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from lambda_executor import __version__

from . import options

PACKAGE = "lambda-executor"
# Airflow's provider describes the section that both executors read. Airflow accepts one description of a section.
AMAZON = "apache-airflow-providers-amazon"

_SECTIONS = {
    options.SHARED: "Options of ``lambda_executor.airflow.LambdaExecutor`` that Airflow's AwsLambdaExecutor has too.",
    options.OWN: "Options of ``lambda_executor.airflow.LambdaExecutor`` alone.",
}


def get_provider_info() -> dict[str, Any]:
    """The entry point `apache_airflow_provider`."""
    sections = [options.OWN] if _installed(AMAZON) else [options.SHARED, options.OWN]
    return {
        "package-name": PACKAGE,
        "name": "Lambda Executor",
        "description": "Runs tasks on AWS Lambda",
        "executors": ["lambda_executor.airflow.LambdaExecutor"],
        "config": {name: {"description": _SECTIONS[name], "options": _described(name)} for name in sections},
    }


def _described(section: str) -> dict[str, Any]:
    return {option["name"]: _option(option) for option in options.table() if option["section"] == section}


def _option(option: dict[str, Any]) -> dict[str, Any]:
    description, default = option["description"], option["default"]
    # In the description only: as `default` it would count as set, and override the settings of a connection.
    if default is not None and option["section"] == options.OWN:
        description, default = f"{description} Default: {_text(default)}.", None
    return {
        "description": description,
        "version_added": __version__,
        "type": "string" if option["type"] == "object" else option["type"],
        "example": None,
        "default": None if default is None else _text(default),
    }


def _text(default: Any) -> str:
    return str(default)


def _installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
