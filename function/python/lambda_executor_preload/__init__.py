"""The fork server of the function program: loads modules once, then forks a process for each `python -m MODULE`.

The function program starts it as `python -m lambda_executor_preload.server FD MODULES`, from copies of its files in a
private folder; FD is a Unix socket. `-m` makes runpy call `_get_module_details`, which is replaced here: the server
runs inside that call. In a forked process the call returns the details of the task's module instead of the server's,
and runpy continues as if the interpreter had been started with it. So `__main__`, the stack below the module, its end
(uncaught exceptions, SystemExit, KeyboardInterrupt), and the end of the interpreter are those of a real `-m`.

Messages, both ways: 4 bytes of length (big endian), then the content.

    server -> program  `ready MS`, or `failed WHY`; once
    program -> server  with descriptors (stdout, stderr, control); fields that end with NUL: folder, program,
                       executable, module, number of arguments, the arguments, then NAME=value of the environment
    server -> program  `pid N`, or `error WHY`

The forked process waits for one byte on its control socket, and answers `+` just before its module runs, or says why
it cannot. Its parent is the function program: it is forked twice, and the program adopts it (PR_SET_CHILD_SUBREAPER).
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import runpy
import signal
import socket
import struct
import sys
import threading
import time
import traceback
import types
import warnings
from collections.abc import Callable
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_OLDEST_PYTHON = (3, 8)

# Private, but the same since Python 3.5; the program detects a missing function.
_find_details: Callable[..., Any] = runpy._get_module_details  # type: ignore[attr-defined]


class _Unusable(Exception):
    """This process cannot fork tasks."""


class _Task:
    """The task that a forked process will run."""

    def __init__(self, content: bytes, descriptors: tuple[int, int, int]) -> None:
        folder, program, executable, module, count, *rest = content.split(b"\0")
        arguments, variables = rest[: int(count)], rest[int(count) : -1]
        self.folder = folder
        self.program, self.executable, self.module = map(os.fsdecode, (program, executable, module))
        self.arguments = [os.fsdecode(argument) for argument in arguments]
        pairs = (variable.partition(b"=") for variable in variables)
        self.environment = [(name, value) for name, _, value in pairs]
        self.stdout, self.stderr, control = descriptors
        self.control = socket.socket(fileno=control)

    def close(self) -> None:
        os.close(self.stdout)
        os.close(self.stderr)
        self.control.close()


def _details(_name: str, error: type[Exception] = ImportError) -> Any:  # noqa: ANN401 - what runpy returns
    """Replaces runpy's function: runs the server, and returns only in forked processes."""
    runpy._get_module_details = _find_details  # type: ignore[attr-defined]
    task = _serve()
    _forget_run_module(task.module)
    try:
        return _find_details(task.module, error)
    except error:
        raise
    except BaseException:
        # A package above the module failed to load.
        _hide_our_frames()
        raise


def _serve() -> _Task:
    connection = socket.socket(fileno=int(sys.argv[1]))
    try:
        before = time.monotonic()
        added = _restore_environment()
        _preload(sys.argv[2].split(","))
        _send(connection, b"ready %d" % ((time.monotonic() - before) * 1000))
    except _Unusable as error:
        _send(connection, b"failed " + str(error).encode("utf-8", "replace"))
        os._exit(1)
    collects = gc.isenabled()
    gc.disable()
    program = os.getppid()
    while True:
        received = _receive(connection)
        if received is None:
            os._exit(0)
        task = _Task(*received)
        answer = _fork()
        if answer is None:
            connection.close()
            _become(task, program, added)
            if collects:
                gc.enable()
            return task
        task.close()
        _send(connection, answer)


def _restore_environment() -> list[tuple[bytes, bytes]]:
    """Undoes changes for the start of this server. Returns the variables that the interpreter itself added."""
    here = os.path.dirname(os.path.dirname(__file__))
    sys.path.remove(here)
    sys.path_importer_cache.pop(here, None)
    path = os.environ["PYTHONPATH"]
    if path == here:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = path[len(here) + 1 :]
    with open("/proc/self/environ", "rb") as file:
        given = {variable.partition(b"=")[0] for variable in file.read().split(b"\0")}
    # The interpreter adds LC_CTYPE in the C locale (PEP 538).
    return [(name, value) for name, value in os.environb.items() if name not in given]


def _preload(modules: list[str]) -> None:
    if sys.version_info < _OLDEST_PYTHON:
        raise _Unusable(f"Python {sys.version.split()[0]} is older than {_OLDEST_PYTHON[0]}.{_OLDEST_PYTHON[1]}")
    before = _descriptors()
    absent = []
    for module in modules:
        try:
            importlib.import_module(module)
        except BaseException as error:
            # One list may serve images with different versions of a package.
            if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
                absent.append(module)
                continue
            traceback.print_exc()
            sys.stderr.flush()
            raise _Unusable(f"cannot import {module}: {type(error).__name__}: {error}") from None
    if absent:
        why = f"no such module: {', '.join(absent)}"
        if absent == modules:
            raise _Unusable(why)
        # In one piece: `print` writes the end of the line by itself, and another line may come in between.
        sys.stderr.write(f"LAMBDA_EXECUTOR_PRELOAD: {why}\n")
    # A fork does not copy threads, and it shares open files with all tasks.
    threads = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
    if threads:
        raise _Unusable(f"the modules started threads, which cannot be forked: {', '.join(threads)}")
    files = [name for number, name in _descriptors().items() if number not in before and not name.startswith("/dev/")]
    if files:
        raise _Unusable(f"the modules left files open, which tasks would share: {', '.join(files)}")
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    # The first call imports modules; import them here, once for all tasks.
    importlib.invalidate_caches()
    gc.collect()
    # Otherwise the collector writes to these objects in each task, which copies their memory.
    gc.freeze()


def _descriptors() -> dict[str, str]:
    found = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            found[number] = os.readlink("/proc/self/fd/" + number)
        except OSError:
            # The descriptor of the listing itself is closed by now.
            continue
    return found


def _fork() -> bytes | None:
    """Forks a process whose parent has ended. Returns None in that process, and the program's answer in the server."""
    reader, writer = os.pipe()
    try:
        between = _fork_once()
    except OSError as error:
        os.close(reader)
        os.close(writer)
        return b"error " + str(error).encode()
    if between == 0:
        try:
            task = _fork_once()
            if task == 0:
                os.close(reader)
                os.close(writer)
                return None
            # Set the group here: the program may signal it as soon as it knows the number.
            os.setpgid(task, 0)
            answer = b"pid %d" % task
        except BaseException as error:
            answer = b"error " + str(error).encode()
        os.write(writer, answer)
        os._exit(0)
    os.close(writer)
    # After this the task's parent is the program.
    os.waitpid(between, 0)
    answer = os.read(reader, 4096)
    os.close(reader)
    return answer or b"error the intermediate process ended early"


def _fork_once() -> int:
    with warnings.catch_warnings():
        # Python 3.12 warns of threads. Libraries with threads, such as OpenBLAS, handle a fork.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _become(task: _Task, program: int, added: list[tuple[bytes, bytes]]) -> None:
    """Puts this process into the state after the program's own fork and exec. Ends it if that fails."""
    try:
        # After this the program is the parent.
        if not task.control.recv(1):
            os._exit(1)
        _set_process(task, program)
        null = os.open("/dev/null", os.O_RDONLY)
        for descriptor, number in ((null, 0), (task.stdout, 1), (task.stderr, 2)):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.chdir(task.folder)
        _set_environment(task.environment, added)
        _reseed()
        importlib.invalidate_caches()
        sys.argv = ["-m", *task.arguments]
        if hasattr(sys, "orig_argv"):
            sys.orig_argv = [task.program, "-m", task.module, *task.arguments]
        sys.executable = task.executable
        for name in [name for name in sys.modules if name.partition(".")[0] == __name__]:
            del sys.modules[name]
        _renew_main()
        task.control.sendall(b"+")
        task.control.close()
    except BaseException as error:
        try:
            task.control.sendall(f"{type(error).__name__}: {error}".encode("utf-8", "replace"))
        finally:
            os._exit(1)


def _set_environment(environment: list[tuple[bytes, bytes]], added: list[tuple[bytes, bytes]]) -> None:
    os.environ.clear()
    names = {name for name, _ in environment}
    for name, value in [*environment, *(pair for pair in added if pair[0] not in names)]:
        os.environb[name] = value


def _renew_main() -> None:
    """Replaces `__main__`, which is still empty. The old one is frozen (gc.freeze): objects that the module leaves in
    it would not be finalized, and files that it did not close would lack their end."""
    old = vars(sys.modules["__main__"])
    new = types.ModuleType("__main__")
    vars(new).clear()
    vars(new).update(old)
    if "__annotations__" in old:
        vars(new)["__annotations__"] = {}
    sys.modules["__main__"] = new


def _reseed() -> None:
    """Renews random state that modules created while they were loaded. Python itself reseeds `random`."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    process = sys.modules.get("multiprocessing.process")
    if process is not None:
        process.current_process().authkey = os.urandom(32)


def _set_process(task: _Task, program: int) -> None:
    """Makes the kernel kill this process when the program ends, and sets the process's name, as an exec does."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != program:
        os._exit(1)
    _prctl(_PR_SET_NAME, os.fsencode(os.path.basename(task.executable)))


def _prctl(option: int, value: int | bytes) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def _forget_run_module(module: str) -> None:
    """Unloads the module: one that runs as `__main__` is not loaded under its own name."""
    for name in (module, module + ".__main__"):
        loaded = sys.modules.get(name)
        if loaded is None or hasattr(loaded, "__path__"):
            continue
        del sys.modules[name]
        package, _, last = name.rpartition(".")
        if getattr(sys.modules.get(package), last, None) is loaded:
            delattr(sys.modules[package], last)


def _hide_our_frames() -> None:
    """Makes the hook that prints the exception on its way to the interpreter leave out the frames of this file."""
    hook = sys.excepthook

    def without_ours(kind: type[BaseException], value: BaseException, trace: types.TracebackType | None) -> None:
        sys.excepthook = hook
        ours = trace
        while ours is not None and ours.tb_frame.f_code.co_filename != __file__:
            ours = ours.tb_next
        if trace is not None and ours is not None:
            trace = types.TracebackType(ours.tb_next, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
        value.__traceback__ = sys.last_traceback = trace
        hook(kind, value, trace)

    sys.excepthook = without_ours


def _send(connection: socket.socket, content: bytes) -> None:
    connection.sendall(struct.pack(">I", len(content)) + content)


def _receive(connection: socket.socket) -> tuple[bytes, tuple[int, int, int]] | None:
    """Returns a message and its descriptors, or None if the program has ended."""
    size = struct.calcsize("3i")
    head, ancillary, _, _ = connection.recvmsg(4, socket.CMSG_SPACE(size), socket.MSG_CMSG_CLOEXEC)
    if not head:
        return None
    descriptors = struct.unpack("3i", ancillary[0][2][:size])
    head += _receive_exactly(connection, 4 - len(head))
    return _receive_exactly(connection, *struct.unpack(">I", head)), descriptors


def _receive_exactly(connection: socket.socket, length: int) -> bytes:
    content = bytearray()
    while len(content) < length:
        part = connection.recv(length - len(content))
        if not part:
            os._exit(0)
        content += part
    return bytes(content)


runpy._get_module_details = _details  # type: ignore[attr-defined]
