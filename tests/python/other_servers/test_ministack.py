"""The library and our function program in ministack, end to end.

ministack supports: Invoke of kind Event with real processes and without Docker (it starts a custom runtime's
`bootstrap` on the host with a Runtime API, one process for each concurrent invocation, kept warm), retries by
MaximumRetryAttempts, dead letters, qualifiers, 404, SQS with long polls.
Its differences: a dead letter always has the form of an on-failure record, without message attributes and without the
request id; the id of a request changes with each attempt; signatures are not checked; a function sees the whole
environment of the server. So a dead letter is matched here by the attempt id in its requestPayload. A long poll
continues after its client has disconnected and hides messages for a minute, so each test has its own queues.
"""

import pytest
import servers
from library import health_error, run_tasks

from .conftest import Deployment, command, deploy, deploy_function


@pytest.fixture
def deployment(ministack: servers.Server) -> Deployment:
    return deploy_function(ministack)


def test_commands_run_in_real_processes(deployment: Deployment) -> None:
    tasks = [command(f"exit-{code}", "sh", "-c", f"echo out {code}; exit {code}") for code in range(20)]
    finals = run_tasks(deployment.server, deployment.config, tasks, check_health=True)
    for code in range(20):
        final = finals[f"exit-{code}"]
        assert final["state"] == ("failed" if code else "succeeded")
        assert (final["reason"], final["has_return_code"], final["return_code"]) == ("exit", 1, code)
        assert final["output_tail"] == f"out {code}\n"
        assert final["request_id"]
        assert final["started_at_ms"] <= final["finished_at_ms"]


def test_one_task_after_another(deployment: Deployment) -> None:
    """Between two tasks nothing runs, and polling stops."""
    tasks = [command(f"k-{number}", "true") for number in range(5)]
    finals = run_tasks(deployment.server, deployment.config, tasks, one_by_one=True, seconds=30)
    assert {final["state"] for final in finals.values()} == {"succeeded"}


def test_what_ends_a_command(deployment: Deployment) -> None:
    tasks = [
        command("signal", "sh", "-c", "kill -9 $$"),
        command("no such program", "/no/such/program"),
        {**command("over time", "sleep", "60"), "timeout_ms": 300},
    ]
    finals = run_tasks(deployment.server, deployment.config, tasks)
    assert (finals["signal"]["reason"], finals["signal"]["return_code"], finals["signal"]["signal"]) == (
        "signal",
        -9,
        9,
    )
    assert finals["no such program"]["return_code"] == 127
    assert (finals["over time"]["reason"], finals["over time"]["return_code"]) == ("timeout", 124)


@pytest.mark.parametrize("retries", [0, 1])
def test_a_function_that_crashes_ends_in_a_dead_letter(ministack: servers.Server, retries: int) -> None:
    broken = deploy(ministack, f"crashes-{retries}", "#!/bin/sh\nexit 3\n", retries=retries)
    final = run_tasks(ministack, broken.config, [command("doomed", "true")])["doomed"]
    assert (final["state"], final["reason"], final["has_return_code"]) == ("failed", "dead_letter", 0)
    assert final["message"]


def test_an_unknown_function_fails_after_max_outage(deployment: Deployment) -> None:
    config = {**deployment.config, "function_name": "none", "check_health_on_startup": False, "max_outage_ms": 1000}
    final = run_tasks(deployment.server, config, [command("lost", "true")], seconds=20)["lost"]
    assert (final["state"], final["reason"]) == ("failed", "invoke_failed")
    assert "ResourceNotFoundException" in final["message"]


def test_an_unknown_qualifier_fails_after_max_outage(deployment: Deployment) -> None:
    config = {
        **deployment.config,
        "function_qualifier": "none",
        "check_health_on_startup": False,
        "max_outage_ms": 1000,
    }
    final = run_tasks(deployment.server, config, [command("lost", "true")], seconds=20)["lost"]
    assert (final["state"], final["reason"]) == ("failed", "invoke_failed")
    assert "ResourceNotFoundException" in final["message"]


def test_a_function_is_named_by_its_arn(deployment: Deployment) -> None:
    client = deployment.server.awslambda()
    arn = client.get_function(FunctionName=deployment.function_name)["Configuration"]["FunctionArn"]
    config = {**deployment.config, "function_name": arn}
    final = run_tasks(deployment.server, config, [command("by arn", "true")], check_health=True)["by arn"]
    assert final["state"] == "succeeded"


def test_an_alias_is_invoked(deployment: Deployment) -> None:
    client = deployment.server.awslambda()
    version = client.publish_version(FunctionName=deployment.function_name)["Version"]
    client.create_alias(FunctionName=deployment.function_name, Name="live", FunctionVersion=version)
    config = {**deployment.config, "function_qualifier": "live"}
    final = run_tasks(deployment.server, config, [command("by alias", "true")], check_health=True)["by alias"]
    assert final["state"] == "succeeded"


def test_tasks_choose_function_and_version(deployment: Deployment) -> None:
    """By their queue, and by their executor_config if that is allowed."""
    client = deployment.server.awslambda()
    other = deploy_function(deployment.server).function_name
    variables = {"QUEUE_URL": deployment.queue_url}
    client.update_function_configuration(FunctionName=other, Environment={"Variables": variables})
    client.get_waiter("function_active_v2").wait(FunctionName=other, WaiterConfig={"Delay": 1})
    version = client.publish_version(FunctionName=other)["Version"]
    client.create_alias(FunctionName=other, Name="live", FunctionVersion=version)
    config = {**deployment.config, "queues": {"other": {"function_name": other}}, "allow_task_overrides": True}
    where = ("sh", "-c", "echo $AWS_LAMBDA_FUNCTION_NAME $AWS_LAMBDA_FUNCTION_VERSION")
    tasks: list[dict[str, object]] = [
        command("default", *where),
        {**command("routed", *where), "queue": "other"},
        {**command("live", *where), "queue": "other", "executor_config": {"function_qualifier": "live"}},
        {**command("none", *where), "queue": "other", "executor_config": {"function_qualifier": "none"}},
        {**command("short", "sleep", "60"), "queue": "other", "executor_config": {"timeout_ms": 300}},
    ]
    finals = run_tasks(deployment.server, config, tasks, check_health=True)
    assert finals["default"]["output_tail"] == f"{deployment.function_name} $LATEST\n"
    assert finals["routed"]["output_tail"] == f"{other} $LATEST\n"
    assert finals["live"]["output_tail"] == f"{other} {version}\n"
    assert finals["none"]["reason"] == "invoke_failed"
    assert f"function `{other}` with qualifier `none`, as the task asks for" in finals["none"]["message"]
    assert finals["short"]["reason"] == "timeout"


def test_health_reports_missing_resources(deployment: Deployment) -> None:
    config = {**deployment.config, "function_name": "none"}
    assert "none" in health_error(deployment.server, config)
    config = {**deployment.config, "queue_url": deployment.queue_url + "-none"}
    assert deployment.queue_url + "-none" in health_error(deployment.server, config)
