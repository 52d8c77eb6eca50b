"""The signed value of a Python function: write access to the results queue must not allow running code on the host.

The host sends a secret with each call, derived from the secret of its pool. The function signs its value with it. The
host unpickles a value only if the signature matches this call: the task's key, its submission (`attempt_id`), and every
byte of the value.

A secret is valid for its own call alone: access to the events in the dead letter queue reveals no secret of other
calls. Both sides use this module, which needs only the standard library.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import zlib
from enum import Enum
from typing import NamedTuple

#: Version of the formats of call and value.
FORMAT = 1
#: Limit of the function program for a value (function/README.md).
MAX_VALUE_BYTES = 180_000
MIN_SECRET_BYTES = 16

_MAGIC = b"LXV%d" % FORMAT
_NONCE_BYTES = 16
_MAC_BYTES = hashlib.sha256().digest_size
_BODY_AT = len(_MAGIC) + _NONCE_BYTES + _MAC_BYTES + 2
#: Below this, compression saves less than it costs.
_WORTH_COMPRESSING = 256


class Kind(Enum):
    """Kind of a value's body."""

    RETURNED = b"R"  #: a pickle of what the function returned
    RAISED = b"E"  #: a pickle of the exception and of its traceback as text
    UNABLE = b"U"  #: the reason why there is neither, as text in UTF-8


class NotSigned(Exception):
    """A value that was not signed by the call that it claims to come from. The message says why."""


class Ticket(NamedTuple):
    """The secret and the nonce with which a call signs its value."""

    nonce: bytes
    secret: bytes


def new_secret() -> bytes:
    """The secret of a pool."""
    return os.urandom(32)


def ticket(pool_secret: bytes, key: str) -> Ticket:
    """Creates the ticket of one call. Each call of the same key gets another one."""
    return _ticket(pool_secret, key, os.urandom(_NONCE_BYTES))


def seal(of: Ticket, key: str, attempt_id: str, kind: Kind, body: bytes) -> bytes:
    """The signed value of a body, compressed if that makes it smaller."""
    compressed = compress(body)
    packed, flag = (compressed, b"Z") if len(compressed) < len(body) else (body, b"-")
    signed = kind.value + flag + packed
    return _MAGIC + of.nonce + _mac(of.secret, key, attempt_id, signed) + signed


def unseal(pool_secret: bytes, nonce: bytes | None, key: str, attempt_id: str, value: bytes) -> tuple[Kind, bytes]:
    """Verifies a value and returns its body. `nonce` is the call's, None if not known (an adopted task)."""
    if not value.startswith(_MAGIC[:-1]):
        raise NotSigned("it does not come from `python -m lambda_executor.run`")
    if not value.startswith(_MAGIC):
        raise NotSigned("it was made by an incompatible version of lambda-executor")
    sent_nonce = value[len(_MAGIC) : len(_MAGIC) + _NONCE_BYTES]
    mac = value[len(_MAGIC) + _NONCE_BYTES : _BODY_AT - 2]
    signed = value[_BODY_AT - 2 :]
    secret = _ticket(pool_secret, key, sent_nonce).secret
    if not hmac.compare_digest(mac, _mac(secret, key, attempt_id, signed)):
        raise NotSigned("its signature is not that of this pool, task and submission")
    if nonce is not None and not hmac.compare_digest(nonce, sent_nonce):
        raise NotSigned("it was signed for an earlier call of the same key")
    # From here on the content is trusted.
    body = signed[2:]
    return Kind(signed[:1]), zlib.decompress(body) if signed[1:2] == b"Z" else body


def compress(data: bytes) -> bytes:
    """`data` compressed by zlib, or unchanged if it is short."""
    return zlib.compress(data) if len(data) >= _WORTH_COMPRESSING else data


def _ticket(pool_secret: bytes, key: str, nonce: bytes) -> Ticket:
    message = b"lambda-executor call %d\0" % FORMAT + nonce + key.encode()
    return Ticket(nonce, hmac.new(pool_secret, message, hashlib.sha256).digest())


def _mac(secret: bytes, key: str, attempt_id: str, signed: bytes) -> bytes:
    mac = hmac.new(secret, b"lambda-executor value %d\0" % FORMAT, hashlib.sha256)
    for part in (key.encode(), attempt_id.encode(), signed):
        # Each part with its length, so that different parts never give the same input.
        mac.update(len(part).to_bytes(8, "big"))
        mac.update(part)
    return mac.digest()
