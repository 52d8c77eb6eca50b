"""A handler written for Airflow's Lambda executor works unchanged, by boto3 and by the library."""

import json
from typing import Any

from library import drive, run_tasks
from messages import messages

from .conftest import Start, runtime

# The key as Airflow below 3.4 writes it; it must come back byte for byte.
KEY = '{"dag_id": "d\\u00fc", "task_id": "t", "run_id": "manual__1", "try_number": 1, "map_index": -1}'


def test_by_boto3(start: Start) -> None:
    server = start(**runtime("airflow_style.handler"))
    for command in (["sh", "-c", "exit 3"], "exit 3"):
        payload: dict[str, object] = {"task_key": KEY, "command": command, "executor_config": {}}
        server.awslambda().invoke(
            FunctionName=server.function_name, InvocationType="Event", Payload=json.dumps(payload).encode()
        )
        body = messages(server, server.queue_url, 1)[0]["Body"]
        assert json.loads(body) == {"task_key": KEY, "return_code": 3}


def test_by_the_library(start: Start) -> None:
    server = start(**runtime("airflow_style.handler"), concurrency=2)
    config = {
        "function_name": server.function_name,
        "queue_url": server.queue_url,
        "dead_letter_queue_url": server.dead_letter_queue_url,
    }
    tasks = [{"task_key": KEY, "command": ["true"]}]
    tasks += [{"task_key": f"exit-{code}", "command": ["sh", "-c", f"exit {code}"]} for code in range(1, 8)]
    finals = run_tasks(server, config, tasks)
    assert (finals[KEY]["state"], finals[KEY]["return_code"]) == ("succeeded", 0)
    for code in range(1, 8):
        final = finals[f"exit-{code}"]
        assert (final["state"], final["reason"], final["return_code"]) == ("failed", "exit", code)


def test_a_key_used_again_is_not_confused(start: Start) -> None:
    """Without an attempt id, results match by key, consumed message ids, and the send time of the message."""
    # Each result arrives twice with one message id: the second copy may arrive for the next task of the same key.
    server = start(**runtime("airflow_style.handler"), faults={"messages": {"duplicate": 1.0}})
    # An older result is in the queue before all of them.
    stale = json.dumps({"task_key": KEY, "return_code": 99})
    server.sqs().send_message(QueueUrl=server.queue_url, MessageBody=stale)
    config = {
        "function_name": server.function_name,
        "queue_url": server.queue_url,
        "dead_letter_queue_url": server.dead_letter_queue_url,
    }
    codes = [0, 4, 0, 5]
    # The tasks take some time, so that a wrong result could arrive first.
    tasks = [{"task_key": KEY, "command": ["sh", "-c", f"sleep 0.3; exit {code}"]} for code in codes]
    order = {"config": config, "tasks": tasks, "seconds": 60, "check_health": False, "one_by_one": True}
    events: list[dict[str, Any]] = []
    status, error = drive(server, order, lambda line: events.append(json.loads(line)))
    assert status == 0, error
    assert [event["return_code"] for event in events if event["state"] != "running"] == codes
