"""Options and generated keys of a pool's tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from .environment import checked
from .retries import RetryOn, RetryPolicy


@dataclass(frozen=True)
class Options:
    """See LambdaPool.options."""

    key: str | None = None
    timeout: float | None = None
    max_wait: float | None = None
    queue: str = ""
    executor_config: Mapping[str, Any] | None = None
    attempt_id: str = ""
    result_timeout: float | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    retry: RetryPolicy = field(default_factory=RetryPolicy)

    def changed(
        self,
        *,
        env: Mapping[str, str] | None,
        retries: int | None,
        retry_delay: float | None,
        retry_on: RetryOn,
        **others: Any,  # noqa: ANN401 - of the fields above
    ) -> Options:
        """A copy with the given options replaced. Variables of env are added."""
        retry = RetryPolicy(
            self.retry.retries if retries is None else retries,
            self.retry.delay if retry_delay is None else retry_delay,
            self.retry.on if retry_on is None else retry_on,
        )
        # "" is not given, except for a key: an empty key is refused later.
        given = {name: value for name, value in others.items() if value is not None and (value != "" or name == "key")}
        options = Options(**{**vars(self), **given, "env": {**self.env, **checked(env)}, "retry": retry})
        if options.attempt_id and retry.retries:
            raise ValueError("options: an attempt_id is for one submission, and retries make more: set retries=0")
        return options


class Keys:
    """Generates keys, in any thread. next() of itertools.count is atomic, unlike that of a generator."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._numbers = count(1)

    def next(self) -> str:
        return f"{self._prefix}{next(self._numbers)}"
