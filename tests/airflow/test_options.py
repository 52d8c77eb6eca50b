"""Airflow's configuration is the library's. One line of it switches between the executors."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from airflow.configuration import conf
from conftest import Start
from lambda_executor import _library
from lambda_executor.airflow import options
from local_aws import LocalAws

TABLE = Path(options.__file__).with_name("options.json")
# Options of the library that Airflow's executor sets by itself, or that have no meaning for it.
LEFT_OUT = {"airflow", "team", "credentials", "journal", "log", "running_events"}
REQUIRED = {"function_name", "queue_url", "dead_letter_queue_url"}
# Descriptions that differ for this executor.
DESCRIPTIONS = {
    "conn_id": "Airflow connection with the credentials, of any secrets backend. If there is no such connection, the "
    "AWS default chain is used.",
    "end_wait_timeout": "Seconds that the executor waits for running tasks before it ends. 0: no limit.",
}


def expected_table() -> list[dict[str, Any]]:
    schema = json.loads(_library.load().lambda_executor_config_schema())
    table = [
        {
            "section": options.SHARED if option["x-airflow"] else options.OWN,
            "name": name,
            # A choice of words has no type in the schema.
            "type": option.get("type", ["string"])[0],
            "required": name in REQUIRED,
            "default": option.get("default"),
            "description": DESCRIPTIONS.get(name, option["description"]),
        }
        for name, option in schema["properties"].items()
        if name not in LEFT_OUT
    ]
    return sorted(table, key=lambda option: (option["section"], option["name"]))


def test_the_table_is_the_librarys() -> None:
    """UPDATE=1 updates it."""
    text = json.dumps(expected_table(), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE"):
        TABLE.write_text(text, "utf-8")
    assert TABLE.read_text("utf-8") == text


def test_the_ten_options_of_airflows_executor() -> None:
    names = {option["name"] for option in options.table() if option["section"] == options.SHARED}
    assert names == {
        "function_name",
        "function_qualifier",
        "qualifier",
        "queue_url",
        "dead_letter_queue_url",
        "conn_id",
        "region_name",
        "check_health_on_startup",
        "max_invoke_attempts",
        "end_wait_timeout",
    }


def test_values_are_read_as_airflow_reads_them(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "AWS_LAMBDA_EXECUTOR__FUNCTION_QUALIFIER": "live",
        "AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS": "5.0",
        "AWS_LAMBDA_EXECUTOR__CHECK_HEALTH_ON_STARTUP": "F # not now",
        "AWS_LAMBDA_EXECUTOR__REGION_NAME": "",
        "LAMBDA_EXECUTOR__QUEUES": '{"big": {"function_name": "big"}}',
        "LAMBDA_EXECUTOR__MAX_RUNNING_TASKS": "7",
    }.items():
        monkeypatch.setenv(f"AIRFLOW__{name}", text)
    values = options.read(conf)
    values.pop("conn_id", None)
    values.pop("end_wait_timeout", None)
    assert values == {
        "function_name": aws.function_name,
        "queue_url": aws.queue_url,
        "dead_letter_queue_url": aws.dead_letter_queue_url,
        "function_qualifier": "live",
        "max_invoke_attempts": 5,
        "check_health_on_startup": False,
        "queues": {"big": {"function_name": "big"}},
        "max_running_tasks": 7,
    }


def test_the_file_is_read(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "get", wrapped := conf.get)
    monkeypatch.delenv("AIRFLOW__AWS_LAMBDA_EXECUTOR__FUNCTION_NAME")
    if not conf.has_section(options.SHARED):
        conf.add_section(options.SHARED)
    conf.set(options.SHARED, "function_name", "from the file")
    try:
        assert wrapped(options.SHARED, "function_name") == "from the file"
        assert options.read(conf)["function_name"] == "from the file"
    finally:
        conf.remove_option(options.SHARED, "function_name")


def test_a_local_aws_inside_the_scheduler(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a first try, without AWS."""
    monkeypatch.setenv("AIRFLOW__LAMBDA_EXECUTOR__LOCAL", '{"handler": "builtin"}')
    scheduler = start()
    assert scheduler.until_ended(scheduler.queue()) == ["success"]
