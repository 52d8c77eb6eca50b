"""The call of a Python function, as it travels in a task's `executor_config`.

Not in the command: a command line can be read by everybody on the machine, and no argument may have 128 KiB.
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

#: Where in `executor_config` the call is. The rest of that object is the user's.
MEMBER = "lambda_executor_call"
#: Of a call that has environment variables: an older version would run it without them.
FORMAT_WITH_ENV = 2


def python_version() -> str:
    """What has to be the same on both sides: a function that is pickled by value is bytecode."""
    return f"{platform.python_implementation()} {sys.version_info[0]}.{sys.version_info[1]}"


def dumps(what: object) -> bytes:
    """Pickles it, with functions and classes of __main__ by value."""
    # Not at the top: commands need no cloudpickle.
    import cloudpickle

    data: bytes = cloudpickle.dumps(what)
    return data


def pack(ticket: Ticket, pickled: bytes, env: Mapping[str, str]) -> tuple[dict[str, Any], int]:
    """The member, and how many bytes of it are the pickle."""
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
    """A call that has arrived and is not loaded yet."""

    python: str
    ticket: Ticket
    pickle: str
    env: dict[str, str]

    def load(self) -> tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]:
        """The function and its arguments."""
        function, args, kwargs = pickle.loads(zlib.decompress(base64.b64decode(self.pickle)))
        return function, args, kwargs


def unpack(member: dict[str, Any]) -> Packed:
    """The call; ValueError where this version cannot read it."""
    if member.get("format") not in (FORMAT, FORMAT_WITH_ENV):
        raise ValueError(
            f"the call has format {member.get('format')}, and the lambda-executor in this image reads formats {FORMAT} "
            f"and {FORMAT_WITH_ENV}: install the host's version in the image"
        )
    ticket = Ticket(base64.b64decode(member["nonce"]), base64.b64decode(member["secret"]))
    return Packed(member["python"], ticket, member["pickle"], member.get("env", {}))
