"""Reads connections as Airflow and its Amazon provider do. Runs in Airflow's environment.

in: {"environment": {"NAME": "value"}, "conn_id": "aws_default", "team": "blue" or null}, one a line
out: {"found": false}, {"found": true, "keys": [...], ...}, or {"error": "..."}
"""

import json
import os
import sys
import warnings
from typing import Any

from airflow.models.connection import Connection  # type: ignore[import-not-found]
from airflow.providers.amazon.aws.hooks.base_aws import BaseSessionFactory  # type: ignore[import-not-found]
from airflow.providers.amazon.aws.utils.connection_wrapper import (  # type: ignore[import-not-found]
    AwsConnectionWrapper,
)
from airflow.secrets.environment_variables import EnvironmentVariablesBackend  # type: ignore[import-not-found]


def read(conn_id: str, team: str | None) -> dict[str, Any]:
    backend = EnvironmentVariablesBackend()
    backend._set_connection_class(Connection)
    connection = backend.get_connection(conn_id, team_name=team)
    if connection is None:
        return {"found": False}
    wrapper = AwsConnectionWrapper(conn=connection)
    keys = [wrapper.aws_access_key_id, wrapper.aws_secret_access_key, wrapper.aws_session_token]
    config = wrapper.botocore_config
    # Settings that are not set have botocore's defaults, which differ from ours: leave them out.
    given = config._user_provided_options if config else {}
    return {
        "found": True,
        "keys": None if keys == [None] * 3 else keys,
        "region": wrapper.region_name,
        "profile": wrapper.profile_name,
        "role": role(wrapper) if wrapper.role_arn else None,
        "endpoints": [
            wrapper.get_service_endpoint_url("lambda"),
            wrapper.get_service_endpoint_url("sqs"),
            # The hook assumes roles here.
            wrapper.get_service_endpoint_url("sts", sts_connection_assume=True),
        ],
        "timeouts": [given.get("connect_timeout"), given.get("read_timeout")],
        "verify": None if wrapper.verify is True else wrapper.verify,
    }


def role(wrapper: AwsConnectionWrapper) -> dict[str, Any]:
    """The hook's request to STS."""
    factory = BaseSessionFactory(conn=wrapper)
    arguments = dict(wrapper.assume_role_kwargs)
    token_file = None
    if wrapper.assume_role_method == "assume_role":
        name = factory._strip_invalid_session_name_characters(f"Airflow_{wrapper.conn_id}")
        arguments = {"RoleSessionName": name, **arguments}
    elif wrapper.assume_role_method == "assume_role_with_web_identity":
        factory._get_web_identity_credential_fetcher()
        token_file = factory._get_file_token_loader()._web_identity_token_path
    return {
        "arn": wrapper.role_arn,
        "method": wrapper.assume_role_method,
        "token_file": token_file,
        "arguments": arguments,
    }


def main() -> None:
    warnings.simplefilter("ignore")
    # Redirect standard output: the import of Airflow may print.
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        case = json.loads(line)
        for name in [name for name in os.environ if name.startswith(("AIRFLOW_CONN_", "AWS_"))]:
            del os.environ[name]
        os.environ.update(case["environment"])
        try:
            answer = read(case["conn_id"], case["team"])
        except Exception as error:  # with any error the hook continues without the connection
            answer = {"error": repr(error)[:300]}
        print(json.dumps(answer), flush=True)


main()
