"""The function that is shipped runs wherever we say it does."""

import elf
from servers import ROOT

FUNCTION = ROOT / "build/function/lambda-executor-function"


def test_needs_no_newer_glibc() -> None:
    elf.needs_no_newer_glibc(FUNCTION)


def test_needs_no_library_but_glibc() -> None:
    elf.needs_no_library_but_glibc(FUNCTION)


def test_is_for_x86_64_and_stripped() -> None:
    elf.is_for_x86_64_and_stripped(FUNCTION)


def test_knows_no_folder_of_this_machine() -> None:
    elf.knows_no_folder_of_this_machine(FUNCTION)
