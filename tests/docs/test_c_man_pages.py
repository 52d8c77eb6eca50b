"""The man pages of the C API are the output of tools/c_man_pages.py, and have what the header says of each function."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import c_man_pages
import c_reference
import pytest
from header import FUNCTIONS
from servers import ROOT

HEADER = ROOT / "include" / "lambda_executor.h"
MAN = ROOT / "packaging" / "man"


def run_tool(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(root / "tools" / "c_man_pages.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def words(text: str) -> str:
    """The words alone. `sync` of a comment is lambda_executor_sync(3) on a page."""
    return " ".join(re.findall(r"[A-Za-z0-9_]+", re.sub(r"\blambda_executor_|(?<=\w)\(3?\)", "", text)))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of manuals with the pages of section 3."""
    folder = tmp_path_factory.mktemp("manuals")
    shutil.copytree(MAN / "functions", folder / "man3")
    shutil.copy(MAN / "lambda_executor.3", folder / "man3")
    return folder


def shown(tree: Path, name: str) -> str:
    """A page as people read it, in lines so long that none is broken."""
    command = ["groff", "-mandoc", "-Tascii", "-P-cbou", "-rLL=2000n", f"man3/{name}.3"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_committed_pages_are_the_generated_ones() -> None:
    checked = run_tool(ROOT, "--check")
    assert checked.returncode == 0, f"run `make docs` and commit packaging/man:\n{checked.stdout}{checked.stderr}"


def test_check_names_what_differs_and_a_run_repairs_it(tmp_path: Path) -> None:
    for name in ("tools/c_reference.py", "tools/c_man_pages.py", "include/lambda_executor.h"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(MAN, tmp_path / "packaging/man")
    functions = tmp_path / "packaging/man/functions"
    overview = tmp_path / "packaging/man/lambda_executor.3"
    (functions / "lambda_executor_ack.3").unlink()
    (functions / "lambda_executor_gone.3").touch()
    (functions / "lambda_executor_sync.3").write_text("another text\n")
    overview.write_text(overview.read_text().replace("Truth values are 0 and 1.", "Truth values are not 0."))
    checked = run_tool(tmp_path, "--check")
    assert checked.returncode == 1
    assert re.findall(r"^packaging/man/(\S+)", checked.stdout, re.MULTILINE) == [
        "functions/lambda_executor_ack.3",
        "functions/lambda_executor_gone.3",
        "functions/lambda_executor_sync.3",
        "lambda_executor.3",
    ]
    assert run_tool(tmp_path).returncode == 0
    assert run_tool(tmp_path, "--check").returncode == 0
    assert (functions / "lambda_executor_sync.3").read_text() == (MAN / "functions/lambda_executor_sync.3").read_text()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_page_of_a_function_has_its_prototype_and_every_sentence_of_the_header(tree: Path, name: str) -> None:
    page = shown(tree, name)
    text = c_reference.regular(HEADER.read_text())
    match = re.search(rf"/\*\*\n((?: \*.*\n)+?) \*/\n([^;/]*?\b{name}\([^)]*\));", text)
    assert match is not None
    comment, prototype = match.groups()
    assert words(prototype) in words(page)
    assert [line for line in comment.splitlines() if words(line) not in words(page)] == []
    # Each status that it returns is explained.
    for status in re.findall(r"\bERR_[A-Z_]+\b", comment.split("\n *\n")[-1]):
        assert re.search(rf"^ +LAMBDA_EXECUTOR_{status} \(-\d+\)\n +\S", page, re.MULTILINE), status


def test_the_rules_for_every_function_are_in_the_overview(tree: Path) -> None:
    page = words(shown(tree, "lambda_executor"))
    top = HEADER.read_text().split("Rules for every function")[1].split("\n *\n")[0]
    rules = [line[2:] for line in top.splitlines() if line]
    assert len(rules) > 20
    assert [line for line in rules if words(line) not in page] == []


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("lambda_executor_wake(", "lambda_executor_rouse(", "the header has no `lambda_executor_wake`"),
        (
            "/** Frees an error.",
            "/** New. */\nvoid lambda_executor_x(void);\n\n/** Frees an error.",
            "lambda_executor_x",
        ),
    ],
    ids=["gone", "new"],
)
def test_functions_without_a_page_are_refused(before: str, after: str, why: str) -> None:
    header = HEADER.read_text()
    assert before in header
    with pytest.raises(c_reference.HeaderError, match=re.escape(why)):
        c_man_pages.texts(header.replace(before, after))
