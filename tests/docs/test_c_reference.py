"""docs/c-api.md is the output of tools/c_reference.py, and has everything that the compiler sees in the header."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import c_reference
import pytest
from servers import ROOT

HEADER = ROOT / "include" / "lambda_executor.h"
PAGE = ROOT / "docs" / "c-api.md"
COMMENT = re.compile(r"^ *\*(?!/)(?: (.*))?$", re.MULTILINE)


def run_tool(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(root / "tools" / "c_reference.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def preprocessed(*options: str) -> str:
    command = ["cc", "-E", *options, str(HEADER)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout


def declarations() -> str:
    """The header's own declarations without comments, one on each line."""
    text = c_reference.regular(HEADER.read_text())
    text = re.sub(r"/\*.*?\*/|^ *#.*?$|^extern \"C\" \{$", "", text, flags=re.DOTALL | re.MULTILINE)
    return " ".join(text.split())


def constants() -> dict[str, int]:
    """The values that the compiler gives to all macros."""
    names = re.findall(r"^#define (LAMBDA_EXECUTOR_\w+) ", preprocessed("-dM"), re.MULTILINE)
    # Only macros that are numbers.
    others = re.compile(r"LAMBDA_EXECUTOR_(H|EXPORT|MUST_CHECK|INLINE|STR|\w+_INIT)")
    names = sorted(name for name in names if not others.fullmatch(name))
    return dict(zip(names, compiled(names), strict=True))


def compiled(names: list[str]) -> list[int]:
    # The array's bytes are in the object file, so no program needs to run.
    source = (
        f'#include "{HEADER}"\nconst long long values[] = {{{", ".join(f"(long long)({name})" for name in names)}}};'
    )
    command = ["cc", "-x", "c", "-", "-S", "-o", "-"]
    assembly = subprocess.run(command, input=source, capture_output=True, text=True, timeout=300, check=True).stdout
    found: list[int] = []
    for directive, number in re.findall(r"\.(quad|xword|8byte|dword|zero)\s+(-?\d+)", assembly):
        found += [0] * (int(number) // 8) if directive == "zero" else [int(number)]
    return found


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("tools/c_reference.py", "include/lambda_executor.h", "docs/c-api.md", "docs/configuration.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_committed_page_is_the_generated_one() -> None:
    checked = run_tool(ROOT, "--check")
    assert checked.returncode == 0, f"run `make docs` and commit docs/c-api.md:\n{checked.stdout}{checked.stderr}"


def test_check_prints_the_difference_and_writes_nothing(copy: Path) -> None:
    stale = copy / "docs" / "c-api.md"
    stale.write_text(stale.read_text().replace("| Success. |", "| Finished. |"))
    before = stale.read_text()
    checked = run_tool(copy, "--check")
    assert checked.returncode == 1
    changed = [line for line in checked.stdout.splitlines() if "Success. |" in line or "Finished. |" in line]
    assert [line[0] for line in changed] == ["-", "+"]
    assert stale.read_text() == before
    assert run_tool(copy).returncode == 0
    assert stale.read_text() == PAGE.read_text()


def test_every_constant_is_on_the_page_with_its_number(page: str) -> None:
    rows = re.findall(r"^\| `(.*?)` \| <a id=\"(\w+)\"></a>`(\w+)` \| \S.* \|$", page, re.MULTILINE)
    assert all(anchor == name for _, anchor, name in rows)
    rows = [row for row in rows if row[0] != "macro"]
    on_page = {name: -1 if number == "((size_t)-1)" else int(number.strip("()u")) for number, _, name in rows}
    assert len(rows) == len(on_page)
    assert len(on_page) >= 46
    assert on_page == constants()


def test_every_function_is_on_the_page_with_its_prototype(page: str) -> None:
    shown = dict(re.findall(r"^### (lambda_executor_\w+)\n\n```c\n(.*?)\n```\n\n\S", page, re.MULTILINE | re.DOTALL))
    on_page = {name: " ".join(text.split()) for name, text in shown.items()}
    prototypes = re.findall(r"[\w *]+?\b(lambda_executor_\w+)\([^()]*\);", declarations())
    assert len(prototypes) >= 30
    assert sorted(on_page) == sorted(prototypes)
    for name, prototype in on_page.items():
        assert prototype in declarations(), name


def test_every_type_is_on_the_page_with_its_members(page: str) -> None:
    types = re.findall(r"typedef struct (\w+) \w+;|typedef \w+ (\w+);|\} (\w+);|\(\*(\w+)\)\(", declarations())
    names = ["".join(found) + ("_t" if found[0] else "") for found in types]
    assert len(names) >= 13
    for name in names:
        assert f"### {name}\n" in page or f'<a id="{name}"></a>' in page, name
    for body, name in re.findall(r"\{([^{}]*)\} (\w+);", declarations()):
        section = page.split(f"### {name}\n")[1].split("\n#")[0]
        # Our own types are links.
        rows = re.findall(r"^\| \[?`([^`]+)`\S* \| `(\w+)` \| \S.* \|$", section, re.MULTILINE)
        assert [" ".join(row).replace("* ", "*") for row in rows] == [
            member.strip() for member in body.split(";") if member.strip()
        ], name


def test_every_sentence_of_the_header_is_on_the_page(page: str) -> None:
    def words(text: str) -> str:
        return " ".join(re.findall(r"[A-Za-z0-9_]+", text))

    shown = words(re.sub(r"\]\(#?[^)]*\)|<a id=\"\w+\"></a>", "", page))
    generated_by = "Generated from src/ffi by build.rs: do not edit."
    lines = [line for line in COMMENT.findall(c_reference.regular(HEADER.read_text())) if line and line != generated_by]
    assert len(lines) > 250
    missing = [line for line in lines if words(line).lower() not in shown.lower()]
    # The title of the file is not part of the page.
    assert missing == ["lambda_executor.h - runs tasks on AWS Lambda and reports their results."]


def test_an_item_without_a_comment_is_refused() -> None:
    header = HEADER.read_text()
    comments = [
        comment
        for comment in re.finditer(r"^ */\*\*.*?\*/\n| /\*\*< .*? \*/", header, re.MULTILINE | re.DOTALL)
        # Macros for the compiler precede the first section.
        if comment.start() > header.index("/* ---- ")
    ]
    assert len(comments) >= 120
    for comment in comments:
        bare = header[: comment.start()] + header[comment.end() :]
        with pytest.raises(c_reference.HeaderError, match=r"line \d+: (no comment before|expected a member after)"):
            c_reference.reference(bare)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("#define LAMBDA_EXECUTOR_OK  ", "#define LAMBDA_EXECUTOR_FINE  ", "`LAMBDA_EXECUTOR_FINE` is in no group"),
        ("lambda_executor_wake(", "lambda_executor_rouse(", "`lambda_executor_rouse` is in no group"),
        ("see lambda_executor_config_schema", "see lambda_executor_rouse", "names `lambda_executor_rouse`, which the"),
        ("option keep_finished", "option max_tasks", "option `max_tasks`, which configuration.md does not have"),
        ("uint32_t lambda_executor_version(void);", "enum lambda_executor_e { A };", "a form that this tool does not"),
        ("LAMBDA_EXECUTOR_LOG_...", "LAMBDA_EXECUTOR_LEVEL_...", "which is not a group of constants"),
    ],
    ids=["constant", "function", "name", "option", "form", "family"],
)
def test_items_that_the_page_would_lack_are_refused(before: str, after: str, why: str) -> None:
    header = HEADER.read_text()
    assert before in header
    with pytest.raises(c_reference.HeaderError, match=re.escape(why)):
        c_reference.reference(header.replace(before, after))
