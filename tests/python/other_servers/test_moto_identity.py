"""Airflow connections end to end against moto.

Function and queues are in an account that only a role can access: moto distinguishes accounts by the signing key.
"""

import dataclasses
import json
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
from library import health_error, run_tasks

from .conftest import Deployment, archive, command

ROLE = "arn:aws:iam::222222222222:role/runner"
KEYS = {"login": "AKIDEXAMPLE000000000", "password": "not-a-secret"}


@dataclasses.dataclass(frozen=True)
class AirflowServer(servers.Server):
    """The library's environment for it has only an Airflow connection."""

    connection: str = ""
    home: str = ""

    def environment(self) -> dict[str, str]:
        return {
            **servers.clean_environment(),
            "AIRFLOW_HOME": self.home,
            "HOME": self.home,
            "AIRFLOW_CONN_AWS_DEFAULT": self.connection,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@dataclasses.dataclass(frozen=True)
class Elsewhere:
    """A deployment in the role's account; its server is accessed with the role's credentials."""

    deployment: Deployment
    home: Path

    def seen_by(self, region: str = "us-east-1", *, keys: dict[str, str] = KEYS, **extra: object) -> AirflowServer:
        server = self.deployment.server
        endpoint = {"endpoint_url": server.endpoint_url}
        services = {"service_config": {name: endpoint for name in ("lambda", "sqs", "sts")}}
        settings = json.dumps({"conn_type": "aws", **keys, "extra": {**services, "region_name": region, **extra}})
        return AirflowServer(server.kind, server.endpoint_url, home=str(self.home), connection=settings)

    @property
    def config(self) -> dict[str, Any]:
        # Endpoint and region come from the connection.
        return {**self.deployment.config, "airflow": True, "endpoint_url": None, "region_name": None}

    def run(self, server: servers.Server) -> int:
        """The return code of a task whose result this test puts into the queue."""

        def put() -> None:
            body = json.dumps({"task_key": "k", "return_code": 3})
            self.deployment.server.sqs().send_message(QueueUrl=self.deployment.queue_url, MessageBody=body)

        finals = run_tasks(server, self.config, [command("k", "true")], check_health=True, when_running=put)
        code: int = finals["k"]["return_code"]
        return code


@pytest.fixture
def elsewhere(moto: servers.Server, tmp_path: Path) -> Iterator[Elsewhere]:
    name = f"f-{uuid.uuid4()}"
    keys = moto.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    role = servers.Server(
        "moto",
        moto.endpoint_url,
        access_key_id=keys["AccessKeyId"],
        secret_access_key=keys["SecretAccessKey"],
        session_token=keys["SessionToken"],
    )
    sqs, functions = role.sqs(), role.awslambda()
    queue, letters = (sqs.create_queue(QueueName=f"{name}-{kind}")["QueueUrl"] for kind in ("results", "letters"))
    role.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    functions.create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Role=f"arn:aws:iam::222222222222:role/{name}",
        Handler="bootstrap",
        Code={"ZipFile": archive("bootstrap", "#!/bin/sh\n")},
    )
    yield Elsewhere(Deployment(role, name, queue, letters), tmp_path)
    for url in (queue, letters):
        sqs.delete_queue(QueueUrl=url)
    functions.delete_function(FunctionName=name)


def test_a_role_is_assumed_and_its_credentials_are_used(elsewhere: Elsewhere) -> None:
    assert "/222222222222/" in elsewhere.deployment.queue_url
    kwargs = {"ExternalId": "x", "DurationSeconds": 900, "Tags": [{"Key": "k", "Value": "v"}]}
    assert elsewhere.run(elsewhere.seen_by(role_arn=ROLE, assume_role_kwargs=kwargs)) == 3


def test_the_same_keys_without_the_role_find_nothing(elsewhere: Elsewhere) -> None:
    error = health_error(elsewhere.seen_by(), elsewhere.config)
    assert f"function `{elsewhere.deployment.function_name}` was not found in us-east-1" in error


def test_a_web_identity_assumes_the_role(elsewhere: Elsewhere) -> None:
    token = elsewhere.home / "token"
    token.write_text("not-a-real-token\n")
    method = {
        "assume_role_method": "assume_role_with_web_identity",
        "assume_role_with_web_identity_token_file": str(token),
    }
    server = elsewhere.seen_by(keys={}, role_arn=ROLE, **method)
    assert elsewhere.run(server) == 3
    token.unlink()
    error = health_error(server, elsewhere.config)
    assert f"no credentials from role `{ROLE}`, assumed with a web identity token" in error
    assert f"the web identity token file {token} cannot be read" in error


def test_a_wrong_region_and_a_missing_queue_are_reported(elsewhere: Elsewhere) -> None:
    error = health_error(elsewhere.seen_by("eu-west-1", role_arn=ROLE), elsewhere.config)
    assert f"function `{elsewhere.deployment.function_name}` was not found in eu-west-1" in error
    missing = elsewhere.deployment.queue_url + "-none"
    error = health_error(elsewhere.seen_by(role_arn=ROLE), {**elsewhere.config, "queue_url": missing})
    assert f"queue {missing} does not exist" in error


def test_a_role_that_cannot_be_assumed_is_reported_with_the_caller(moto: servers.Server, elsewhere: Elsewhere) -> None:
    server = elsewhere.seen_by(keys={"login": "AKIAUNKNOWN", "password": "hush-hush"}, role_arn=ROLE)
    refuse_other_keys(moto, "0")
    try:
        error = health_error(server, elsewhere.config)
    finally:
        refuse_other_keys(moto, "inf")
    assert f"no credentials from role `{ROLE}`, assumed with the given keys" in error
    assert "STS answered with status 403" in error
    assert "hush" not in error


def refuse_other_keys(moto: servers.Server, after: str) -> None:
    """After this number of requests moto checks the signing key."""
    url = f"{moto.endpoint_url}/moto-api/reset-auth"
    plain = {"Content-Type": "text/plain"}
    servers.ask(urllib.request.Request(url, after.encode(), plain, method="POST"))


def test_a_malformed_connection_is_an_error_and_no_other_identity_is_used(elsewhere: Elsewhere) -> None:
    server = dataclasses.replace(elsewhere.seen_by(), connection="aws://AKID:hush/hush@/")
    error = health_error(server, elsewhere.config)
    assert "AIRFLOW_CONN_AWS_DEFAULT: its port is not a number" in error
    assert "hush" not in error
