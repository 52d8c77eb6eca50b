"""Credentials come from Airflow's connection in any secrets backend, and are renewed before they expire. Rows B1 and
B4."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from conftest import Start
from lambda_executor import InvalidConfigError
from lambda_executor.airflow import LambdaExecutor, credentials, opening, options
from lambda_executor.airflow.credentials import Identity, Keys
from local_aws import LocalAws

CONN_ID = "elsewhere"
Store = Callable[[dict[str, Any] | None], None]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Writes a connection into a secrets backend that is not the environment."""
    file = tmp_path / "connections.json"
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", "airflow.secrets.local_filesystem.LocalFilesystemBackend")
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps({"connections_file_path": str(file)}))
    monkeypatch.setenv("AIRFLOW__AWS_LAMBDA_EXECUTOR__CONN_ID", CONN_ID)
    import airflow.configuration

    def write(connection: dict[str, Any] | None) -> None:
        file.write_text(json.dumps({} if connection is None else {CONN_ID: connection}))
        # Airflow reads the configuration of backends only once.
        backends = airflow.configuration.initialize_secrets_backends()
        monkeypatch.setattr(airflow.configuration, "secrets_backend_list", backends)

    return write


def connection(aws: LocalAws, **extra: Any) -> dict[str, Any]:
    return {
        "conn_type": "aws",
        "login": aws.access_key_id,
        "password": aws.secret_access_key,
        "extra": {"region_name": aws.region, "endpoint_url": aws.endpoint_url, **extra},
    }


def test_a_connection_of_a_secrets_backend(
    aws: LocalAws, start: Start, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_AWS_DEFAULT")
    store(connection(aws))
    scheduler = start()
    assert scheduler.until_ended(scheduler.queue()) == ["success"]


def test_the_library_reads_a_connection_in_the_environment(aws: LocalAws) -> None:
    """The library reads it completely, including roles, and renews the credentials."""
    found = credentials.identity("aws_default", None)
    assert found == Identity({"airflow": True, "conn_id": "aws_default"}, None, None, True)


def test_another_backends_connection_of_the_same_name_comes_first(
    aws: LocalAws, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow has the same order."""
    monkeypatch.setenv("AIRFLOW_CONN_ELSEWHERE", '{"conn_type": "aws", "login": "a", "password": "b"}')
    store(connection(aws))
    assert credentials.identity(CONN_ID, None).keys == Keys(aws.access_key_id, aws.secret_access_key, None)


def test_no_connection_is_the_default_chain(store: Store, caught: list[str]) -> None:
    store(None)
    assert credentials.identity(CONN_ID, None) == Identity({}, None, None, False)
    # Airflow 2 looks in its database last, and logs that it has no tables.
    assert all("no such table" in text for text in caught)
    caught.clear()


def test_keys_and_token_in_extra(store: Store) -> None:
    store(
        {
            "conn_type": "aws",
            "extra": {"aws_access_key_id": "a", "aws_secret_access_key": "b", "aws_session_token": "c"},
        }
    )
    found = credentials.identity(CONN_ID, None)
    assert found.options == {"credentials": dict(access_key_id="a", secret_access_key="b", session_token="c")}


def test_time_limits_and_region(store: Store) -> None:
    limits = {"connect_timeout": 2, "read_timeout": 1.5}
    store({"conn_type": "aws", "extra": {"region_name": "eu-west-1", "config_kwargs": limits}})
    expected = {"region_name": "eu-west-1", "connect_timeout_ms": 2000, "invoke_timeout_ms": 1500}
    assert credentials.identity(CONN_ID, None) == Identity(expected, None, None, False)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"login": "a"}, "login and password"),
        ({"extra": {"aws_access_key_id": "a"}}, "aws_access_key_id and aws_secret_access_key"),
        ({"extra": {"verify": False}}, "verify"),
        ({"extra": {"endpoint_url": "http://a", "service_config": {"sqs": {"endpoint_url": "http://b"}}}}, "endpoints"),
    ],
)
def test_an_unusable_connection_is_an_error(store: Store, changed: dict[str, Any], expected: str) -> None:
    """Another identity is never used instead."""
    store({"conn_type": "aws", **changed})
    with pytest.raises(InvalidConfigError) as error:
        credentials.identity(CONN_ID, None)
    assert expected in error.value.message


def test_a_role_without_the_amazon_provider_names_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "airflow.providers.amazon.aws.hooks.base_aws", None)
    store({"conn_type": "aws", "extra": {"role_arn": "arn:aws:iam::1:role/r"}})
    with pytest.raises(InvalidConfigError) as error:
        credentials.identity(CONN_ID, None)
    assert "role_arn needs the package apache-airflow-providers-amazon" in error.value.message


@pytest.mark.needs_amazon
def test_a_role_is_resolved_by_airflows_hook(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
    from botocore.credentials import RefreshableCredentials

    expires = datetime.now(timezone.utc) + timedelta(hours=1)

    class Session:
        def get_credentials(self) -> RefreshableCredentials:
            return RefreshableCredentials("a", "b", "c", expires, lambda: None, "assume-role")

    monkeypatch.setattr(AwsGenericHook, "get_session", lambda self, region_name=None: Session())
    store({"conn_type": "aws", "extra": {"role_arn": "arn:aws:iam::1:role/r", "region_name": "eu-west-1"}})
    found = credentials.identity(CONN_ID, None)
    assert (found.keys, found.expires) == (Keys("a", "b", "c"), expires)


def test_no_secret_is_shown() -> None:
    assert "secret" not in repr(Keys("id", "the secret", "a secret token"))


def opened(aws: LocalAws, identity: Any, monkeypatch: pytest.MonkeyPatch, patience: float = 10.0) -> opening.Opening:
    from airflow.configuration import conf

    given = options.read(conf)
    given.pop("conn_id", None)
    monkeypatch.setattr(opening, "SHORTEST_S", 0.05)
    made = opening.Opening(given, CONN_ID, None, identity)
    made.start(patience)
    return made


def identity_of(aws: LocalAws, keys: Keys, expires: datetime | None) -> Identity:
    named = {name: value for name, value in keys._asdict().items() if value is not None}
    endpoint = {"endpoint_url": aws.endpoint_url, "region_name": aws.region}
    return Identity({**endpoint, "credentials": named}, keys, expires, False)


def test_a_thread_renews_them_before_they_expire(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = Keys(aws.access_key_id, aws.secret_access_key, None), Keys("expired", "expired", None)
    threads, renewed = set(), threading.Event()

    def identity(conn_id: str, team: str | None) -> Identity:
        threads.add(threading.current_thread().name)
        soon = datetime.now(timezone.utc) + timedelta(seconds=0.4)
        if len(calls) == 0:
            calls.append(1)
            return identity_of(aws, bad, soon)
        renewed.set()
        return identity_of(aws, good, soon + timedelta(hours=1))

    calls: list[int] = []
    made = opened(aws, identity, monkeypatch)
    assert made.library is not None
    began = time.monotonic()
    assert renewed.wait(10)
    assert time.monotonic() - began < 5
    made.library.queue("t", ["true"])
    assert str(made.library.wait("t", timeout=20)) == "succeeded"
    assert threads == {"lambda-executor-credentials"}
    made.stop()
    made.library.close()


@pytest.mark.parametrize(("minutes", "expected"), [(None, 5), (60, 50), (25, 15), (10, 5), (-1, 0)])
def test_when_they_are_read_again(minutes: int | None, expected: int) -> None:
    """Those that last for so many minutes, or for ever."""
    expires = None if minutes is None else datetime.now(timezone.utc) + timedelta(minutes=minutes)
    assert round(opening._pause(Identity({}, None, expires, False)) / 60) == expected


def test_those_without_an_expiry_are_read_again(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys in a secrets backend may be replaced at any time."""
    monkeypatch.setattr(opening, "LOOK_AGAIN_S", 0.05)
    good = Keys(aws.access_key_id, aws.secret_access_key, None)
    replaced = [Keys("replaced", "replaced", None)] * 3

    def identity(conn_id: str, team: str | None) -> Identity:
        return identity_of(aws, replaced.pop() if replaced else good, None)

    succeeds(opened(aws, identity, monkeypatch))


def test_they_are_renewed_again_and_again_also_after_a_failure(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a role last for an hour, a scheduler for months."""
    names = ["first", "second", "", "third", ""]

    def identity(conn_id: str, team: str | None) -> Identity:
        soon = datetime.now(timezone.utc) + timedelta(seconds=0.1)
        name = names.pop(0) if names else aws.access_key_id
        if not name:
            raise ConnectionError("vault is sealed")
        secret = aws.secret_access_key if name == aws.access_key_id else "expired"
        return identity_of(aws, Keys(name, secret, None), soon)

    succeeds(opened(aws, identity, monkeypatch))


def succeeds(made: opening.Opening) -> None:
    """A task does, with the keys that come in the end."""
    assert made.library is not None
    made.library.queue("t", ["true"])
    assert str(made.library.wait("t", timeout=60)) == "succeeded"
    made.stop()
    made.library.close()


def test_a_backend_that_fails_is_asked_again(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(opening, "MOST_BACK_OFF_S", 0.05)
    keys = Keys(aws.access_key_id, aws.secret_access_key, None)
    calls: list[int] = []

    def identity(conn_id: str, team: str | None) -> Identity:
        calls.append(1)
        if len(calls) < 4:
            raise ConnectionError("vault is sealed")
        return identity_of(aws, keys, None)

    made = opened(aws, identity, monkeypatch)
    assert made.library is not None
    assert len(calls) == 4
    assert "vault is sealed" in caplog.text
    made.stop()
    made.library.close()


def test_tasks_wait_in_memory_while_a_backend_hangs(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scheduler starts and its heartbeats are short."""
    release = threading.Event()
    keys = Keys(aws.access_key_id, aws.secret_access_key, None)

    def identity(conn_id: str, team: str | None) -> Identity:
        release.wait(20)
        return identity_of(aws, keys, None)

    monkeypatch.setattr("lambda_executor.airflow.executor.OPENING_S", 0.1)
    monkeypatch.setattr(opening.Opening.__init__, "__defaults__", (identity,))
    executor = LambdaExecutor(parallelism=100)
    began = time.monotonic()
    executor.start()
    assert time.monotonic() - began < 10
    from scheduler import Scheduler, preassigned

    scheduler = Scheduler(executor)
    key, adopted = scheduler.queue(), preassigned("adopted")
    began = time.monotonic()
    scheduler.loop()
    assert list(executor.try_adopt_task_instances([adopted])) == []
    assert time.monotonic() - began < 1
    revoked = preassigned("revoked")
    scheduler.queue(ti=revoked)
    scheduler.loop()
    executor.revoke_task(ti=revoked)
    executor.debug_dump()
    release.set()
    assert scheduler.until_ended(key) == ["success"]
    assert len(executor.running) == 1
    # Neither the adopted task nor the revoked one.
    assert aws.stats()["events_accepted"] == 1
    executor.terminate()


def test_nothing_is_opened_after_the_end(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    release, returned = threading.Event(), threading.Event()

    def identity(conn_id: str, team: str | None) -> Identity:
        release.wait(20)
        returned.set()
        return Identity({}, None, None, False)

    made = opened(aws, identity, monkeypatch, patience=0.1)
    made.stop()
    release.set()
    assert returned.wait(10)
    made._thread.join(10)
    assert made.library is None
    assert not made._thread.is_alive()
