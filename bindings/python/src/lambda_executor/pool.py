"""LambdaPool: concurrent.futures on AWS Lambda, for commands and for Python functions."""

from __future__ import annotations

import concurrent.futures
import os
import sys
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, Literal, TypeVar, Union, overload

from .environment import checked, with_environment
from .errors import PayloadTooLargeError
from .executor import Executor, known_options
from .future import LambdaFuture
from .outcome import Completed
from .pickled import Functions, call_each
from .pool_loop import Loop
from .pool_map import chunks, results_of
from .pool_options import Keys, Options
from .progress import Progress, progress_bar
from .retries import RetryOn, RetryPolicy
from .summary import Summary
from .task import Command, Task, check_seconds

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import ParamSpec

    P = ParamSpec("P")

T = TypeVar("T")
Config = Union[Mapping[str, Any], str, Executor, None]

#: For dask and joblib, if no limit is known: tasks that an AWS account may run at once by default.
DEFAULT_MAX_WORKERS = 1_000


class _Submitter(concurrent.futures.Executor):
    """Submits tasks to a loop. Base of a pool and of a pool with options."""

    def __init__(self, loop: Loop, options: Options, keys: Keys, max_workers: int) -> None:
        self._loop = loop
        self._options = options
        self._keys = keys
        #: Number of tasks that may run at once. dask reads it by this name, which the standard library's pools have.
        self._max_workers = max_workers

    @overload
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> LambdaFuture[T]: ...
    @overload
    def submit(self, fn: Command, /) -> LambdaFuture[Completed]: ...
    def submit(self, fn: Callable[..., Any] | Command, /, *args: Any, **kwargs: Any) -> LambdaFuture[Any]:
        """Runs a command (a list: program and arguments; a string: for the shell) or calls a Python function in Lambda.

        The future's result is a Completed, or what the function returned. A command that did not succeed raises
        TaskFailed; a function raises its own exception, whose cause says where in the function it was raised.

        Waits while the queue is full (option max_queued_tasks), but not in a done callback.

        Functions need cloudpickle here and in the image that Lambda runs; the image also needs this package, the same
        version of Python, and all that the function imports.
        """
        if callable(fn):
            return self._submit_function(fn, args, kwargs)
        if not isinstance(fn, Sequence):
            raise TypeError(f"submit: {type(fn).__name__} is neither a command (list, str) nor callable")
        if args or kwargs:
            raise TypeError("submit(command) takes no further arguments: put them into the list")
        future: LambdaFuture[Any] = LambdaFuture(self._loop, self._key())
        command = with_environment(fn, self._options.env)
        self._submit(future, self._task(future.key, command, self._options.executor_config))
        return future

    def _submit(self, future: LambdaFuture[Any], task: Task) -> None:
        if self._options.retry.retries:
            future._policy = self._options.retry
        self._loop.submit(future, task)

    @overload
    def map(
        self,
        fn: Callable[..., T],
        /,
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[T]: ...
    @overload
    def map(
        self,
        fn: Iterable[Command],
        /,
        *,
        timeout: float | None = None,
        buffersize: int | None = None,
    ) -> Iterator[Completed]: ...
    def map(
        self,
        fn: Callable[..., Any] | Iterable[Command],
        /,
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[Any]:
        """Calls a function with the arguments of the iterables, or runs each command of an iterable of commands (so
        `map(["echo", "a b"])` runs two, and `map([["echo", "a b"]])` one).
        Results come in the order of the arguments. The first failure is raised, and waiting tasks are then cancelled.

        timeout: seconds from now for all of them. chunksize: number of calls of a function in one task. buffersize:
        number of tasks that may be submitted ahead of the result that is requested next; by default, all are submitted
        immediately.
        """
        for option in ("key", "attempt_id"):
            if getattr(self._options, option):
                raise ValueError(f"map: option {option} is only for one task")
        if chunksize < 1:
            raise ValueError(f"map: chunksize: {chunksize} is less than 1")
        if buffersize is not None and buffersize < 1:
            raise ValueError(f"map: buffersize: {buffersize} is less than 1")
        if timeout is not None:
            check_seconds("timeout", timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        if not callable(fn):
            if iterables or isinstance(fn, str):
                raise TypeError("map takes a function and its arguments, or one iterable of commands")
            if chunksize != 1:
                raise ValueError("map: chunksize is only for functions: each command is a task of its own")
            return results_of((self.submit(command) for command in fn), deadline, buffersize)
        calls = zip(*iterables)
        if chunksize == 1:
            return results_of((self.submit(fn, *args) for args in calls), deadline, buffersize)
        submissions = (
            self._submit_function(call_each, (fn, chunk), {}, items=len(chunk)) for chunk in chunks(calls, chunksize)
        )
        lists: Iterator[list[Any]] = results_of(submissions, deadline, buffersize)
        return (result for results in lists for result in results)

    def _submit_function(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], *, items: int = 1
    ) -> LambdaFuture[Any]:
        key = self._key()
        call = self._loop.functions.call(key, function, args, kwargs, self._options.env)
        future: LambdaFuture[Any] = LambdaFuture(self._loop, key, function=True, nonce=call.nonce, items=items)
        config = {**(self._options.executor_config or {}), **call.executor_config}
        try:
            self._submit(future, self._task(key, call.command, config))
        except PayloadTooLargeError as error:
            raise PayloadTooLargeError(
                f"the function and its arguments have {call.size}: put large data into S3 and pass its name. {error}"
            ) from None
        return future

    def _key(self) -> str:
        return self._options.key if self._options.key is not None else self._keys.next()

    def _task(self, key: str, command: Command, executor_config: Mapping[str, Any] | None) -> Task:
        options = self._options
        return Task(
            key,
            command,
            executor_config=executor_config,
            queue=options.queue,
            timeout=options.timeout,
            max_wait=options.max_wait,
            attempt_id=options.attempt_id,
            result_timeout=options.result_timeout,
        )

    def options(
        self,
        *,
        key: str | None = None,
        timeout: float | None = None,
        max_wait: float | None = None,
        queue: str = "",
        executor_config: Mapping[str, Any] | None = None,
        attempt_id: str = "",
        result_timeout: float | None = None,
        env: Mapping[str, str] | None = None,
        retries: int | None = None,
        retry_delay: float | None = None,
        retry_on: RetryOn = None,
    ) -> PoolWithOptions:
        """The same pool, with these options for its tasks: `pool.options(timeout=60).submit(function, argument)`.
        Options that are not given keep their values.

        key: name of the task, for a single task. timeout: seconds that the task may run. max_wait: seconds that it may
        wait to be submitted. queue: its route, ignored unless option queues is given. executor_config: passed to the
        function; with option allow_task_overrides it may contain `function_qualifier` and `timeout_ms` for the task.
        attempt_id: from `new_attempt_id`, for a single submission. result_timeout: seconds without a result until
        TaskLost.

        env: environment variables of the task, in addition to those of the function and the pool. Commands with env
        need a shell in the image. The function's events contain the variables, so do not put secrets into them.
        retries: how many times a failed task is submitted again; default 0. retry_delay: seconds before the first
        retry, doubled before each further one, at most 60; default 0. retry_on: failures that are retried, as exception
        classes or as a function of the exception. Default: all except TaskLost and ValueNotSigned. TaskCancelled is
        never retried. The future keeps its key, and gets a new attempt_id with each retry.
        """
        options = self._options.changed(
            key=key,
            timeout=timeout,
            max_wait=max_wait,
            queue=queue,
            executor_config=executor_config,
            attempt_id=attempt_id,
            result_timeout=result_timeout,
            env=env,
            retries=retries,
            retry_delay=retry_delay,
            retry_on=retry_on,
        )
        return PoolWithOptions(self, options)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accepts no more tasks. wait: waits until all have finished. cancel_futures: cancels the tasks that Lambda
        has not accepted.

        Without wait, futures are settled in the background, until the interpreter ends.
        """
        self._loop.shutdown(wait=wait, cancel_futures=cancel_futures)

    def summary(self) -> Summary:
        """How the tasks ended so far, how long they ran, and what the calls to AWS cost. Also after the pool has ended.
        str() makes one line of it."""
        return self._loop.summary()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Ctrl-C and sys.exit do not wait: tasks in Lambda may take minutes.
        at_once = kind is not None and not issubclass(kind, Exception)
        self.shutdown(wait=not at_once, cancel_futures=at_once)


class LambdaPool(_Submitter):
    """An executor of concurrent.futures that runs commands and Python functions on AWS Lambda.

    with LambdaPool({"local": {}}) as pool:
        print(pool.submit(["echo", "hello"]).result().output)
        print(list(pool.map(math.factorial, range(10))))
    """

    def __init__(
        self,
        config: Config,
        *,
        max_workers: int | None = None,
        progress: bool = False,
        key_prefix: str | None = None,
        python: str | None = None,
        secret: bytes | None = None,
        acknowledge: Literal["auto", "manual"] = "auto",
        env: Mapping[str, str] | None = None,
        retries: int = 0,
        retry_delay: float = 0.0,
        retry_on: RetryOn = None,
    ) -> None:
        """config: as for Executor, or an Executor. The pool takes all events of an Executor, and does not close it.

        max_workers: number of tasks that may run at once; sets option max_running_tasks. With an Executor, whose
            options are set, only dask and joblib read it.
        progress: shows a progress bar, by tqdm.
        key_prefix: prefix of the tasks' keys; a number follows. Default: random, for each pool.
        python: the interpreter of Python functions, in the image. Default: python3; with option local, the
            interpreter of this program.
        secret: signs the values of Python functions, at least 16 bytes. Default: random, for each pool. To adopt
            functions of an earlier pool, use that pool's secret.
        acknowledge: "auto" acknowledges a result when its future has it, so that it is deleted from its queue. With
            "manual", acknowledge results yourself, when you have stored them and before the pool ends: Completed.ack,
            TaskError.ack or LambdaFuture.ack. Other results return to their queue, for `adopt` in a later process.
        env, retries, retry_delay, retry_on: defaults for `options`.
        """
        if acknowledge not in ("auto", "manual"):
            raise ValueError(f"acknowledge: {acknowledge!r} is neither 'auto' nor 'manual'")
        _check_type("max_workers", max_workers, int)
        _check_type("key_prefix", key_prefix, str)
        _check_type("python", python, str)
        _check_type("secret", secret, bytes)
        if max_workers is not None and max_workers < 1:
            raise ValueError(f"max_workers must be greater than 0 (is {max_workers})")
        defaults = Options(env=checked(env), retry=RetryPolicy(retries, retry_delay, retry_on))
        executor = _executor_of(config, max_workers)
        loop = Loop(
            executor,
            owns_executor=executor is not config,
            functions=Functions(python or (sys.executable if executor._is_local else "python3"), secret),
            progress=progress_bar() if progress else Progress(),
            manual=acknowledge == "manual",
        )
        prefix = key_prefix if key_prefix is not None else f"pool-{os.urandom(6).hex()}-"
        workers = max_workers or executor._max_running_tasks or DEFAULT_MAX_WORKERS
        super().__init__(loop, defaults, Keys(prefix), workers)
        weakref.finalize(self, loop.accept_no_more).atexit = False  # type: ignore[misc]

    @property
    def executor(self) -> Executor:
        """The pool's executor, for counts, stats, check_health, set_credentials."""
        return self._loop.executor

    @overload
    def adopt(
        self, key: str, attempt_id: str = "", *, queue: str = "", result_timeout: float | None = None
    ) -> LambdaFuture[Completed]: ...
    @overload
    def adopt(
        self, key: str, attempt_id: str, *, function: bool = ..., queue: str = "", result_timeout: float | None = None
    ) -> LambdaFuture[Any]: ...
    def adopt(
        self,
        key: str,
        attempt_id: str = "",
        *,
        function: bool = False,
        queue: str = "",
        result_timeout: float | None = None,
    ) -> LambdaFuture[Any]:
        """A future for a task that the pool of an earlier process submitted. Pass its `key`, and the `attempt_id` that
        its future had when it was running. Without an attempt_id, any earlier result of the key ends the task.

        function: the task is a Python function. Both pools need the same `secret`. attempt_id is required then, because
        the value is signed for one submission. result_timeout: seconds from now, without a result, until TaskLost.
        """
        if function and not attempt_id:
            raise ValueError("adopt: with function=True, attempt_id is required: the returned value is signed for it")
        future: LambdaFuture[Any] = LambdaFuture(self._loop, key, function=function)
        self._loop.adopt(future, Task(key, queue=queue, attempt_id=attempt_id, result_timeout=result_timeout))
        return future


# So that the message of a TypeError names the public class.
for _call in (_Submitter.submit, _Submitter.map, _Submitter.options, _Submitter.shutdown, _Submitter.summary):
    _call.__qualname__ = _call.__qualname__.replace(_Submitter.__name__, LambdaPool.__name__)


class PoolWithOptions(_Submitter):
    """A pool whose tasks have options; see LambdaPool.options. Its `shutdown` shuts down the pool."""

    def __init__(self, pool: _Submitter, options: Options) -> None:
        super().__init__(pool._loop, options, pool._keys, pool._max_workers)
        # Keeps the pool from being collected.
        self._pool = pool


def _check_type(name: str, value: object, kind: type) -> None:
    if value is not None and not isinstance(value, kind):
        raise TypeError(f"{name}: {type(value).__name__} is neither {kind.__name__} nor None")


def _executor_of(config: Config, max_workers: int | None) -> Executor:
    if isinstance(config, Executor):
        return config
    if max_workers is None:
        return Executor(config)
    options = {"airflow": True} if config is None else known_options(config)
    # Empty if config is empty or no mapping: the executor then raises the error.
    if not options:
        return Executor(config)
    known = options.get("max_running_tasks") or max_workers
    if known != max_workers:
        raise ValueError(f"max_workers is {max_workers} and option max_running_tasks is {known}: set only one of them")
    return Executor({**options, "max_running_tasks": max_workers})
