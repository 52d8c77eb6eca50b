"""Compares the permissions of both sides with the calls that the code makes: none is missing, none is superfluous."""

import json
import uuid
from pathlib import Path
from typing import Any

import servers
from library import run_tasks

from .calls import STS, in_code, permissions
from .conftest import KEY, Stack, as_list

SCHEDULER = servers.ROOT / "src"
FUNCTION = servers.ROOT / "function" / "src"
ACCOUNT = "us-east-1:123456789012"
# Needed in addition to the code's own calls: Lambda writes the log with the function's role.
LAMBDAS_OWN = {"logs:CreateLogStream", "logs:PutLogEvents"}
# A queue with a customer key calls KMS with the identity of the sender or receiver.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
SENDER_WITH_KEY = {"kms:GenerateDataKey", "kms:Decrypt"}
RECEIVER_WITH_KEY = {"kms:Decrypt"}


def allowed(statements: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Resources by action."""
    found: dict[str, set[str]] = {}
    for statement in statements:
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource"} & set(statement)
        for action in as_list(statement["Action"]):
            found.setdefault(action, set()).update(as_list(statement["Resource"]))
    return found


def queues(stack: Stack) -> set[str]:
    return {f"arn:aws:sqs:{ACCOUNT}:{stack.name}-{kind}" for kind in ("results", "dead-letters")}


def test_the_scheduler_has_exactly_the_permissions_for_its_calls(plain: Stack) -> None:
    calls = in_code(SCHEDULER)
    # It calls STS only if a role is configured.
    assert {call for call in calls if call.startswith("sts:")} == STS
    found = allowed(plain.scheduler_policy())
    assert set(found) == permissions(calls - STS)
    function = f"arn:aws:lambda:{ACCOUNT}:function:{plain.name}"
    for action, resources in found.items():
        expected = queues(plain) if action.startswith("sqs:") else {function, f"{function}:live"}
        assert resources == expected, action


def test_the_function_has_exactly_the_permissions_for_its_calls(plain: Stack, full: Stack) -> None:
    calls = permissions(in_code(FUNCTION))
    files = {call for call in calls if call.startswith("s3:")}
    assert files
    without, everything = allowed(plain.function_role()), allowed(full.function_role())
    assert set(without) == (calls - files) | LAMBDAS_OWN
    assert set(everything) == calls | LAMBDAS_OWN | SENDER_WITH_KEY
    for stack, found in ((plain, without), (full, everything)):
        # Lambda sends dead letters with this role.
        assert found["sqs:SendMessage"] == queues(stack)
        for action in LAMBDAS_OWN:
            # AWS appends `:*` to the ARN of a log group, moto does not.
            assert {name.removesuffix(":*") for name in found[action]} == {
                f"arn:aws:logs:{ACCOUNT}:log-group:/aws/lambda/{stack.name}"
            }


def test_files_are_read_below_the_prefix_only(full: Stack) -> None:
    (listing,) = (it for it in full.function_role() if "s3:ListBucket" in as_list(it["Action"]))
    (reading,) = (it for it in full.function_role() if "s3:GetObject" in as_list(it["Action"]))
    assert as_list(listing["Resource"]) == ["arn:aws:s3:::my-bucket"]
    # The prefixes that the function lists (function/src/s3/listing.rs): never `team/dags-old/`.
    assert listing["Condition"] == {"StringEquals": {"s3:prefix": ["team/dags/", "team/dags"]}}
    below = "arn:aws:s3:::my-bucket/team/dags"
    assert set(reading["Resource"]) == {below, f"{below}/*"}


def test_the_key_is_used_through_sqs_only(plain: Stack, full: Stack) -> None:
    sides = (
        (full.function_role(), SENDER_WITH_KEY),
        (full.scheduler_policy("SchedulerKeyPolicyArn"), RECEIVER_WITH_KEY),
    )
    for statements, actions in sides:
        (statement,) = (it for it in statements if "kms:Decrypt" in as_list(it["Action"]))
        assert set(as_list(statement["Action"])) == actions
        assert statement["Resource"] == KEY
        assert statement["Condition"] == {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}}
    assert "SchedulerKeyPolicyArn" not in plain.outputs
    assert allowed(full.scheduler_policy()).keys() == allowed(plain.scheduler_policy()).keys()


def test_a_run_makes_the_calls_found_in_the_code(tmp_path: Path) -> None:
    """Real requests of tasks that succeed and fail, a health check, and an unmatched message, which is released."""
    with servers.local(tmp_path / "local") as server:
        config = {
            "function_name": server.function_name,
            "queue_url": server.queue_url,
            "dead_letter_queue_url": server.dead_letter_queue_url,
        }
        unmatched = {"task_key": str(uuid.uuid4()), "return_code": 0}
        server.sqs().send_message(QueueUrl=server.queue_url, MessageBody=json.dumps(unmatched))
        tasks = [{"task_key": f"k-{number}", "command": ["sh", "-c", f"exit {number}"]} for number in range(3)]
        finals = run_tasks(server, config, tasks, check_health=True)
        requests = server.stats()["requests"]
    assert [final["return_code"] for _, final in sorted(finals.items())] == [0, 1, 2]
    made = {operation for operation, number in requests.items() if number}
    # Without S3 and without a role.
    calls = in_code(SCHEDULER) | in_code(FUNCTION)
    assert made == {call.split(":")[1] for call in calls if not call.startswith(("s3:", "sts:"))}
