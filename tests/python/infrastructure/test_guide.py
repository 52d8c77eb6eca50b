"""docs/aws-setup.md: what can be run of it is run as it stands there, what can be looked up is looked up."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import servers
from jsonschema import Draft202012Validator

from .conftest import IMAGE, Stack, as_list, aws, config_schema, deploy

GUIDE = servers.ROOT / "docs" / "aws-setup.md"
TEXT = GUIDE.read_text()
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
SHELL = [block for kind, block in BLOCKS if kind == "sh"]
# Needs a Docker engine, or a build.
NOT_RUN = re.compile(r"^(docker|make) |\| docker |build/examples/", re.MULTILINE)
# Of Airflow, and told so; everything else that looks like a variable is the function's or the image's.
AIRFLOW_VARIABLE = re.compile(r"AIRFLOW__(CORE|DATABASE|LOGGING)__\w+")


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, title
    return str(found[1])


def block_with(text: str) -> str:
    """The one block of shell that has this."""
    (block,) = (block for block in SHELL if text in block)
    return block


def rows(title: str) -> list[list[str]]:
    """Cells of the tables of a section, without their heads."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    heads = {number - 1 for number, line in enumerate(lines) if set(line) <= set("|-: ")}
    kept = [line for number, line in enumerate(lines) if number not in heads and number - 1 not in heads]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in kept]


def run(server: servers.Server, folder: Path, *blocks: str) -> str:
    """Runs shell of the guide, with AWS's own command line against the server; what it wrote."""
    (folder / "function").mkdir(parents=True, exist_ok=True)
    shutil.copy(servers.ROOT / "function" / "template.yaml", folder / "function")
    # Version 1 knows the endpoint of SQS better than the environment, unless it is told like this.
    command = folder / "bin" / "aws"
    command.parent.mkdir(exist_ok=True)
    command.write_text(
        f'#!/bin/sh\nexec {Path(sys.executable).with_name("aws")} --endpoint-url $AWS_ENDPOINT_URL "$@"\n'
    )
    command.chmod(0o755)
    # Whatever went elsewhere all the same would go to a port on which nobody listens.
    astray = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        ["/bin/bash", "-c", "\n".join(["set -euo pipefail", *blocks])],
        cwd=folder,
        env={**server.environment(), **astray, "HOME": str(folder), "PATH": f"{command.parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        # Each start of the command line costs a second of CPU.
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


# ---- what is run ----


NAMES = block_with("REPOSITORY=")


def named(name: str) -> str:
    """The block that all others need, with another name: the tests share moto."""
    assert "NAME=my-executor" in NAMES
    return NAMES.replace("NAME=my-executor", f"NAME={name}")


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


def test_every_block_is_shell_that_bash_understands() -> None:
    assert len(SHELL) >= 9
    for block in SHELL:
        done = subprocess.run(["/bin/bash", "-n"], input=block, capture_output=True, text=True, timeout=10, check=False)
        assert (done.returncode, done.stderr) == (0, ""), block


def test_all_blocks_but_those_that_need_docker_or_a_build_are_run_here() -> None:
    run_here = [
        "REPOSITORY=",
        "ecr create-repository",
        "cloudformation deploy",
        "airflow.env",
        "lambda create-function",
    ]
    run_here += ["iam attach-role-policy", "lambda invoke", "delete-stack"]
    left = [block for block in SHELL if not any(text in block for text in run_here)]
    assert all(NOT_RUN.search(block) for block in left), left
    assert not any(NOT_RUN.search(block) for block in SHELL if block not in left)


# moto warns of what it leaves out; test_stack.py looks at that.
@pytest.mark.filterwarnings("ignore:Tried to parse")
def test_image_and_stack_are_made_and_go_away(there: servers.Server, tmp_path: Path) -> None:
    def queues() -> list[str]:
        return [url for url in there.sqs().list_queues().get("QueueUrls", []) if "/goes-away-" in url]

    made = block_with("ecr create-repository"), block_with("cloudformation deploy")
    run(there, tmp_path, named("goes-away"), *made)
    assert len(queues()) == 2
    run(there, tmp_path, named("goes-away"), block_with("delete-stack"))
    assert queues() == []
    assert not [
        it for it in aws(there, "ecr").describe_repositories()["repositories"] if it["repositoryName"] == "goes-away"
    ]


def test_the_stack_is_allowed_the_iam_that_it_has(template: dict[str, Any]) -> None:
    """moto does not ask. A role or policy with a name of its own would need CAPABILITY_NAMED_IAM."""
    iam = [it for it in template["Resources"].values() if it["Type"] in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")]
    assert iam
    assert not any({"RoleName", "ManagedPolicyName"} & set(it["Properties"]) for it in iam)
    assert " --capabilities CAPABILITY_IAM " in block_with("cloudformation deploy")


def test_the_outputs_become_files_and_a_policy_of_the_scheduler(there: servers.Server, tmp_path: Path) -> None:
    # moto forgets the outputs of a stack that was made by `deploy`, so this one is not.
    stack = deploy(there, "has-outputs", {"ImageUri": IMAGE})
    iam = aws(there, "iam")
    iam.create_role(RoleName="my-scheduler", AssumeRolePolicyDocument="{}")
    run(there, tmp_path, named("has-outputs"), block_with("airflow.env"), block_with("iam attach-role-policy"))
    config = json.loads((tmp_path / "my-executor.json").read_text())
    assert config == json.loads(stack.outputs["Options"])
    assert (config["function_name"], config["region_name"]) == ("has-outputs", there.region)
    variables = dict(line.split("=", 1) for line in (tmp_path / "airflow.env").read_text().splitlines())
    prefix = "AIRFLOW__AWS_LAMBDA_EXECUTOR__"
    assert {name.removeprefix(prefix).lower(): value for name, value in variables.items()} == config
    (attached,) = iam.list_attached_role_policies(RoleName="my-scheduler")["AttachedPolicies"]
    assert attached["PolicyArn"] == stack.outputs["SchedulerPolicyArn"]


def test_by_hand_it_becomes_what_the_template_makes(there: servers.Server, plain: Stack, by_hand: Path) -> None:
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
    # moto forgets it.
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
    }


def test_by_hand_the_permissions_are_those_of_the_template(there: servers.Server, plain: Stack, by_hand: Path) -> None:
    def permissions(statements: list[dict[str, Any]]) -> set[tuple[str, str]]:
        """Pairs of action and resource, whatever the names and the region."""
        return {
            # AWS writes the name of a log group with `:*` at its end, moto without.
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
        client, sqs, name = server.awslambda(), server.sqs(), server.function_name
        # As the stack names them.
        results = sqs.create_queue(QueueName=f"{name}-results")["QueueUrl"]
        client.update_function_configuration(FunctionName=name, Environment={"Variables": {"QUEUE_URL": results}})
        client.create_alias(
            FunctionName=name, Name="live", FunctionVersion=client.publish_version(FunctionName=name)["Version"]
        )
        told = run(server, tmp_path, f"NAME={name}", block_with("lambda invoke"))
    shown = re.search(r'with `("return_code":0)` and `("output_tail":".+?")`', section("The first task"))
    assert shown
    assert shown[1] in told
    assert shown[2] in told


# ---- what is looked up ----


def test_json_is_a_configuration_that_the_library_takes() -> None:
    blocks = [json.loads(block) for kind, block in BLOCKS if kind == "json"]
    assert len(blocks) == 1
    for config in blocks:
        assert list(Draft202012Validator(config_schema()).iter_errors(config)) == []


def test_names_in_code_are_names_that_exist(template: dict[str, Any]) -> None:
    """Options, variables, parameters, outputs, reasons: whatever stands in code and looks like one."""
    root = servers.ROOT
    function = [*(root / "function").rglob("*.rs"), *(root / "function").rglob("*ockerfile*")]
    function += [root / "function" / "README.md", root / "function" / "template.yaml"]
    program = "\n".join(file.read_text() for file in function if file.is_file())
    told = "\n".join(file.read_text() for file in (root / "docs").glob("*.md") if file != GUIDE)
    header = (root / "include" / "lambda_executor.h").read_text()
    known_camel = {*template["Parameters"], *template["Outputs"], "MaximumRetryAttempts", "MaximumMessageSize"}
    # Errors that AWS tells, an executor of Airflow's.
    known_camel |= {"AccessDenied", "AccessDeniedException", "AwsLambdaExecutor"}
    prose = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    for code in re.findall(r"`([^`]+)`", prose):
        for name in re.findall(r"\b[A-Z][A-Z0-9]*(?:_+[A-Z0-9]+)+\b", code):
            assert AIRFLOW_VARIABLE.fullmatch(name) or re.search(rf"\b{name}\b", program + told), name
        if re.fullmatch(r"[a-z]+(_[a-z]+)+", code):
            assert f"`{code}`" in told or code in program or f"REASON_{code.upper()}" in header, code
        if re.fullmatch(r"([A-Z][a-z0-9]+){2,}", code):
            assert code in known_camel, code


def test_parameters_and_their_defaults_are_those_of_the_template(template: dict[str, Any]) -> None:
    checked = 0
    for names, default, *_ in rows("The stack"):
        defaults = [str(template["Parameters"][name]["Default"]) for name in re.findall(r"`(\w+)`", names)]
        written = ["" if it == "none" else it for it in re.findall(r"none|\w+", default)]
        assert written == defaults, names
        checked += len(defaults)
    assert checked >= 10


def test_the_costs_are_added_up_from_the_prices_of_the_library() -> None:
    prices = (servers.ROOT / "src" / "observe" / "prices.rs").read_text()
    price = dict(re.findall(r'of: "(.+?)",\s+usd_per_million: ([\d.]+)', prices))
    as_of = re.search(r'AS_OF: &str = "(.+?)"', prices)
    assert as_of
    assert as_of[1] in section("Cost")
    *items, (_, _, _, together) = rows("Cost")
    total = 0.0
    for what, amount, each, cost in items:
        number, numbers = float(amount.replace(",", "")), each.replace(",", "").split(" / ")
        exact = number * float(numbers[0]) / (float(numbers[1]) if numbers[1:] else 1)
        assert cost == f"{exact:.4f}", what
        total += exact
        if numbers[1:]:
            assert numbers[1] == "1000000"
            assert numbers[0] == price["Lambda, Invoke" if what == "Invokes" else "SQS, standard queue"], what
    assert together == f"{total:.4f}"
    (time,) = (item for item in items if item[0].startswith("time"))
    factors = re.search(r"([\d,]+) . (\d+) s . (\d+) GB", time[0])
    assert factors
    tasks, seconds, memory = (int(it.replace(",", "")) for it in factors.groups())
    assert tasks * seconds * memory == int(time[1].replace(",", ""))


def test_links_lead_somewhere() -> None:
    def anchors(text: str) -> set[str]:
        titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}

    for target in re.findall(r"\]\((?!https:)([^)]+)\)", TEXT):
        path, _, anchor = target.partition("#")
        text = (GUIDE.parent / path).read_text() if path else TEXT
        assert not anchor or anchor in anchors(text), target
    named = set(re.findall(r"\[([^\]]+)\](?![(:])", section("Quotas").split("\n[")[0]))
    assert named
    for name in named:
        assert f"\n[{name}]: https://docs.aws.amazon.com/" in TEXT, name
