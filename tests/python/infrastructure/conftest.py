"""The template, deployed on moto: once with defaults, once with all options."""

import ast
import ctypes
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import servers
from botocore.config import Config
from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]
from library import LIBRARY

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_iam import IAMClient

TEMPLATE = servers.ROOT / "function" / "template.yaml"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-executor:1"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
# All options that moto supports: it has no Secrets Manager in templates, and VPCs must exist.
EVERYTHING = {
    "S3Bucket": "my-bucket",
    "S3Prefix": "team/dags",
    "KmsKeyArn": KEY,
    "AlarmTopicArn": TOPIC,
    "PreCommand": "/opt/before",
    "PostCommand": '["/opt/after"]',
    "ExecutionApiServerUrl": "https://airflow.example.com/execution/",
    "RemoteBaseLogFolder": "s3://my-bucket/logs",
    "ReplyToAllow": "https://sqs.us-east-1.amazonaws.com/123456789012/other",
    "MaximumEventAge": "3600",
    "Release": "blue",
}


def load(path: Path = TEMPLATE) -> dict[str, Any]:
    """The template with its tags in their long form, as plain Python."""
    template: dict[str, Any] = json.loads(json.dumps(cfn_yaml.load(str(path))))
    return template


def config_schema() -> dict[str, Any]:
    """The JSON Schema of the library's options."""
    library = ctypes.CDLL(str(LIBRARY))
    library.lambda_executor_config_schema.restype = ctypes.c_char_p
    schema: dict[str, Any] = json.loads(library.lambda_executor_config_schema())
    return schema


@dataclass(frozen=True)
class Stack:
    """A stack on moto."""

    server: servers.Server
    name: str
    outputs: dict[str, str]
    # Types of resources that moto does not support.
    left_out: set[str]

    def iam(self) -> "IAMClient":
        client: IAMClient = aws(self.server, "iam")
        return client

    def function_role(self) -> list[dict[str, Any]]:
        """Statements of the execution role."""
        iam = self.iam()
        function = self.server.awslambda().get_function(FunctionName=self.outputs["FunctionName"])
        role = function["Configuration"]["Role"].rsplit("/", 1)[1]
        statements: list[dict[str, Any]] = []
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document: Any = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            # moto stores an inline policy of the role as the text of a Python dictionary.
            document = ast.literal_eval(document) if isinstance(document, str) else document
            statements.extend(document["Statement"])
        return statements

    def scheduler_policy(self, output: str = "SchedulerPolicyArn") -> list[dict[str, Any]]:
        """Statements of a policy for the scheduler."""
        iam, arn = self.iam(), self.outputs[output]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document: Any = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        statements: list[dict[str, Any]] = document["Statement"]
        return statements


def as_list(value: str | list[str]) -> list[str]:
    """In a policy, one value may be written as a list or alone."""
    return [value] if isinstance(value, str) else value


def aws(server: servers.Server, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    # moto creates a whole stack within one call.
    return server.client(service, Config(read_timeout=300))


def deploy(server: servers.Server, name: str, parameters: dict[str, str]) -> Stack:
    client: CloudFormationClient = aws(server, "cloudformation")
    # moto warns of resources that it omits, in its own thread.
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        client.create_stack(
            StackName=name,
            TemplateBody=TEMPLATE.read_text(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
    left_out = re.findall(r"Tried to parse (\S+)", "\n".join(str(warning.message) for warning in warned))
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return Stack(server, name, outputs, set(left_out))


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    return load()


@pytest.fixture(scope="session")
def moto() -> Iterator[servers.Server]:
    with servers.moto() as server:
        yield server


@pytest.fixture(scope="session")
def plain(moto: servers.Server) -> Stack:
    return deploy(moto, "my-executor", {"ImageUri": IMAGE})


@pytest.fixture(scope="session")
def full(moto: servers.Server) -> Stack:
    return deploy(moto, "my-full-executor", {"ImageUri": IMAGE, **EVERYTHING})
