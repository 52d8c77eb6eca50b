"""`airflow providers list` and `airflow config list` show the package. Row X3."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from lambda_executor.airflow import options, provider

PROJECT = Path(__file__).resolve().parents[2] / "bindings" / "python" / "pyproject.toml"


@pytest.fixture(params=["with the Amazon provider", "without"])
def info(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(provider, "_installed", lambda name: request.param.startswith("with the"))
    return provider.get_provider_info()


def test_it_follows_airflows_schema(info: dict[str, Any]) -> None:
    import airflow
    import jsonschema

    schema = json.loads(Path(airflow.__file__).with_name("provider_info.schema.json").read_text())
    jsonschema.validate(info, schema)


def test_every_option_is_described(info: dict[str, Any]) -> None:
    for section, described in info["config"].items():
        assert section in (options.SHARED, options.OWN)
        for name, option in described["options"].items():
            assert option["description"], name
    assert "queues" in info["config"][options.OWN]["options"]


def test_the_shared_section_is_described_by_one_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Amazon provider describes the section if it is installed."""
    monkeypatch.setattr(provider, "_installed", lambda name: True)
    assert set(provider.get_provider_info()["config"]) == {options.OWN}
    monkeypatch.setattr(provider, "_installed", lambda name: False)
    assert set(provider.get_provider_info()["config"]) == {options.SHARED, options.OWN}


def test_defaults_of_our_options_do_not_override_a_connection(info: dict[str, Any]) -> None:
    assert {option["default"] for option in info["config"][options.OWN]["options"].values()} == {None}


def test_the_entry_point_names_it() -> None:
    text = PROJECT.read_text()
    found = re.search(r'apache_airflow_provider\]\nprovider_info = "([^"]+)"', text)
    assert found is not None
    entry = metadata.EntryPoint("provider_info", found[1], "apache_airflow_provider")
    assert entry.load() is provider.get_provider_info
    assert f'name = "{provider.PACKAGE}"' in text


def test_airflow_lists_it(tmp_path: Path) -> None:
    """As an installed package, with its metadata."""
    import os

    folder = tmp_path / "lambda_executor-0.2.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: lambda-executor\nVersion: 0.2.0\n")
    (folder / "entry_points.txt").write_text(
        "[apache_airflow_provider]\nprovider_info = lambda_executor.airflow.provider:get_provider_info\n"
    )
    (folder / "RECORD").write_text("")
    program = (
        "from airflow.providers_manager import ProvidersManager as P; m = P(); "
        "print('lambda-executor' in m.providers); "
        "print([n for n in m.executor_class_names if isinstance(n, str) and n.startswith('lambda_executor')] "
        "if hasattr(m, 'executor_class_names') else '');"
        # Up to Airflow 3.1, `airflow config list` does this first.
        "m.initialize_providers_configuration(); "
        "from airflow.configuration import conf; "
        "print(conf.configuration_description['lambda_executor']['options']['queues']['description'][:6])"
    )
    path = [str(tmp_path), *(entry for entry in sys.path if entry)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**os.environ, "PYTHONPATH": ":".join(path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "True" in lines
    assert "['lambda_executor.airflow.LambdaExecutor']" in lines
    assert "Routes" in lines
