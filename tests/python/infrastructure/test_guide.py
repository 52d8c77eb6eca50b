"""Runs the commands of docs/aws-setup.md unchanged."""

import dataclasses
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import servers
from moto.cloudformation.models import CloudFormationBackend

from .conftest import IMAGE, KEY, Stack, as_list, aws, deploy
from .guide import NAMES, SHELL, TEXT, block_with, named, run, section

# Commands that need a Docker engine or a build.
NOT_RUN = re.compile(r"^(docker|make) |\| docker |build/examples/", re.MULTILINE)
# Commands of the ways to deploy.
IMAGE_ALONE = "--parameter-overrides ImageUri=$REPOSITORY:1\n"
FOR_AIRFLOW_3 = "ExecutionApiServerUrl="
FILES_FROM_S3 = "S3Bucket="
WAYS = (IMAGE_ALONE, FOR_AIRFLOW_3, FILES_FROM_S3)
AIRFLOWS_EXECUTOR = "AIRFLOW__CORE__EXECUTOR="
MORE_FUNCTIONS = "more-functions.json"


@pytest.fixture(scope="session")
def there(moto: servers.Server) -> servers.Server:
    """moto in the region of the guide."""
    (region,) = re.findall(r"AWS_REGION=(\S+) ", NAMES)
    return dataclasses.replace(moto, region=region)


@pytest.fixture(scope="session")
def by_hand(there: servers.Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("by-hand")
    run(there, folder, named("by-hand"), block_with("lambda create-function"))
    return folder


def test_every_block_is_valid_shell() -> None:
    assert len(SHELL) >= 9
    for block in SHELL:
        done = subprocess.run(["/bin/bash", "-n"], input=block, capture_output=True, text=True, timeout=10, check=False)
        assert (done.returncode, done.stderr) == (0, ""), block


def test_all_blocks_but_those_that_need_docker_or_a_build_are_run_here() -> None:
    run_here = [
        "REPOSITORY=",
        "ecr create-repository",
        *WAYS,
        ">airflow.env",
        AIRFLOWS_EXECUTOR,
        "lambda create-function",
    ]
    run_here += ["iam attach-role-policy", MORE_FUNCTIONS, "lambda invoke", "delete-stack", "lambda delete-function"]
    # Two variables, whose effect tests/python/other_servers/test_tls.py shows.
    run_here += ["export HTTPS_PROXY="]
    left = [block for block in SHELL if not any(text in block for text in run_here)]
    assert all(NOT_RUN.search(block) for block in left), left
    assert not any(NOT_RUN.search(block) for block in SHELL if block not in left)


# moto warns of resources that it omits; test_stack.py checks these.
@pytest.mark.filterwarnings("ignore:Tried to parse")
def test_image_and_stack_are_made(there: servers.Server, tmp_path: Path) -> None:
    run(there, tmp_path, named("is-made"), block_with("ecr create-repository"), block_with(IMAGE_ALONE))
    assert deployed(there, "is-made")["ImageUri"].endswith("/is-made:1")
    assert {"is-made", "is-made-results", "is-made-dead-letters", "/aws/lambda/is-made"} < set(
        left_of(there, "is-made")
    )


@pytest.mark.filterwarnings("ignore:Tried to parse")
def test_a_stack_for_airflow_3_is_made(there: servers.Server, tmp_path: Path) -> None:
    run(there, tmp_path, named("for-airflow"), block_with(FOR_AIRFLOW_3))
    parameters = deployed(there, "for-airflow")
    function = there.awslambda().get_function(FunctionName="for-airflow")["Configuration"]
    address = function["Environment"]["Variables"]["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]
    assert address == parameters["ExecutionApiServerUrl"] != ""
    # At most the validity of a token.
    lives = re.search(r"`\[scheduler\] task_queued_timeout` seconds \((\d+)\)", TEXT)
    assert lives
    assert parameters["MaximumEventAge"] == lives[1]


@pytest.mark.filterwarnings("ignore:Tried to parse")
def test_a_stack_with_files_from_s3_is_made(there: servers.Server, tmp_path: Path) -> None:
    run(there, tmp_path, named("has-files"), block_with(FILES_FROM_S3))
    parameters = deployed(there, "has-files")
    function = there.awslambda().get_function(FunctionName="has-files")["Configuration"]
    place = f"s3://{parameters['S3Bucket']}/{parameters['S3Prefix']}"
    assert function["Environment"]["Variables"]["S3_URI"] == place == "s3://my-bucket/dags"


def deployed(server: servers.Server, name: str) -> dict[str, str]:
    """Parameters of a stack."""
    (stack,) = aws(server, "cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}


def left_of(server: servers.Server, name: str) -> list[str]:
    """All resources with this name, except managed policies."""
    found: list[str] = [url.rsplit("/", 1)[1] for url in server.sqs().list_queues().get("QueueUrls", [])]
    for service, call, of, key in (
        ("lambda", "list_functions", "Functions", "FunctionName"),
        ("iam", "list_roles", "Roles", "RoleName"),
        ("logs", "describe_log_groups", "logGroups", "logGroupName"),
        ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        ("ecr", "describe_repositories", "repositories", "repositoryName"),
    ):
        found += [it[key] for it in getattr(aws(server, service), call)()[of]]
    return [it for it in found if it.removeprefix("/aws/lambda/").startswith(name)]


@dataclass(frozen=True)
class Scheduler:
    """The role `my-scheduler`."""

    iam: Any

    def policies(self) -> set[str]:
        attached = self.iam.list_attached_role_policies(RoleName="my-scheduler")["AttachedPolicies"]
        return {policy["PolicyArn"] for policy in attached}


@pytest.fixture
def scheduler(there: servers.Server) -> Iterator[Scheduler]:
    role = Scheduler(aws(there, "iam"))
    role.iam.create_role(RoleName="my-scheduler", AssumeRolePolicyDocument="{}")
    yield role
    for arn in role.policies():
        role.iam.detach_role_policy(RoleName="my-scheduler", PolicyArn=arn)
    role.iam.delete_role(RoleName="my-scheduler")


def test_the_stack_is_deleted(
    there: servers.Server, scheduler: Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With both policies attached to the scheduler, which is not part of the stack."""
    attached: set[str] = set()
    deletions = 0
    delete_stack = CloudFormationBackend.delete_stack

    def delete(backend: CloudFormationBackend, name: str) -> None:
        # moto deletes the stack in any case. CloudFormation cannot delete a policy that is attached.
        nonlocal deletions
        attached.update(scheduler.policies())
        deletions += 1
        delete_stack(backend, name)

    monkeypatch.setattr(CloudFormationBackend, "delete_stack", delete)
    stack = deploy(there, "goes-away", {"ImageUri": IMAGE, "KmsKeyArn": KEY})
    policies = {stack.outputs["SchedulerPolicyArn"], stack.outputs["SchedulerKeyPolicyArn"]}
    made = block_with("ecr create-repository"), block_with("iam attach-role-policy")
    run(there, tmp_path, named("goes-away"), *made)
    assert scheduler.policies() == policies
    assert len(left_of(there, "goes-away")) > 4
    run(there, tmp_path, named("goes-away"), block_with("delete-stack"))
    assert deletions
    assert not attached, "still attached when the stack was deleted"
    # moto does not delete managed policies of a stack.
    assert left_of(there, "goes-away") == []


def test_resources_made_by_hand_are_deleted(there: servers.Server, scheduler: Scheduler, tmp_path: Path) -> None:
    def policies() -> list[str]:
        found = scheduler.iam.list_policies(Scope="Local")["Policies"]
        return [policy["Arn"] for policy in found if policy["PolicyName"].startswith("hand-made-")]

    made = block_with("ecr create-repository"), block_with("lambda create-function")
    run(there, tmp_path, named("hand-made"), *made)
    (policy,) = policies()
    scheduler.iam.attach_role_policy(RoleName="my-scheduler", PolicyArn=policy)
    assert len(left_of(there, "hand-made")) == 12
    run(there, tmp_path, named("hand-made"), block_with("lambda delete-function"))
    assert (left_of(there, "hand-made"), policies(), scheduler.policies()) == ([], [], set())


def test_the_stack_is_allowed_the_iam_that_it_has(template: dict[str, Any]) -> None:
    """moto does not check this. A role or policy with an explicit name would need CAPABILITY_NAMED_IAM."""
    iam = [it for it in template["Resources"].values() if it["Type"] in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")]
    assert iam
    assert not any({"RoleName", "ManagedPolicyName"} & set(it["Properties"]) for it in iam)
    assert all(" --capabilities CAPABILITY_IAM " in block_with(how) for how in WAYS)


def test_the_outputs_become_files_and_a_policy_of_the_scheduler(
    there: servers.Server, scheduler: Scheduler, tmp_path: Path
) -> None:
    # moto loses the outputs of a stack that `deploy` created, so this one is created otherwise.
    stack = deploy(there, "has-outputs", {"ImageUri": IMAGE})
    run(there, tmp_path, named("has-outputs"), block_with(">airflow.env"), block_with("iam attach-role-policy"))
    config = json.loads((tmp_path / "my-executor.json").read_text())
    assert config == json.loads(stack.outputs["Options"])
    assert (config["function_name"], config["region_name"]) == ("has-outputs", there.region)
    variables = dict(line.split("=", 1) for line in (tmp_path / "airflow.env").read_text().splitlines())
    prefix = "AIRFLOW__AWS_LAMBDA_EXECUTOR__"
    assert {name.removeprefix(prefix).lower(): value for name, value in variables.items()} == config
    assert scheduler.policies() == {stack.outputs["SchedulerPolicyArn"]}


def test_airflows_executor_is_named_and_finds_its_variables(there: servers.Server, tmp_path: Path) -> None:
    (tmp_path / "airflow.env").write_text("AIRFLOW__AWS_LAMBDA_EXECUTOR__FUNCTION_NAME=by-its-file\n")
    environment = run(there, tmp_path, block_with(AIRFLOWS_EXECUTOR), "env").splitlines()
    assert "AIRFLOW__AWS_LAMBDA_EXECUTOR__FUNCTION_NAME=by-its-file" in environment
    (executor,) = (line.removeprefix(AIRFLOWS_EXECUTOR) for line in environment if line.startswith(AIRFLOWS_EXECUTOR))
    module, name = executor.rsplit(".", 1)
    program = f"from {module} import {name}\nprint(*[base.__name__ for base in {name}.__mro__])"
    result = subprocess.run(
        [servers.VENVS / "airflow/bin/python", "-c", program],
        env={"PYTHONPATH": str(servers.ROOT / "bindings/python/src"), "AIRFLOW_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    assert "BaseExecutor" in result.stdout.splitlines()[-1].split()


def test_resources_made_by_hand_equal_the_templates(there: servers.Server, plain: Stack, by_hand: Path) -> None:
    def attributes(server: servers.Server, url: str) -> dict[str, str]:
        found = server.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        names = {"MaximumMessageSize", "MessageRetentionPeriod", "VisibilityTimeout", "SqsManagedSseEnabled"}
        return {str(name): value for name, value in found.items() if name in names}

    def function(server: servers.Server, name: str) -> dict[str, Any]:
        return dict(server.awslambda().get_function(FunctionName=name)["Configuration"])

    config = json.loads((by_hand / "my-executor.json").read_text())
    assert config.keys() == json.loads(plain.outputs["Options"]).keys()
    for option, output in (("queue_url", "QueueUrl"), ("dead_letter_queue_url", "DeadLetterQueueUrl")):
        assert attributes(there, config[option]) == attributes(plain.server, plain.outputs[output])
    made, like = function(there, config["function_name"]), function(plain.server, plain.name)
    for name in ("Timeout", "MemorySize", "Architectures", "EphemeralStorage"):
        assert made[name] == like[name]
    assert made["Environment"]["Variables"] == {"QUEUE_URL": config["queue_url"]}
    # moto does not store it.
    assert "--dead-letter-config TargetArn=$QUEUES-dead-letters" in block_with("lambda create-function")
    client = there.awslambda()
    alias = client.get_alias(FunctionName=config["function_name"], Name=config["function_qualifier"])
    assert alias["FunctionVersion"] == "1"
    events = client.get_function_event_invoke_config(FunctionName=config["function_name"], Qualifier="live")
    assert (events["MaximumRetryAttempts"], events["MaximumEventAgeInSeconds"]) == (0, 21600)
    (group,) = aws(there, "logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/by-hand")["logGroups"]
    assert group["retentionInDays"] == 30
    alarms = aws(there, "cloudwatch").describe_alarms(AlarmNamePrefix="by-hand")["MetricAlarms"]
    assert {alarm["MetricName"]: alarm["Threshold"] for alarm in alarms} == {
        "ApproximateNumberOfMessagesVisible": 0,
        "ApproximateAgeOfOldestMessage": 3600,
        "Throttles": 0,
        "AsyncEventAge": 300000,
        "AsyncEventsDropped": 0,
        "DeadLetterErrors": 0,
    }


def test_by_hand_the_alarms_are_those_of_the_template(
    there: servers.Server, template: dict[str, Any], by_hand: Path
) -> None:
    assert (by_hand / "my-executor.json").is_file()
    names = ["MetricName", "Namespace", "Statistic", "Period", "EvaluationPeriods", "ComparisonOperator"]
    names += ["TreatMissingData"]
    made = aws(there, "cloudwatch").describe_alarms(AlarmNamePrefix="by-hand")["MetricAlarms"]
    like = [it["Properties"] for it in template["Resources"].values() if it["Type"] == "AWS::CloudWatch::Alarm"]
    assert {tuple(it[name] for name in names) for it in made} == {tuple(it[name] for name in names) for it in like}


def test_more_functions_are_allowed_to_the_scheduler(
    there: servers.Server, scheduler: Scheduler, tmp_path: Path
) -> None:
    run(there, tmp_path, named("has-versions"), block_with(MORE_FUNCTIONS))
    policy = scheduler.iam.get_role_policy(RoleName="my-scheduler", PolicyName="more-functions")["PolicyDocument"]
    scheduler.iam.delete_role_policy(RoleName="my-scheduler", PolicyName="more-functions")
    (statement,) = policy["Statement"]
    assert statement["Action"] == ["lambda:InvokeFunction", "lambda:GetFunction"]
    assert statement["Resource"][0].endswith(":function:has-versions:*")


def test_by_hand_the_permissions_are_those_of_the_template(there: servers.Server, plain: Stack, by_hand: Path) -> None:
    def permissions(statements: list[dict[str, Any]]) -> set[tuple[str, str]]:
        """Pairs of action and resource, without names and region."""
        return {
            # AWS appends `:*` to the ARN of a log group, moto does not.
            (action, re.sub(f"{there.region}|{plain.server.region}", "REGION", resource.removesuffix(":*")))
            for statement in statements
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }

    for file, statements in (
        ("function-policy.json", plain.function_role()),
        ("scheduler-policy.json", plain.scheduler_policy()),
    ):
        written = json.loads((by_hand / file).read_text().replace("by-hand", plain.name))["Statement"]
        assert permissions(written) == permissions(statements)


def test_the_first_task_by_hand(tmp_path: Path) -> None:
    with servers.local(tmp_path / "local") as server:
        private = tmp_path / "local" / "tmp"
        client, sqs, name = server.awslambda(), server.sqs(), server.function_name
        # The names that the stack uses.
        results = sqs.create_queue(QueueName=f"{name}-results")["QueueUrl"]
        client.update_function_configuration(FunctionName=name, Environment={"Variables": {"QUEUE_URL": results}})
        client.create_alias(
            FunctionName=name, Name="live", FunctionVersion=client.publish_version(FunctionName=name)["Version"]
        )
        printed = run(server, tmp_path, f"NAME={name}", block_with("lambda invoke"))
    shown = re.search(r'with `("return_code":0)` and `("output_tail":".+?")`', section("The first task"))
    assert shown
    assert shown[1] in printed
    assert shown[2] in printed
    assert list(private.iterdir()), "the function must write below its folder"
