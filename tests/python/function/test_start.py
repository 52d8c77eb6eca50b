"""An invalid configuration is an error with its name when the function starts, before any command."""

from collections.abc import Iterator

import pytest
import servers

from .conftest import Function, Start, options

FIRST, SECOND, THIRD = (
    "AIRFLOW__AWS_LAMBDA_EXECUTOR__QUEUE_URL",
    "AIRFLOW__LAMBDA_EXECUTOR__QUEUE_URL",
    "QUEUE_URL",
)
COMMAND = ["touch", "ran"]
NO_QUEUE = f"no results queue is configured: set {FIRST}, or {SECOND}, or {THIRD} to its URL"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Function]:
    root = tmp_path_factory.mktemp("start")
    # A process of the previous test may still be ending.
    with servers.local(root / "local", concurrency=20, **options(root / "function", {})) as server:
        yield Function(server, root / "function")


@pytest.fixture
def function(started: Function) -> Iterator[Function]:
    """Restores the original environment, which the previous test may have changed."""
    yield started
    configure(started)
    started.path("ran").unlink(missing_ok=True)


def configure(function: Function, **variables: str) -> None:
    function.awslambda.update_function_configuration(
        FunctionName=function.server.function_name, Environment={"Variables": variables}
    )


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({THIRD: ""}, NO_QUEUE),
        ({FIRST: "", SECOND: " ", THIRD: ""}, NO_QUEUE),
        ({FIRST: "results"}, f"{FIRST}: `results` is not the URL of a queue"),
        ({THIRD: "arn:aws:sqs:us-east-1:1:q"}, f"{THIRD}: `arn:aws:sqs:us-east-1:1:q` is not the URL of a queue"),
        ({"LAMBDA_EXECUTOR_REPLY_TO_ALLOW": "q"}, "LAMBDA_EXECUTOR_REPLY_TO_ALLOW: `q` is not the URL of a queue"),
        ({"LAMBDA_EXECUTOR_KILL_GRACE_MS": "5s"}, "LAMBDA_EXECUTOR_KILL_GRACE_MS: `5s` is not allowed"),
        ({"LAMBDA_EXECUTOR_OUTPUT_TAIL_BYTES": "-1"}, "a whole number from 0 to 65536"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "no AWS region is configured"),
    ],
)
def test_a_wrong_environment(function: Function, variables: dict[str, str], message: str) -> None:
    """E10: the error reaches the caller of a synchronous invocation."""
    configure(function, **variables)
    error = function.call({"task_key": "k", "command": COMMAND})
    assert error["errorType"] == "LambdaExecutor.CannotStart"
    assert message in error["errorMessage"]
    assert not function.path("ran").exists()


def test_the_dead_letter_has_the_error(function: Function) -> None:
    """E10: after the variable is fixed, commands run."""
    configure(function, **{THIRD: ""})
    final = function.run_one(COMMAND)
    assert (final["state"], final["reason"]) == ("failed", "dead_letter")
    assert NO_QUEUE in final["message"]
    assert not function.path("ran").exists()
    configure(function)
    assert function.run_one(["true"])["state"] == "succeeded"


def test_a_variable_that_is_missing(start: Start) -> None:
    """E10: unset, not only empty."""
    program = servers.PROGRAMS / "lambda-executor-function"
    function = start(handler=["env", "-u", THIRD, str(program)])
    final = function.run_one(COMMAND)
    assert (final["state"], final["reason"]) == ("failed", "dead_letter")
    assert NO_QUEUE in final["message"]
    assert not function.path("ran").exists()
    assert NO_QUEUE.encode() in function.log


@pytest.mark.parametrize("variable", [FIRST, SECOND, THIRD])
def test_an_empty_variable_does_not_hide_another(function: Function, variable: str) -> None:
    """E10: all three are read; the first that is not empty counts."""
    other = function.sqs.create_queue(QueueName=f"other-{variable}")["QueueUrl"]
    order = [FIRST, SECOND, THIRD]
    position = order.index(variable)
    empty = dict.fromkeys(order[:position], "")
    ignored = dict.fromkeys(order[position + 1 :], function.server.queue_url)
    configure(function, **{**empty, variable: other, **ignored})
    assert function.call({"task_key": "k", "command": ["true"]})["result_sent_to"] == other
    assert len(function.messages(other, 1)) == 1
    assert function.left(function.server.queue_url) == 0
