"""The AWS calls that the code makes, and the permissions that they need."""

import re
from pathlib import Path

import botocore.session
from botocore import xform_name

# Services whose SDK crates the code uses. The policies omit STS: only a scheduler that is configured with a role calls
# it, and that role grants the permission, not the stack.
SERVICES = ("lambda", "sqs", "s3")
STS = {"sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"}
# Permissions whose name differs from the call, from the Service Authorization Reference of each service.
PERMISSIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
}


def operations() -> dict[str, str]:
    """Every call of these services by the name of its method in the Rust SDK."""
    session = botocore.session.get_session()
    found: dict[str, str] = {}
    for service in (*SERVICES, "sts"):
        for operation in session.get_service_model(service).operation_names:
            # A name that two services share (`tag_resource`) is attributed to the last one.
            found[xform_name(operation)] = f"{service}:{operation}"
    return found


def in_code(folder: Path) -> set[str]:
    """The calls, as service:Operation, that the Rust code below `folder` makes outside its tests."""
    known = operations()
    made: set[str] = set()
    for file in folder.rglob("*.rs"):
        if "tests" in file.relative_to(folder).parts:
            continue
        code = file.read_text().split("#[cfg(test)]")[0]
        # The fluent builders: a method without arguments, named like the operation.
        made |= {known[name] for name in re.findall(r"\.([a-z0-9_]+)\(\)", code) if name in known}
    return made


def permissions(calls: set[str]) -> set[str]:
    return {PERMISSIONS.get(call, call) for call in calls}
