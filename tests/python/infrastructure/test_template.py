"""The text of the template: the linter's result, and resources that moto does not create."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import servers

from .conftest import TEMPLATE

NO_VALUE = {"Ref": "AWS::NoValue"}
# The template sets these for Airflow in the image; the function program does not read them.
AIRFLOWS_OWN = {
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER",
    "AIRFLOW__LOGGING__REMOTE_LOGGING",
}


@pytest.fixture(scope="session")
def resources(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: resource["Properties"] for name, resource in template["Resources"].items()}


def test_the_linter_finds_nothing() -> None:
    linter = [str(Path(sys.executable).with_name("cfn-lint")), "--include-checks", "I", "--"]
    done = subprocess.run([*linter, str(TEMPLATE)], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_an_alias_is_invoked_and_failures_are_not_retried(resources: dict[str, dict[str, Any]]) -> None:
    alias, events = resources["Alias"], resources["EventInvokeConfig"]
    assert alias["FunctionVersion"] == {"Fn::GetAtt": ["Version", "Version"]}
    assert (events["Qualifier"], events["MaximumRetryAttempts"]) == (alias["Name"], 0)
    assert events["MaximumEventAgeInSeconds"] == {"Ref": "MaximumEventAge"}
    for resource in (alias, events, resources["Version"]):
        assert resource["FunctionName"] == {"Ref": "Function"}


def test_event_invoke_config_waits_for_the_alias(template: dict[str, Any]) -> None:
    # Its qualifier is plain text, from which CloudFormation derives no dependency.
    assert template["Resources"]["EventInvokeConfig"]["DependsOn"] == "Alias"


def test_a_version_is_published_for_each_image_and_size(
    template: dict[str, Any], resources: dict[str, dict[str, Any]]
) -> None:
    """CloudFormation publishes a version only if the description changes; Lambda accepts 256 characters."""
    description = resources["Version"]["Description"]["Fn::Sub"]
    # Lambda publishes no version if the function is unchanged, and then the update of the stack fails.
    # https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
    assert resources["Function"]["Description"] == {"Fn::Sub": description}
    named = set(re.findall(r"\$\{(\w+)}", description))
    assert named == {"ImageUri", "MemorySize", "Timeout", "EphemeralStorageSize", "Release"}
    parameters = template["Parameters"]
    longest = re.sub(
        r"\$\{(\w+)}",
        lambda name: "x" * (parameters[name[1]].get("MaxLength") or len(str(parameters[name[1]]["MaxValue"]))),
        description,
    )
    assert len(longest) <= 256


@pytest.mark.parametrize("prefix", ["dags", "d", "team/dags", "team.a/dags_1", "a b/dags", "{a}"])
def test_a_folder_in_the_bucket(template: dict[str, Any], prefix: str) -> None:
    assert re.fullmatch(template["Parameters"]["S3Prefix"]["AllowedPattern"], prefix)


@pytest.mark.parametrize(
    "prefix", ["", "/dags", "dags/", "*", "d*", "da*gs", "dag?", "team/?/dags", "${aws:userid}", "a/$"]
)
def test_no_folder_in_the_bucket(template: dict[str, Any], prefix: str) -> None:
    """The policy contains the name, so wildcards in it would allow other folders."""
    assert not re.fullmatch(template["Parameters"]["S3Prefix"]["AllowedPattern"], prefix)


def test_resources_in_use_outlive_an_update(template: dict[str, Any]) -> None:
    kept = {name for name, it in template["Resources"].items() if it.get("UpdateReplacePolicy") == "Retain"}
    assert kept == {"DeadLetterQueue", "LogGroup", "ResultsQueue", "Version"}


def test_dead_letters_go_to_the_queue_for_them(resources: dict[str, dict[str, Any]]) -> None:
    function = resources["Function"]
    assert function["DeadLetterConfig"] == {"TargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}}
    # Lambda does not create a function whose role cannot send there: the permission must come with the role.
    _, in_vpc, otherwise = resources["ExecutionRole"]["Policies"]["Fn::If"]
    (send,) = otherwise
    assert "sqs:SendMessage" in str(send)
    assert send in in_vpc
    # An update from version 0.1.0 finally deletes the policy of this name, so the role must not use the name.
    assert send["PolicyName"] != "send-results-and-log"
    assert "ExecutionRole" in str(function["Role"])


def test_the_log_goes_where_its_retention_is_set(resources: dict[str, dict[str, Any]]) -> None:
    assert resources["Function"]["LoggingConfig"] == {"LogGroup": {"Ref": "LogGroup"}}


def test_the_function_is_an_image_for_the_architecture_of_the_program(resources: dict[str, dict[str, Any]]) -> None:
    function = resources["Function"]
    assert (function["PackageType"], function["Architectures"]) == ("Image", ["x86_64"])
    assert function["Code"] == {"ImageUri": {"Ref": "ImageUri"}}


def test_the_queues_refuse_requests_without_tls(resources: dict[str, dict[str, Any]]) -> None:
    queues = [{"Ref": "ResultsQueue"}, {"Ref": "DeadLetterQueue"}]
    policy = resources["QueuesOverTlsOnly"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert policy["Queues"] == queues
    assert statement["Resource"] == [{"Fn::GetAtt": [queue["Ref"], "Arn"]} for queue in queues]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "sqs:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_commands_cannot_change_network_interfaces(resources: dict[str, dict[str, Any]]) -> None:
    """The permissions of AWSLambdaVPCAccessExecutionRole; commands are denied those that change something."""
    condition, in_vpc, otherwise = resources["ExecutionRole"]["Policies"]["Fn::If"]
    assert condition == "InVpc"
    (policy,) = (it for it in in_vpc if it not in otherwise)
    allow, deny = policy["PolicyDocument"]["Statement"]
    change = {f"ec2:{do}" for do in ("CreateNetworkInterface", "DeleteNetworkInterface")}
    change |= {f"ec2:{do}" for do in ("AssignPrivateIpAddresses", "UnassignPrivateIpAddresses")}
    assert set(allow["Action"]) == change | {"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"}
    assert (deny["Effect"], set(deny["Action"])) == ("Deny", change)
    (own,) = deny["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"].values()
    assert own.endswith(":function:${AWS::StackName}")
    assert resources["Function"]["FunctionName"] == {"Ref": "AWS::StackName"}
    vpc = {"SubnetIds": {"Ref": "SubnetIds"}, "SecurityGroupIds": {"Ref": "SecurityGroupIds"}}
    assert resources["Function"]["VpcConfig"] == {"Fn::If": ["InVpc", vpc, NO_VALUE]}


def test_secrets_of_a_database_come_from_secrets_manager(resources: dict[str, dict[str, Any]]) -> None:
    variables = resources["Function"]["Environment"]["Variables"]
    for variable, key in {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sql_alchemy_conn",
        "AIRFLOW__CORE__FERNET_KEY": "fernet_key",
    }.items():
        secret = f"{{{{resolve:secretsmanager:${{DatabaseSecretArn}}:SecretString:{key}}}}}"
        assert variables[variable] == {"Fn::If": ["HasDatabase", {"Fn::Sub": secret}, NO_VALUE]}


@pytest.mark.parametrize(
    ("alarm", "metric", "queue", "threshold"),
    [
        ("DeadLettersAlarm", "ApproximateNumberOfMessagesVisible", "DeadLetterQueue", 0),
        ("OldestResultAlarm", "ApproximateAgeOfOldestMessage", "ResultsQueue", {"Ref": "OldestResultAlarmSeconds"}),
    ],
)
def test_alarms_watch_the_queues(
    resources: dict[str, dict[str, Any]], alarm: str, metric: str, queue: str, threshold: object
) -> None:
    found = resources[alarm]
    assert (found["Namespace"], found["MetricName"], found["Statistic"]) == ("AWS/SQS", metric, "Maximum")
    assert found["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}]
    assert (found["ComparisonOperator"], found["Threshold"]) == ("GreaterThanThreshold", threshold)
    # SQS sends no data about a queue that was empty for hours.
    assert found["TreatMissingData"] == "notBreaching"
    assert found["AlarmActions"] == {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], NO_VALUE]}


def test_variables_and_defaults_are_those_of_the_function(
    template: dict[str, Any], resources: dict[str, dict[str, Any]]
) -> None:
    """Each is a row of function/README.md. A default of the template is the default of that row."""
    rows = re.findall(r"^\| (`.+?) \| (.+?) \|", (servers.ROOT / "function" / "README.md").read_text(), re.MULTILINE)
    documented = {name: default for names, default in rows for name in re.findall(r"`(\w+)`", names)}
    variables = resources["Function"]["Environment"]["Variables"]
    assert set(variables) - AIRFLOWS_OWN <= set(documented)
    compared = set()
    for variable in set(variables) & set(documented):
        for parameter in re.findall(r"\$\{(\w+)}", str(variables[variable])):
            default = template["Parameters"].get(parameter, {}).get("Default")
            if isinstance(default, int):
                compared.add(variable)
                assert documented[variable].replace(",", "") == str(default), variable
    assert compared == {name for name in variables if name.endswith(("_BYTES", "_MS"))}


def test_every_parameter_is_used_and_has_its_place_in_the_form(template: dict[str, Any]) -> None:
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [parameter for group in groups for parameter in group["Parameters"]]
    assert sorted(shown) == sorted(template["Parameters"])
    # Only the image needs a value.
    assert [name for name, definition in template["Parameters"].items() if "Default" not in definition] == ["ImageUri"]
