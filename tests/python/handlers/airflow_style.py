"""A handler as documented for Airflow's Lambda executor: runs the command of the event and reports two fields.

It does not use this project's fields: attempt id, reason, output.
"""

import json
import os
import subprocess
from typing import Any

import boto3


def handler(event: dict[str, Any], context: object) -> None:
    queue_url = os.environ.get("AIRFLOW__AWS_LAMBDA_EXECUTOR__QUEUE_URL") or os.environ["QUEUE_URL"]
    assert isinstance(event["executor_config"], dict)
    command = event["command"]
    try:
        return_code = subprocess.run(command, shell=isinstance(command, str), check=False).returncode
    except OSError:
        return_code = 1
    body = json.dumps({"task_key": event["task_key"], "return_code": return_code})
    boto3.client("sqs").send_message(QueueUrl=queue_url, MessageBody=body)
