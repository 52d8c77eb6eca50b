"""Python functions as tasks: the call that is sent to `python -m lambda_executor.run`, and the value it returns."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from typing import Any, Callable, NamedTuple

from . import pickled_value as wire
from .event import Event
from .outcome import TaskFailed, ValueNotSigned
from .pickled_call import dumps, pack
from .statuses import Reason, State

#: Exceptions of pickle for objects that it cannot pickle.
_UNPICKLABLE = (TypeError, AttributeError, pickle.PicklingError)


class Call(NamedTuple):
    """A function with its arguments, ready to be queued."""

    command: list[str]
    executor_config: dict[str, Any]
    nonce: bytes
    size: str  #: The size as text, for the error message.


class RemoteTraceback(Exception):
    """The cause of an exception that a function raised: the traceback in the function, as text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


class Functions:
    """Creates calls and reads their values, with the secret of one pool."""

    def __init__(self, python: str, secret: bytes | None) -> None:
        if secret is not None and len(secret) < wire.MIN_SECRET_BYTES:
            raise ValueError(f"secret has {len(secret)} bytes, and needs {wire.MIN_SECRET_BYTES} or more")
        self._command = [python, "-m", "lambda_executor.run"]
        self._secret = secret or wire.new_secret()

    def call(
        self,
        key: str,
        function: Callable[..., object],
        args: Iterable[Any],
        kwargs: dict[str, Any],
        env: Mapping[str, str],
    ) -> Call:
        """A task with key `key` that calls `function`."""
        pickled = _pickle(function, tuple(args), kwargs)
        ticket = wire.ticket(self._secret, key)
        config, packed = pack(ticket, pickled, env)
        size = f"{len(pickled):,} bytes pickled, {packed:,} compressed and in base64"
        return Call(self._command, config, ticket.nonce, size)

    def result(self, event: Event, nonce: bytes | None) -> object:
        """The function's return value. Raises the function's exception; without either, TaskFailed or
        ValueNotSigned."""
        if not event.value:
            raise TaskFailed(event, _without_value(event))
        try:
            kind, body = wire.unseal(self._secret, nonce, event.key, event.attempt_id, event.value)
        except wire.NotSigned as error:
            raise ValueNotSigned(event, _not_signed(error)) from None
        if kind is wire.Kind.UNABLE:
            raise TaskFailed(event, body.decode())
        try:
            what = pickle.loads(body)
        except BaseException as error:  # Also SystemExit, which would end the program that calls result().
            raise TaskFailed(
                event, f"what the function sent cannot be loaded here: {type(error).__name__}: {error}"
            ) from error
        if kind is wire.Kind.RAISED:
            exception, text = what
            if not isinstance(exception, Exception):
                raise TaskFailed(event, f"what the function raised is not an exception here: {exception!r}\n\n{text}")
            raise exception from RemoteTraceback(text)
        if event.state is not State.SUCCEEDED:
            raise TaskFailed(event, "the function returned, but its process then failed")
        return what


def call_each(function: Callable[..., object], calls: Iterable[tuple[Any, ...]]) -> list[object]:
    """A chunk of `map`, in the function's image."""
    return [function(*args) for args in calls]


def _pickle(function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    try:
        return dumps((function, args, kwargs))
    except _UNPICKLABLE as error:
        # Not the error's own class, whose constructor may take other arguments.
        kind = next(kind for kind in _UNPICKLABLE if isinstance(error, kind))
        raise kind(f"submit({_name(function)}): {_culprit(function, args, kwargs)}: {error}") from error
    except ModuleNotFoundError as error:
        if error.name != "cloudpickle":
            raise
        raise ModuleNotFoundError(
            "to send Python functions, install cloudpickle here and in the function's image "
            "(commands, as lists or strings, need nothing)",
            name="cloudpickle",
        ) from None


def _culprit(function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The part of the call that cannot be pickled."""
    parts: dict[str, object] = {"the function": function}
    parts.update((f"argument {place}", value) for place, value in enumerate(args))
    parts.update((f"argument {name}", value) for name, value in kwargs.items())
    for part, value in parts.items():
        try:
            dumps(value)
        except Exception:
            return f"{part} cannot be pickled"
    return "the call cannot be pickled"


def _name(function: Callable[..., object]) -> str:
    return getattr(function, "__qualname__", type(function).__name__)


def _without_value(event: Event) -> str:
    if event.reason is Reason.VALUE_TOO_LARGE:
        most = f"{wire.MAX_VALUE_BYTES:,} bytes"
        return f"its value has more than the {most} of a result: put it into S3 and return its name"
    if event.state is State.SUCCEEDED:
        return (
            "no value was sent, although the interpreter ended with exit status 0: the function ended it (os._exit), "
            "or key, output and value together were too large for a message"
        )
    if "No module named" in event.output_tail and "lambda_executor" in event.output_tail:
        return (
            "the interpreter in the function's image has no package lambda_executor: install its wheel and cloudpickle "
            "there"
        )
    return ""


def _not_signed(error: wire.NotSigned) -> str:
    return (
        f"its value was not unpickled: {error}. Check who may send to the results queue (its policy, "
        "the roles with sqs:SendMessage). A task of an earlier pool needs that pool's secret (LambdaPool(secret=...))"
    )
