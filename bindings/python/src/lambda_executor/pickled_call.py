"""The call of a Python function, in a task's `executor_config`.

It is not in the command line, which every user of the machine can read, and whose arguments are limited to 128 KiB.
"""

from __future__ import annotations

import base64
import pickle
import platform
import sys
import zlib
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple

from .pickled_value import FORMAT, Ticket

#: The member of `executor_config` that has the call. All other members are the user's.
MEMBER = "lambda_executor_call"
#: Format of a call with environment variables. A version that does not know them would run the call without them.
FORMAT_WITH_ENV = 2


def python_version() -> str:
    """The Python version, which must be the same on both sides: a function that is pickled by value is bytecode."""
    return f"{platform.python_implementation()} {sys.version_info[0]}.{sys.version_info[1]}"


def dumps(what: object) -> bytes:
    """Pickles an object, with functions and classes of __main__ by value."""
    # Imported here, because commands need no cloudpickle.
    import cloudpickle

    data: bytes = cloudpickle.dumps(what)
    return data


def pack(ticket: Ticket, pickled: bytes, env: Mapping[str, str]) -> tuple[dict[str, Any], int]:
    """The member of `executor_config`, and the encoded size of the pickle in it."""
    text = base64.b64encode(zlib.compress(pickled)).decode()
    member: dict[str, Any] = {
        "format": FORMAT,
        "python": python_version(),
        "nonce": base64.b64encode(ticket.nonce).decode(),
        "secret": base64.b64encode(ticket.secret).decode(),
        "pickle": text,
    }
    if env:
        member.update(format=FORMAT_WITH_ENV, env=dict(env))
    return {MEMBER: member}, len(text)


class Packed(NamedTuple):
    """A call that has arrived and is not unpickled yet."""

    python: str
    ticket: Ticket
    pickle: str
    env: dict[str, str]

    def load(self) -> tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]:
        """The function and its arguments."""
        function, args, kwargs = pickle.loads(zlib.decompress(base64.b64decode(self.pickle)))
        return function, args, kwargs


def unpack(member: dict[str, Any]) -> Packed:
    """The call. Raises ValueError if this version cannot read its format."""
    if member.get("format") not in (FORMAT, FORMAT_WITH_ENV):
        raise ValueError(
            f"the call has format {member.get('format')}, and the lambda-executor in this image reads formats {FORMAT} "
            f"and {FORMAT_WITH_ENV}: install the host's version in the image"
        )
    ticket = Ticket(base64.b64decode(member["nonce"]), base64.b64decode(member["secret"]))
    return Packed(member["python"], ticket, member["pickle"], member.get("env", {}))
