"""The resources that moto creates from the template, and the library's health check of them."""

import dataclasses
import json
import re
import urllib.parse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import servers
from jsonschema import Draft202012Validator
from library import health_warnings

from .conftest import KEY, Stack, aws, config_schema

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef

OPTIONS = {"function_name", "function_qualifier", "queue_url", "dead_letter_queue_url", "region_name"}


@pytest.fixture(scope="session")
def usable(plain: Stack) -> Iterator[Stack]:
    """Adds the alias that moto omits."""
    client = plain.server.awslambda()
    client.create_alias(FunctionName=plain.name, Name=plain.outputs["FunctionQualifier"], FunctionVersion="1")
    yield plain
    client.delete_alias(FunctionName=plain.name, Name=plain.outputs["FunctionQualifier"])


def attributes(stack: Stack, output: str) -> dict[str, str]:
    answer = stack.server.sqs().get_queue_attributes(QueueUrl=stack.outputs[output], AttributeNames=["All"])
    return {str(name): value for name, value in answer["Attributes"].items()}


def function(stack: Stack) -> "FunctionConfigurationTypeDef":
    return stack.server.awslambda().get_function(FunctionName=stack.outputs["FunctionName"])["Configuration"]


def variables(stack: Stack) -> dict[str, str]:
    return {name: str(value) for name, value in function(stack)["Environment"]["Variables"].items()}


@pytest.mark.parametrize("output", ["QueueUrl", "DeadLetterQueueUrl"])
def test_the_queues(plain: Stack, output: str) -> None:
    found = attributes(plain, output)
    expected = {
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "1209600",
        "VisibilityTimeout": "30",
        "DelaySeconds": "0",
        "SqsManagedSseEnabled": "true",
    }
    assert {name: found[name] for name in expected} == expected
    assert not {"RedrivePolicy", "KmsMasterKeyId", "FifoQueue"} & set(found)
    assert attributes(plain, "QueueUrl")["QueueArn"] != attributes(plain, "DeadLetterQueueUrl")["QueueArn"]


@pytest.mark.parametrize("output", ["QueueUrl", "DeadLetterQueueUrl"])
def test_the_queues_with_a_key_of_ones_own(full: Stack, output: str) -> None:
    assert attributes(full, output)["KmsMasterKeyId"] == KEY


def test_the_function(plain: Stack) -> None:
    found = function(plain)
    assert (found["FunctionName"], found["Timeout"], found["MemorySize"]) == (plain.name, 900, 1024)
    assert (found["EphemeralStorage"], found["Architectures"]) == ({"Size": 512}, ["x86_64"])
    assert variables(plain) == {
        # Exactly the queue_url of the scheduler: the library sends it to the function in each event.
        "QUEUE_URL": plain.outputs["QueueUrl"],
        "LAMBDA_EXECUTOR_OUTPUT_TAIL_BYTES": "4096",
        "LAMBDA_EXECUTOR_KILL_GRACE_MS": "5000",
    }


def test_the_parameters_become_variables_of_the_function(full: Stack) -> None:
    assert variables(full) == {
        "QUEUE_URL": full.outputs["QueueUrl"],
        "S3_URI": "s3://my-bucket/team/dags",
        "LAMBDA_EXECUTOR_S3_MAX_BYTES": "268435456",
        "PRE_COMMAND": "/opt/before",
        "POST_COMMAND": '["/opt/after"]',
        "LAMBDA_EXECUTOR_POST_COMMAND_TIMEOUT_MS": "10000",
        "LAMBDA_EXECUTOR_OUTPUT_TAIL_BYTES": "4096",
        "LAMBDA_EXECUTOR_KILL_GRACE_MS": "5000",
        "LAMBDA_EXECUTOR_REPLY_TO_ALLOW": "https://sqs.us-east-1.amazonaws.com/123456789012/other",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "https://airflow.example.com/execution/",
        "AIRFLOW__LOGGING__REMOTE_LOGGING": "True",
        "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": "s3://my-bucket/logs",
    }


def test_only_lambda_may_be_the_function(plain: Stack) -> None:
    role = plain.iam().get_role(RoleName=function(plain)["Role"].rsplit("/", 1)[1])["Role"]
    policy: Any = role["AssumeRolePolicyDocument"]
    document = policy if isinstance(policy, dict) else json.loads(urllib.parse.unquote(policy))
    (statement,) = document["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")


def test_the_log_is_kept_for_a_while(plain: Stack) -> None:
    name = f"/aws/lambda/{plain.name}"
    (group,) = aws(plain.server, "logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert (group["logGroupName"], group["retentionInDays"]) == (name, 30)


def test_moto_creates_all_but_these(plain: Stack, full: Stack) -> None:
    """test_template.py checks these. When moto supports one, it belongs here."""
    left_out = {
        "AWS::CloudWatch::Alarm",
        "AWS::Lambda::Alias",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::SQS::QueuePolicy",
    }
    assert (plain.left_out, full.left_out) == (left_out, left_out)


def test_the_outputs_are_the_options(plain: Stack) -> None:
    """CloudFormation allows no underscores in their names: FunctionName is function_name."""
    named = {re.sub(r"(?<!^)(?=[A-Z])", "_", output).lower(): value for output, value in plain.outputs.items()}
    options = json.loads(plain.outputs["Options"])
    assert set(named) == OPTIONS | {"options", "airflow_variables", "scheduler_policy_arn"}
    assert options == {name: named[name] for name in OPTIONS}
    lines = dict(line.split("=", 1) for line in plain.outputs["AirflowVariables"].splitlines())
    assert lines == {f"AIRFLOW__AWS_LAMBDA_EXECUTOR__{name.upper()}": named[name] for name in OPTIONS}
    assert list(Draft202012Validator(config_schema()).iter_errors(options)) == []


def test_a_health_check_with_the_outputs_finds_nothing_wrong(usable: Stack) -> None:
    assert_only_the_destination_is_unknown(health_warnings(usable.server, json.loads(usable.outputs["Options"])))


def assert_only_the_destination_is_unknown(warnings: list[str]) -> None:
    """moto's GetFunction omits the template's DeadLetterConfig, so the check warns that one is needed."""
    assert [warning for warning in warnings if "unless an on-failure destination" not in warning] == []


@dataclasses.dataclass(frozen=True)
class AirflowServer(servers.Server):
    """A server whose library configuration is Airflow's variables."""

    variables: str = ""
    home: str = ""

    def environment(self) -> dict[str, str]:
        lines = dict(line.split("=", 1) for line in self.variables.splitlines())
        return {**super().environment(), "AIRFLOW_HOME": self.home, **lines}


def test_airflows_variables_serve_as_well(usable: Stack, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = str(tmp_path_factory.mktemp("airflow"))
    fields = {**dataclasses.asdict(usable.server), "variables": usable.outputs["AirflowVariables"], "home": home}
    warnings = health_warnings(AirflowServer(**fields), {"airflow": True, "region_name": None})
    assert_only_the_destination_is_unknown(warnings)
