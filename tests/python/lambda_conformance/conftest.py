"""The local Lambda with boto3 and the real Python runtime."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
import servers

HANDLERS = Path(__file__).resolve().parents[1] / "handlers"

# Immediate retries: the tests check their number, not their times.
QUICK: dict[str, Any] = {"retry_base_ms": 10}


def runtime(handler: str) -> dict[str, Any]:
    """Options that run `handler` (module.function in handlers/) under the real awslambdaric."""
    python = servers.VENVS / "awslambdaric" / "bin" / "python"
    return {**QUICK, "handler": [str(python), "-m", "awslambdaric", handler], "working_directory": str(HANDLERS)}


def event(key: str, **builtin: object) -> bytes:
    """An event for the built-in handler."""
    return json.dumps({"task_key": key, "command": ["true"], "executor_config": {"builtin": builtin}}).encode()


Start = Callable[..., servers.LocalServer]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a local server with the options given as keywords; it ends with the test."""
    with ExitStack() as stack:

        def begin(**options: object) -> servers.LocalServer:
            server: AbstractContextManager[servers.LocalServer] = servers.local(tmp_path / "local", **options)
            return stack.enter_context(server)

        yield begin


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.LocalServer]:
    """A server with the built-in handler, shared by tests that leave nothing behind in it."""
    with servers.local(tmp_path_factory.mktemp("shared"), handler="builtin", **QUICK) as server:
        yield server
