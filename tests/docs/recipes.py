"""The programs in the pages of the languages, and their output as in the pages."""

import re
from dataclasses import dataclass
from itertools import takewhile

from pages import Page, slug_of
from servers import ROOT

# Every page has the same headings in the same order.
RECIPES = ["Run one", "Run many", "Heartbeat loop", "Event loop", "Restart and adopt"]
# This program needs a Lambda that outlives it, and runs once with each argument.
RESTART, ARGUMENTS = "Restart and adopt", ["first", "second"]

# The pages, with the language of their fences.
LANGUAGES = {"c": "c", "cpp": "cpp", "python": "python", "go": "go"}


@dataclass(frozen=True)
class Program:
    page: Page
    language: str
    section: str
    source: str
    line: int
    outputs: tuple[str, ...]
    """One output for each run."""

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def page_of(name: str) -> Page:
    path = ROOT / "docs" / f"{name}.md"
    assert path.exists(), f"docs/{name}.md does not exist"
    return Page(path)


def programs(name: str) -> list[Program]:
    """All blocks in the language of a page, with the `text` blocks that follow them."""
    page = page_of(name)
    found = []
    for at, block in enumerate(page.blocks):
        if block.language == LANGUAGES[name]:
            after = takewhile(lambda next: next.language == "text", page.blocks[at + 1 :])
            outputs = tuple(next.text for next in after if next.section == block.section)
            found.append(Program(page, block.language, block.section, block.text, block.line, outputs))
    return found


def recipe(name: str, heading: str) -> Program:
    """The only program under a heading of a page."""
    page = page_of(name)
    found = [program for program in programs(name) if program.section == heading]
    assert len(found) == 1, f"{page.name}: {len(found)} programs under `## {heading}`, expected one"
    expected = len(ARGUMENTS) if heading == RESTART else 1
    assert len(found[0].outputs) == expected, (
        f"{found[0]}: {len(found[0].outputs)} blocks of `text` after the program, expected {expected}"
    )
    return found[0]


def recipe_id(name: str, heading: str) -> str:
    return f"{name}-{slug_of(heading)}"


def matches(expected: str, printed: str) -> bool:
    """True if the output matches the page: `...` alone on a line matches any lines, within a line any text."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else ".*".join(map(re.escape, line.split("..."))) + r"\n"
        for line in expected.splitlines()
    )
    return re.fullmatch(pattern, printed if printed.endswith("\n") or not printed else printed + "\n") is not None
