"""The man pages are well formed, and have all options of the programs and all functions of the header."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from servers import PROGRAMS, ROOT

MAN = ROOT / "packaging" / "man"
LOCAL = MAN / "lambda-executor-local.1"
HEADER = ROOT / "include" / "lambda_executor.h"
BEGIN = '.\\" From --help; tests/install/test_man_pages.py compares them, and updates them with UPDATE=1.\n'
END = '.\\" End of the options.\n'


def escaped(text: str) -> str:
    """Text that roff prints unchanged, with hyphens that can be copied to a shell."""
    return re.sub(r"^([.'])", r"\&\1", text.replace("\\", "\\e").replace("-", "\\-"))


def options_of_help() -> str:
    """The options of `lambda-executor-local --help`, as a list in mdoc."""
    help_text = subprocess.run(
        [PROGRAMS / "lambda-executor-local", "--help"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    section = help_text.split("\noptions\n")[1].split("\n\n")[0]
    options = re.findall(r"^  --(\S+)(?: (\S+))?((?: {2,}|\n {8,}).+(?:\n {8,}.+)*)", section, re.MULTILINE)
    assert len(options) == len(re.findall("^  --", section, re.MULTILINE))
    return "".join(
        f".It Fl \\-{escaped(name)}{' Ar ' + value if value else ''}\n{escaped(' '.join(text.split()))}\n"
        for name, value, text in options
    )


def test_the_page_of_the_local_server_has_the_options_of_its_help() -> None:
    before, rest = LOCAL.read_text().split(BEGIN)
    options, after = rest.split(END)
    if os.environ.get("UPDATE"):
        LOCAL.write_text(f"{before}{BEGIN}{options_of_help()}{END}{after}")
    else:
        assert options == options_of_help(), "run `make docs`"


def test_the_page_of_the_library_names_every_function() -> None:
    declared = set(re.findall(r"^(?![ /#*]).*?\b(lambda_executor_\w+)\(", HEADER.read_text(), re.MULTILINE))
    named = set(re.findall(r"lambda_executor_\w+", (MAN / "lambda_executor.3").read_text()))
    assert len(declared) >= 33
    assert named == declared


@pytest.mark.parametrize("page", sorted(MAN.iterdir()), ids=lambda page: page.name)
def test_pages_are_well_formed(page: Path) -> None:
    # -P-cbou: plain letters, no bold or underlined text.
    done = subprocess.run(["groff", "-mandoc", "-Tascii", "-ww", "-P-cbou", page], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert page.stem in done.stdout
