"""The template's support for operators: limits, alarms, and roles that fit a company's rules."""

import re
from typing import Any

import pytest
import servers

from .conftest import IMAGE, Stack, aws, deploy

NO_VALUE = {"Ref": "AWS::NoValue"}
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
ROLE = "arn:aws:iam::123456789012:role/team/runs-tasks"


@pytest.fixture(scope="session")
def resources(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: resource["Properties"] for name, resource in template["Resources"].items()}


@pytest.fixture(scope="session")
def restricted(moto: servers.Server) -> Stack:
    parameters = {"ReservedConcurrency": "20", "PermissionsBoundaryArn": BOUNDARY, "RolePath": "/team/"}
    return deploy(moto, "restricted", {"ImageUri": IMAGE, **parameters})


@pytest.fixture(scope="session")
def with_a_role(moto: servers.Server) -> Stack:
    client = aws(moto, "iam")
    client.create_role(Path="/team/", RoleName="runs-tasks", AssumeRolePolicyDocument="{}")
    everything = {"KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1234abcd", "S3Bucket": "my-bucket"}
    return deploy(moto, "with-a-role", {"ImageUri": IMAGE, "ExecutionRoleArn": ROLE, **everything})


def concurrency(stack: Stack) -> int | None:
    answer = stack.server.awslambda().get_function_concurrency(FunctionName=stack.name)
    return answer.get("ReservedConcurrentExecutions")


def role_of(stack: Stack) -> str:
    return str(stack.server.awslambda().get_function(FunctionName=stack.name)["Configuration"]["Role"])


def test_concurrency_is_reserved_on_request_only(plain: Stack, restricted: Stack) -> None:
    assert (concurrency(plain), concurrency(restricted)) == (None, 20)


@pytest.mark.parametrize(("text", "allowed"), [("", True), ("1", True), ("1000", True), ("0", False), ("none", False)])
def test_reserved_concurrency_is_empty_or_at_least_1(template: dict[str, Any], text: str, *, allowed: bool) -> None:
    """With 0 Lambda sends every event to the dead letter queue."""
    assert bool(re.fullmatch(template["Parameters"]["ReservedConcurrency"]["AllowedPattern"], text)) == allowed


def test_the_role_has_the_permissions_boundary_and_the_path(plain: Stack, restricted: Stack) -> None:
    def role(stack: Stack) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        return aws(stack.server, "iam").get_role(RoleName=role_of(stack).rsplit("/", 1)[1])["Role"]

    assert role(restricted)["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
    assert role(restricted)["Path"] == "/team/"
    assert (role(plain).get("PermissionsBoundary"), role(plain)["Path"]) == (None, "/")


def test_the_schedulers_policy_has_the_path(restricted: Stack) -> None:
    assert ":policy/team/" in restricted.outputs["SchedulerPolicyArn"]


@pytest.mark.parametrize(
    ("path", "allowed"), [("/", True), ("/team/a-b/", True), ("team", False), ("/team", False), ("", False)]
)
def test_a_path_begins_and_ends_with_a_slash(template: dict[str, Any], path: str, *, allowed: bool) -> None:
    assert bool(re.fullmatch(template["Parameters"]["RolePath"]["AllowedPattern"], path)) == allowed


def test_with_a_given_role_none_is_created(with_a_role: Stack) -> None:
    assert role_of(with_a_role) == ROLE
    iam = aws(with_a_role.server, "iam")
    made = [it["RoleName"] for it in iam.list_roles()["Roles"] if it["RoleName"].startswith(with_a_role.name)]
    assert made == []
    # The owner of a given role also grants its permissions.
    assert iam.list_role_policies(RoleName="runs-tasks")["PolicyNames"] == []
    assert iam.list_attached_role_policies(RoleName="runs-tasks")["AttachedPolicies"] == []


def test_a_given_role_excludes_options_without_effect(template: dict[str, Any]) -> None:
    rule = template["Rules"]["RoleOfYourOwn"]
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ExecutionRoleArn"}, ""]}]}
    assert all(name in str(rule["Assertions"]) for name in ("TaskPolicyArns", "PermissionsBoundaryArn"))


def test_references_to_optional_resources_have_their_condition(template: dict[str, Any]) -> None:
    """The role has a condition, so every reference to it needs that condition or an Fn::If."""
    naming = {
        name: resource.get("Condition")
        for name, resource in template["Resources"].items()
        if "'ExecutionRole'" in str(resource["Properties"]) and name != "Function"
    }
    assert naming == {
        "EncryptMessages": "MakesRoleWithKey",
        "ReadFiles": "MakesRoleWithS3",
    }
    role = {"Fn::If": ["MakesRole", {"Fn::GetAtt": ["ExecutionRole", "Arn"]}, {"Ref": "ExecutionRoleArn"}]}
    assert template["Resources"]["Function"]["Properties"]["Role"] == role


# Names, units and statistics: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
@pytest.mark.parametrize(
    ("alarm", "metric", "statistic", "threshold", "periods"),
    [
        ("ThrottlesAlarm", "Throttles", "Sum", 0, 3),
        ("EventAgeAlarm", "AsyncEventAge", "Maximum", {"Ref": "EventAgeAlarmMs"}, 1),
        ("EventsDroppedAlarm", "AsyncEventsDropped", "Sum", {"Ref": "EventsDroppedAlarmCount"}, 1),
        ("DeadLetterErrorsAlarm", "DeadLetterErrors", "Sum", 0, 1),
    ],
)
def test_alarms_watch_the_function(
    resources: dict[str, dict[str, Any]], alarm: str, metric: str, statistic: str, threshold: object, periods: int
) -> None:
    found = resources[alarm]
    assert (found["Namespace"], found["MetricName"], found["Statistic"]) == ("AWS/Lambda", metric, statistic)
    # Only the function's name: all versions and aliases together.
    assert found["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "Function"}}]
    assert (found["ComparisonOperator"], found["Threshold"]) == ("GreaterThanThreshold", threshold)
    assert (found["Period"], found["EvaluationPeriods"]) == (300, periods)
    # Lambda sends no data without invocations.
    assert found["TreatMissingData"] == "notBreaching"
    assert found["AlarmActions"] == {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], NO_VALUE]}


def test_the_age_alarm_comes_before_a_token_of_airflow_3_expires(template: dict[str, Any]) -> None:
    default = template["Parameters"]["EventAgeAlarmMs"]["Default"]
    # 600 s, `[scheduler] task_queued_timeout`; the guide uses it as MaximumEventAge for Airflow 3.
    assert default < 600_000
