"""Lambda may deliver an event twice. The command runs once, and the host gets one final event."""

import threading

import servers

from .conftest import Function, Start, yes

RUNS_ELSEWHERE = b"another invocation is running this submission and will report its result"


def command(name: str) -> str:
    """Appends its attempt id to a file, and waits for the file `<name>-go-on`."""
    note = f'echo "$LAMBDA_EXECUTOR_ATTEMPT_ID" >> {name}'
    return f"{note}; until [ -e {name}-go-on ]; do sleep 0.02; done; echo {name}; exit 3"


def attempt_id(function: Function, name: str) -> str:
    return servers.until(f"{name} runs", lambda: next(iter(function.lines(name)), None))


def again(function: Function, name: str) -> dict[str, str]:
    """The event of the command, to be delivered again like by Lambda."""
    return {"task_key": name, "command": command(name), "attempt_id": attempt_id(function, name)}


def test_one_run_and_one_final_event(start: Start) -> None:
    """E8: delivered again while the command runs, and after its end while the host still listens."""
    function = start(concurrency=4)

    def deliver_again() -> None:
        other = attempt_id(function, "b")
        assert function.call(again(function, "a"))["left_to"] == "the invocation that runs it"
        function.path("a-go-on").touch()
        servers.until(
            "the host has received the result of a",
            lambda: yes(b'"task ended"' in function.log and function.left(function.server.queue_url) == 0),
        )
        assert function.call(again(function, "a"))["result_sent_to"] == function.server.queue_url
        servers.until("the host has the second result", lambda: yes(function.left(function.server.queue_url) == 0))
        assert function.lines("b") == [other]
        function.path("b-go-on").touch()

    # `run` checks that no task has two final events.
    finals = function.run(*({"task_key": name, "command": command(name)} for name in "ab"), when_running=deliver_again)
    for name in "ab":
        assert (finals[name]["reason"], finals[name]["return_code"]) == ("exit", 3)
        assert finals[name]["output_tail"] == f"{name}\n"
        assert len(function.lines(name)) == 1
    # Deliver it again without a host: the result is the same, and the command has still run once.
    event = again(function, "a")
    first, second = (function.call(event) and function.results(1)[0] for _ in range(2))
    assert first == second
    assert (first["attempt_id"], first["return_code"], first["output_tail"]) == (event["attempt_id"], 3, "a\n")
    assert len(function.lines("a")) == 1
    assert function.server.stats()["function_errors"] == 0


def test_an_invoke_whose_answer_was_lost(start: Start) -> None:
    """E8, B12: the library retries with the same id, so an event that had arrived does not run twice."""
    function = start(concurrency=16, faults={"lambda": {"drop": 1.0}})
    keys = [f"k-{number}" for number in range(8)]

    def answer_from_now_on() -> None:
        # Half of the requests are dropped before they take effect, half after.
        servers.until("an event has arrived, unanswered", lambda: yes(function.server.stats()["invocations"]), 60)
        function.server.faults()
        # No command may end before: a result would have the same effect on the library as an answer.
        servers.until("it has arrived again", lambda: yes(RUNS_ELSEWHERE in function.log), 60)
        function.path("go-on").touch()

    other = threading.Thread(target=answer_from_now_on)
    other.start()
    try:
        wait = "until [ -e go-on ]; do sleep 0.02; done"
        finals = function.run(
            *({"task_key": key, "command": f"echo {key} >> runs; {wait}"} for key in keys), check_health=False
        )
    finally:
        other.join()
    assert {final["state"] for final in finals.values()} == {"succeeded"}
    assert sorted(function.lines("runs")) == keys
    assert function.server.stats()["function_errors"] == 0
