"""Environment variables of a task: a command exports them before it starts, a Python function gets them in its call."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from .task import Command

#: Variables that the function program sets for each task.
_OURS = "LAMBDA_EXECUTOR_"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def checked(env: Mapping[str, str] | None) -> dict[str, str]:
    """The variables. Raises if one cannot be set."""
    if env is None:
        return {}
    if not isinstance(env, Mapping):
        raise TypeError(f"env: {type(env).__name__} is neither a mapping nor None")
    for name, value in env.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"env: {name!r}: {value!r}: names and values are strings")
        if not _NAME.fullmatch(name):
            raise ValueError(f"env: {name!r} is not the name of a variable (letters, digits and _)")
        if name.startswith(_OURS):
            raise ValueError(f"env: {name} is a variable that lambda-executor sets ({_OURS}...)")
        if "\0" in value:
            raise ValueError(f"env: the value of {name} has a NUL, which no variable can have")
    return dict(env)


def with_environment(command: Command, env: Mapping[str, str]) -> Command:
    """The command, started with the variables by the shell of the function's image."""
    empty = not command.strip() if isinstance(command, str) else not command
    if not env or empty or not isinstance(command, (str, list, tuple)):
        # Passed on as it is: the library refuses it. In a shell command it would be accepted.
        return command
    exports = "export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in env.items())
    if isinstance(command, str):
        return f"{exports}; {command}"
    # `exec` replaces the shell with the program, which then receives signals and sets the return code.
    return ["sh", "-c", f'{exports}; exec "$@"', "sh", *command]
