"""Prints everything that a process can find out about how it was started."""

import ctypes
import gc
import locale
import os
import posix
import resource
import signal
import stat
import subprocess
import sys
import threading
import traceback
import warnings

RUN_OWN = b"LAMBDA_EXECUTOR_RESULT_FILE"


def kind(number):
    mode = os.fstat(number).st_mode
    flags = os.popen("sed -n 's/flags:\t//p' /proc/%d/fdinfo/%d" % (os.getpid(), number)).read().strip()
    return stat.S_IFMT(mode), os.get_inheritable(number), flags


def descriptors():
    # The descriptor of the listing itself is closed by now.
    return [number for number in sorted(map(int, os.listdir("/proc/self/fd"))) if os.path.exists("/proc/self/fd/%d" % number)]


main = sys.modules["__main__"]
print("argv", sys.argv, getattr(sys, "orig_argv", None), sys.executable, sys.prefix, sys.exec_prefix)
print("path", sys.path, sorted(sys.path_importer_cache, key=str)[:0], sys.meta_path, sys.flags, sys.warnoptions, sys._xoptions)
print("main", list(main.__dict__)[:9], main.__name__, main.__file__, main.__package__, main.__spec__, main.__doc__)
print("main", main.__cached__, type(main.__loader__), main.__builtins__, main.__dict__.get("__annotations__"))
print("ids", os.getpgrp() == os.getpid(), os.getsid(0), os.getppid(), os.getuid(), os.getgroups(), os.nice(0))
print("place", os.getcwd(), oct(os.umask(0o22)), os.listdir("/proc/self/task") == [str(os.getpid())])
print("env", [pair for pair in os.environb.items() if pair[0] != RUN_OWN])
print("env", [pair for pair in posix.environ.items() if pair[0] != RUN_OWN])
print("env", [line for line in subprocess.check_output("env").splitlines() if not line.startswith(RUN_OWN)])
print("signals", [(number, signal.getsignal(number)) for number in sorted(signal.valid_signals())])
print("signals", signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.sigpending(), signal.getitimer(signal.ITIMER_REAL))
with open("/proc/self/status") as status:
    fields = dict(line.split(":\t") for line in status)
# Without the C library's own signals, 32 and 33.
print("signals", [int(fields[name], 16) & 0x7FFFFFFF for name in ("SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt")])
print("status", [fields[name] for name in ("Groups", "CapPrm", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")])
print("limits", [resource.getrlimit(number) for number in range(resource.RLIM_NLIMITS if hasattr(resource, "RLIM_NLIMITS") else 16)])
print("children", resource.getrusage(resource.RUSAGE_CHILDREN).ru_nswap)
print("files", descriptors(), [kind(number) for number in (0, 1, 2)], sys.stdin.read(), os.lseek(0, 0, os.SEEK_CUR))
for stream in (sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__):
    raw = getattr(stream.buffer, "raw", stream.buffer)
    print("stream", stream, stream.line_buffering, stream.write_through, stream.seekable(), raw, getattr(raw, "_blksize", None))
print("stdin", sys.stdin.isatty(), sys.stdout.isatty(), sys.stdin.tell())
print("gc", gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.callbacks)
print("locale", locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(), sys.getfilesystemencoding())
print("threads", threading.enumerate()[0].name, threading.active_count(), threading.main_thread() is threading.current_thread())
print("threads", threading.get_native_id() == os.getpid(), threading.current_thread().ident == threading.get_ident())
print("hooks", sys.excepthook, sys.displayhook, sys.getrecursionlimit(), sys.getswitchinterval(), sys.gettrace(), sys.getprofile())
print("warnings", warnings.filters)
libc = ctypes.CDLL(None)
death = ctypes.c_int()
libc.prctl(2, ctypes.byref(death))
subreaper = ctypes.c_int()
libc.prctl(37, ctypes.byref(subreaper))
print("prctl", death.value, subreaper.value, libc.prctl(3), open("/proc/self/comm").read(), open("/proc/self/oom_score_adj").read())
sys.stdout.flush()
traceback.print_stack()
frame = sys._getframe()
while frame:
    print("frame", frame.f_code.co_name, frame.f_code.co_filename, frame.f_lineno, sorted(frame.f_locals) if frame.f_back else "")
    frame = frame.f_back
