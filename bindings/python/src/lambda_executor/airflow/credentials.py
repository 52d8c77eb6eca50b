"""AWS credentials from Airflow's connection, in any secrets backend.

The library itself reads a connection in the environment, and renews its credentials. For other connections, this module
passes the keys to the library; the hook of apache-airflow-providers-amazon resolves roles, profiles and web identities.
Without a connection the library uses the AWS default chain, as Airflow's own executor does.

All functions may wait on the network. They run in a thread of their own.
"""

from __future__ import annotations

import inspect
import os
from datetime import datetime, timezone
from typing import Any, NamedTuple

from lambda_executor import InvalidConfigError

# Extras that only the Amazon provider's hook can resolve.
_NEEDS_HOOK = ("role_arn", "assume_role_method", "profile_name", "session_kwargs")
_KEYS = ("aws_access_key_id", "aws_secret_access_key")


class Keys(NamedTuple):
    """AWS credentials, as `Executor.set_credentials` takes them."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None

    def __repr__(self) -> str:
        return f"Keys({self.access_key_id})"


class Identity(NamedTuple):
    """The AWS settings of a connection."""

    options: dict[str, Any]
    """Options of the library, including the credentials. Options in Airflow's configuration override them."""
    keys: Keys | None
    """None: the library finds the credentials itself."""
    expires: datetime | None
    """When the keys expire, if they do."""
    renewed_by_library: bool
    """The connection is in the environment, and so does not change."""


def identity(conn_id: str, team: str | None) -> Identity:
    """Reads the connection. Raises InvalidConfigError if it cannot be used. Also raises exceptions of the secrets
    backend and of AWS."""
    connection = _connection(conn_id, team)
    if connection is None:
        return Identity({}, None, None, False)
    if _in_environment(connection, conn_id, team):
        native: dict[str, Any] = {"airflow": True, "conn_id": conn_id}
        return Identity({**native, "team": team} if team else native, None, None, True)
    extra = connection.extra_dejson
    options = _options(conn_id, extra)
    keys: Keys | None
    expires: datetime | None = None
    if any(extra.get(name) for name in _NEEDS_HOOK):
        keys, expires = _resolved(conn_id, extra, options.get("region_name"))
    else:
        keys = _static(conn_id, connection, extra)
    if keys is not None:
        options["credentials"] = {name: value for name, value in keys._asdict().items() if value is not None}
    return Identity(options, keys, expires, False)


def _connection(conn_id: str, team: str | None) -> Any:
    from airflow.exceptions import AirflowNotFoundException
    from airflow.models.connection import Connection

    look_up = Connection.get_connection_from_secrets
    try:
        if team and "team_name" in inspect.signature(look_up).parameters:
            return look_up(conn_id, team_name=team)
        # Airflow 3.1 has teams, but does not look for their connections.
        return (_environments(_name(conn_id, team), conn_id) if team else None) or look_up(conn_id)
    except AirflowNotFoundException:
        return None


def _in_environment(connection: Any, conn_id: str, team: str | None) -> bool:
    """True if Airflow's connection is the one in the environment. Another backend may have one of the same name."""
    there = _environments(_name(conn_id, team), conn_id) if team else None
    there = there or _environments(_name(conn_id, None), conn_id)
    return there is not None and bool(there.get_uri() == connection.get_uri())


def _name(conn_id: str, team: str | None) -> str:
    """The environment variable of a connection."""
    return f"AIRFLOW_CONN__{team.upper()}___{conn_id.upper()}" if team else f"AIRFLOW_CONN_{conn_id.upper()}"


def _environments(name: str, conn_id: str) -> Any:
    """The connection in an environment variable, or None."""
    from airflow.models.connection import Connection

    text = os.environ.get(name)
    if not text:
        return None
    return Connection.from_json(text, conn_id) if text.startswith("{") else Connection(conn_id=conn_id, uri=text)


def _options(conn_id: str, extra: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if region := extra.get("region_name"):
        options["region_name"] = region
    if endpoint := _endpoint(conn_id, extra):
        options["endpoint_url"] = endpoint
    limits = extra.get("config_kwargs") or {}
    for name, option in (("connect_timeout", "connect_timeout_ms"), ("read_timeout", "invoke_timeout_ms")):
        if limits.get(name):
            options[option] = round(float(limits[name]) * 1000)
    if extra.get("verify") not in (None, True):
        raise InvalidConfigError(
            f"connection {conn_id}: `verify` works only for a connection in the environment (AIRFLOW_CONN_...)"
        )
    return options


def _endpoint(conn_id: str, extra: dict[str, Any]) -> str | None:
    services = extra.get("service_config") or {}
    common = extra.get("endpoint_url")
    found = {(services.get(name) or {}).get("endpoint_url", common) for name in ("lambda", "sqs")}
    if len(found) > 1:
        raise InvalidConfigError(
            f"connection {conn_id}: different endpoints of lambda and sqs work only for a connection in the "
            f"environment (AIRFLOW_CONN_...)"
        )
    return found.pop()


def _static(conn_id: str, connection: Any, extra: dict[str, Any]) -> Keys | None:
    access, secret = connection.login, connection.password
    if not (access and secret):
        if access or connection.password:
            raise InvalidConfigError(f"connection {conn_id}: login and password (key id and secret) go together")
        access, secret = (extra.get(name) for name in _KEYS)
        if bool(access) != bool(secret):
            raise InvalidConfigError(f"connection {conn_id}: {' and '.join(_KEYS)} go together")
    return Keys(access, secret, extra.get("aws_session_token")) if access and secret else None


def _resolved(conn_id: str, extra: dict[str, Any], region: str | None) -> tuple[Keys, datetime | None]:
    try:
        from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
    except ImportError:
        named = ", ".join(name for name in _NEEDS_HOOK if extra.get(name))
        raise InvalidConfigError(
            f"connection {conn_id}: {named} needs the package apache-airflow-providers-amazon: install it, or put the "
            f"connection into the environment (AIRFLOW_CONN_...)"
        ) from None
    credentials = (
        AwsGenericHook(aws_conn_id=conn_id, region_name=region).get_session(region_name=region).get_credentials()
    )
    if credentials is None:
        raise InvalidConfigError(f"connection {conn_id}: it has no credentials")
    frozen = credentials.get_frozen_credentials()
    expires = getattr(credentials, "_expiry_time", None)
    return Keys(frozen.access_key, frozen.secret_key, frozen.token or None), expires


def seconds_left(expires: datetime) -> float:
    return (expires - datetime.now(timezone.utc)).total_seconds()
