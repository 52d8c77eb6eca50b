"""The man pages are well formed, `man` finds each function, and they have all options of the programs."""

import os
import re
import shutil
import subprocess

import pytest
from header import FUNCTIONS
from prefix import Prefix
from servers import PROGRAMS, ROOT

MAN = ROOT / "packaging" / "man"
LOCAL = MAN / "lambda-executor-local.1"
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
    named = set(re.findall(r"lambda_executor_\w+", (MAN / "lambda_executor.3").read_text()))
    assert len(FUNCTIONS) >= 33
    assert named == set(FUNCTIONS)


@pytest.mark.parametrize("page", sorted(path.name for path in MAN.rglob("*.[1-8]")))
def test_installed_pages_are_well_formed(installed: Prefix, page: str) -> None:
    # -P-cbou: plain letters, no bold or underlined text. Pages that refer to another one name it from this folder.
    done = subprocess.run(
        ["groff", "-mandoc", "-Tascii", "-ww", "-P-cbou", f"man{page[-1]}/{page}"],
        cwd=installed.folder / "share" / "man",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert page[:-2] in done.stdout.split("DESCRIPTION")[0]


@pytest.mark.skipif(shutil.which("man") is None, reason="this machine has no man")
def test_man_finds_every_function(installed: Prefix) -> None:
    environment = {**os.environ, "MANPATH": str(installed.folder / "share" / "man"), "MANPAGER": "cat", "LC_ALL": "C"}
    for name in FUNCTIONS:
        done = subprocess.run(["man", "3", name], env=environment, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, ""), name
        assert re.search(rf"^NAME\n(?: .*\n)*?.*\b{name}\b", done.stdout, re.MULTILINE), name
