"""Write access to the results queue must not allow running code on the host: unsigned values are not unpickled."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest
from pool_support import DEADLINE, local

from lambda_executor import Executor, LambdaPool, ValueNotSigned
from lambda_executor.pickled_value import Kind, NotSigned, new_secret, seal, ticket, unseal

SECRET = new_secret()


class Attack:
    """A pickle that runs code when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def forger(folder: Path, value: bytes) -> str:
    """A program in place of the interpreter, which writes `value` as result, as a forged message would have it."""
    (folder / "value").write_bytes(value)
    program = folder / "forger"
    program.write_text(f"#!/bin/sh\ncp '{folder}/value' \"$LAMBDA_EXECUTOR_RESULT_FILE\"\n")
    program.chmod(0o755)
    return str(program)


def test_an_attack_is_one(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Attack(tmp_path / "attacked")))
    assert (tmp_path / "attacked").exists()


@pytest.mark.parametrize("how", ["plain", "signed by another pool", "signed for another key"])
def test_a_forged_value_is_refused_unread(tmp_path: Path, how: str) -> None:
    body = pickle.dumps(Attack(tmp_path / "attacked"))
    value = {
        "plain": body,
        "signed by another pool": seal(ticket(new_secret(), "k"), "k", "", Kind.RETURNED, body),
        "signed for another key": seal(ticket(SECRET, "other"), "k", "", Kind.RETURNED, body),
    }[how]
    with LambdaPool(local(), python=forger(tmp_path, value), secret=SECRET) as pool:
        error = pool.options(key="k").submit(len, "abc").exception(DEADLINE)
    assert isinstance(error, ValueNotSigned), repr(error)
    assert "task 'k'" in str(error)
    assert "sqs:SendMessage" in str(error)
    assert not (tmp_path / "attacked").exists()


def test_an_earlier_value_of_the_same_key_is_refused(tmp_path: Path) -> None:
    with Executor(local()) as executor:
        with LambdaPool(executor, secret=SECRET, python=sys.executable) as pool:
            value = value_of(pool, "k")
        with LambdaPool(executor, secret=SECRET, python=forger(tmp_path, value)) as pool:
            error = pool.options(key="k").submit(len, "abc").exception(DEADLINE)
    assert isinstance(error, ValueNotSigned), repr(error)


def value_of(pool: LambdaPool, key: str) -> bytes:
    """The signed value of a function that has run. (Values of commands are not verified.)"""
    call = pool._loop.functions.call(key, len, ("abc",), {}, {})
    task = pool.options(key=key, executor_config=call.executor_config)
    completed = task.submit(call.command).result(DEADLINE)
    # The value itself is valid.
    assert unseal(SECRET, call.nonce, key, completed.event.attempt_id, completed.value)[0] is Kind.RETURNED
    return completed.value


SEALED_OF = ticket(SECRET, "k")
VALUE = seal(SEALED_OF, "k", "attempt", Kind.RETURNED, b"body" * 1000)


def test_what_was_sealed_is_unsealed() -> None:
    assert unseal(SECRET, SEALED_OF.nonce, "k", "attempt", VALUE) == (Kind.RETURNED, b"body" * 1000)
    assert unseal(SECRET, None, "k", "attempt", VALUE) == (Kind.RETURNED, b"body" * 1000)
    assert len(VALUE) < 200, "compressed"


@pytest.mark.parametrize("place", range(len(VALUE)))
def test_no_byte_can_be_changed(place: int) -> None:
    for bit in range(8):
        forged = VALUE[:place] + bytes([VALUE[place] ^ 1 << bit]) + VALUE[place + 1 :]
        with pytest.raises(NotSigned):
            unseal(SECRET, SEALED_OF.nonce, "k", "attempt", forged)


@pytest.mark.parametrize("length", [*range(0, 60, 7), len(VALUE) - 1])
def test_nothing_can_be_cut_off(length: int) -> None:
    with pytest.raises(NotSigned):
        unseal(SECRET, SEALED_OF.nonce, "k", "attempt", VALUE[:length])


def test_it_belongs_to_one_key_one_submission_and_one_call() -> None:
    for key, attempt_id in (("k2", "attempt"), ("k", "attempt2"), ("ka", "ttempt")):
        with pytest.raises(NotSigned, match="signature"):
            unseal(SECRET, None, key, attempt_id, VALUE)
    with pytest.raises(NotSigned, match="earlier call"):
        unseal(SECRET, ticket(SECRET, "k").nonce, "k", "attempt", VALUE)
    with pytest.raises(NotSigned, match="signature"):
        unseal(new_secret(), None, "k", "attempt", VALUE)
