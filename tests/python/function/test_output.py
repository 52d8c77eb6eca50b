"""The output of a command: byte for byte and immediately in the log, its end in the result."""

import hashlib
from pathlib import Path

import servers

from .conftest import Function, Start, yes

LINE = b"0123456789abcde\n"
BYTES = 50 * 1024 * 1024


def test_50_mb(start: Start) -> None:
    """E4: the log has all of it, the result the complete lines of the last 4 KB, and memory use stays small."""
    function = start()
    command = f"echo $PPID > pid; yes {LINE.decode().strip()} | head -c {BYTES}; echo the end"
    final = function.run_one(command)
    assert (final["state"], final["return_code"]) == ("succeeded", 0)
    expected = LINE * (BYTES // len(LINE)) + b"the end\n"
    assert final["output_tail"].encode() == LINE * ((4096 - len(b"the end\n")) // len(LINE)) + b"the end\n"
    log = function.path("function.log")
    # The function's own lines are JSON objects.
    written = b"".join(line for line in log.read_bytes().splitlines(keepends=True) if not line.startswith(b"{"))
    assert len(written) == len(expected)
    assert hashlib.sha256(written).digest() == hashlib.sha256(expected).digest()
    # The function is warm and waits.
    assert peak_memory(function.lines("pid")[0]) < BYTES
    log.unlink()


def test_the_result_has_the_length_of_the_output(shared: Function) -> None:
    """E4: the result has the length in bytes, and shows whether the tail is complete."""
    shared.send({"task_key": "k", "command": "yes 123456789 | head -n 1000"})
    [result] = shared.results(1)
    assert (result["output_length"], result["output_truncated"]) == (10_000, True)
    assert result["output_tail"] == "123456789\n" * 409
    shared.send({"task_key": "k", "command": "printf 'ü\\n'"})
    [result] = shared.results(1)
    assert (result["output_tail"], result["output_length"], result["output_truncated"]) == ("ü\n", 3, False)


def peak_memory(pid: str) -> int:
    """Peak memory of a process, bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    [size] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(size) * 1024


def test_it_is_in_the_log_while_the_command_runs(start: Start) -> None:
    """E4"""
    function = start()

    def look() -> None:
        servers.until("the first line is in the log", lambda: yes(b"first\n" in function.log))
        assert b"second\n" not in function.log
        function.path("go-on").touch()

    command = "echo first; until [ -e go-on ]; do sleep 0.02; done; echo second >&2"
    final = function.run({"task_key": "k", "command": command}, when_running=look)["k"]
    assert final["output_tail"] == "first\nsecond\n"
    assert b"second\n" in function.log


def test_output_that_is_not_utf_8(start: Start) -> None:
    """E4: the exit status is the command's, the log has the bytes, the result has their valid characters."""
    function = start()
    final = function.run_one(r"printf 'before \377\376 after \303\274 \303'")
    assert (final["state"], final["reason"], final["return_code"]) == ("succeeded", "exit", 0)
    assert final["output_tail"] == "before \ufffd\ufffd after ü \ufffd"
    assert b"before \xff\xfe after \xc3\xbc \xc3" in function.log


def test_a_tail_that_begins_within_a_character(shared: Function) -> None:
    """E4: a truncated character is omitted."""
    final = shared.run_one(r"i=0; while [ $i -lt 1500 ]; do printf '\342\202\254'; i=$((i+1)); done")
    assert final["state"] == "succeeded"
    assert final["output_tail"] == "€" * (4096 // 3)
