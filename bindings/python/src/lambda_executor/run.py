"""`python -m lambda_executor.run`: calls a pickled Python function inside Lambda, for a LambdaPool elsewhere.

The call is in the task's `executor_config` (pickled_call.py). The return value or the exception is signed and written
to the result file (pickled_value.py). Exit status: 0 the function returned; 1 it raised; 2 it could not be called, or
its value could not be sent; after sys.exit the function's own.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import traceback
from typing import Any, Callable, NoReturn

from .pickled_call import MEMBER, Packed, dumps, python_version, unpack
from .pickled_value import MAX_VALUE_BYTES, Kind, Ticket, seal

_RAISED, _UNABLE = 1, 2
#: Maximum length of an error that is sent as text, in characters of at most 4 bytes.
_MAX_TEXT = 40_000


class _Unable(Exception):
    """Neither a value nor an exception can be sent, only the reason."""


class _Answer:
    """Signs a value and writes it to the result file, which the function program sends."""

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket
        self._key = os.environ["LAMBDA_EXECUTOR_TASK_KEY"]
        self._attempt_id = os.environ.get("LAMBDA_EXECUTOR_ATTEMPT_ID", "")
        # Read before the function runs, because it may change its environment and its working directory.
        self._path = os.path.abspath(os.environ["LAMBDA_EXECUTOR_RESULT_FILE"])

    def send(self, kind: Kind, body: bytes, what: str) -> None:
        value = seal(self._ticket, self._key, self._attempt_id, kind, body)
        if len(value) > MAX_VALUE_BYTES:
            raise _Unable(
                f"{what} has {len(body):,} bytes pickled, {len(value):,} compressed and signed; the limit is "
                f"{MAX_VALUE_BYTES:,}: put it into S3 and return its name"
            )
        with open(self._path, "wb") as file:
            file.write(value)

    def send_unable(self, why: str) -> None:
        if len(why) > _MAX_TEXT:
            # The beginning has the error, and the end has the place in the traceback.
            why = f"{why[:1_000]}\n...\n{why[1_000 - _MAX_TEXT :]}"
        self.send(Kind.UNABLE, why.encode("utf-8", "replace"), "the error")


def main() -> int:
    """Calls the function. Returns the exit status."""
    config = _read_config()
    member = config.pop(MEMBER, None)
    if not isinstance(member, dict):
        return _say("there is no call to make: this program is started by LambdaPool, inside a function in Lambda")
    _hide_call(config)
    try:
        call = unpack(member)
    except ValueError as error:
        # The call cannot be read, so there is no secret to sign with.
        return _say(str(error))
    answer = _Answer(call.ticket)
    # Set before the function's modules are loaded, because many read their variables then.
    os.environ.update(call.env)
    try:
        function, args, kwargs = _load(call)
    except _Unable as error:
        return _give_up(answer, str(error))
    return _call(answer, function, args, kwargs)


def _call(answer: _Answer, function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    try:
        returned = function(*args, **kwargs)
    except SystemExit as error:
        return _exit(answer, error)
    except BaseException as error:  # also KeyboardInterrupt and asyncio's CancelledError
        return _raised(answer, error)
    try:
        answer.send(Kind.RETURNED, _pickle(returned, "what the function returned"), "what the function returned")
    except _Unable as error:
        return _give_up(answer, str(error))
    return 0


def _raised(answer: _Answer, error: BaseException) -> int:
    # Without the frame of this module: the user's code starts below it.
    cause = error.__traceback__.tb_next if error.__traceback__ is not None else None
    text = "".join(traceback.format_exception(type(error), error, cause))
    sys.stderr.write(text)
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    if not isinstance(error, Exception):
        # Raised on the host, it would end the host's process.
        answer.send_unable(f"the function raised {name}\n\n{text}")
        return _RAISED
    try:
        body = _pickle((error.with_traceback(None), text), f"the exception {name}")
        # An exception whose __init__ takes other arguments than those in `args` can be pickled, but not unpickled.
        loaded, _ = pickle.loads(body)
        if not isinstance(loaded, Exception):
            raise _Unable(f"it is {loaded!r} when it is loaded")
        answer.send(Kind.RAISED, body, f"the exception {name}")
    except BaseException as trouble:  # also a SystemExit of unpickling
        why = str(trouble) if isinstance(trouble, _Unable) else f"{type(trouble).__name__}: {trouble}"
        answer.send_unable(f"the function raised {name}, which cannot be sent as it is ({why})\n\n{text}")
    return _RAISED


def _exit(answer: _Answer, error: SystemExit) -> int:
    code = error.code
    status = code if isinstance(code, int) else 0 if code is None else 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
    answer.send_unable(f"the function called sys.exit({'' if code is None else repr(code)})")
    return status & 0xFF


def _give_up(answer: _Answer, why: str) -> int:
    answer.send_unable(why)
    return _say(why)


def _say(why: str) -> int:
    print(f"lambda_executor.run: {why}", file=sys.stderr)
    return _UNABLE


def _load(call: Packed) -> tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]:
    ours = python_version()
    if call.python != ours:
        raise _Unable(
            f"the host runs {call.python} and the function's image {ours} ({sys.executable}); pickled functions need "
            "the same version on both sides: change the image, or name another interpreter (LambdaPool(python=...))"
        )
    try:
        return call.load()
    except ModuleNotFoundError as error:
        raise _Unable(
            f"the function cannot be loaded: the image has no module {error.name!r}. Install it there"
            + ("" if error.name == "cloudpickle" else ", or cloudpickle.register_pickle_by_value(module) on the host")
        ) from None
    except BaseException:  # also sys.exit in an imported module
        raise _Unable(f"the function cannot be loaded in the image\n\n{traceback.format_exc()}") from None


def _pickle(what: object, name: str) -> bytes:
    try:
        return dumps(what)
    except BaseException as error:  # an object may raise anything
        raise _Unable(f"{name} ({_type_name(what)}) cannot be pickled: {type(error).__name__}: {error}") from None


def _type_name(what: object) -> str:
    return f"{type(what).__module__}.{type(what).__qualname__}"


def _read_config() -> dict[str, Any]:
    path: str | None = os.environ.get("LAMBDA_EXECUTOR_CONFIG_FILE")
    if path is not None:
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
    else:
        config = json.loads(os.environ.get("LAMBDA_EXECUTOR_CONFIG") or "{}")
    return config if isinstance(config, dict) else {}


def _hide_call(rest: dict[str, Any]) -> None:
    """Removes the call from the configuration that the function and its child processes see. It is large, and of no use
    to them."""
    text = json.dumps(rest)
    path = os.environ.get("LAMBDA_EXECUTOR_CONFIG_FILE")
    if path is not None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    if len(text) < MAX_VALUE_BYTES // 2:
        os.environ.pop("LAMBDA_EXECUTOR_CONFIG_FILE", None)
        os.environ["LAMBDA_EXECUTOR_CONFIG"] = text


def _main() -> NoReturn:
    status = main()
    # Flushed now, so that the output is complete even if the interpreter crashes at its end.
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(status)


if __name__ == "__main__":
    _main()
