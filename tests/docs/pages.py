"""The content of a page: fenced blocks, headings, anchors and links, by the rules of GitHub's renderer."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from servers import ROOT

FENCE = re.compile(r"( *)(`{3,}|~{3,})(\S*)[^`]*")
HEADING = re.compile(r"(#{1,6}) +(.*?)(?: +#+)?")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\]|\\.)*\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
DEFINITION = re.compile(r" {0,3}\[[^\]]+\]: +<?([^\s>]+)>?")
HTML_ANCHOR = re.compile(r"<a\s[^>]*\b(?:id|name)=\"([^\"]+)\"")


@dataclass(frozen=True)
class Block:
    """Fenced code."""

    language: str
    text: str
    line: int
    section: str
    """The nearest preceding heading of level two."""


@dataclass(frozen=True)
class Page:
    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def _parts(self) -> tuple[list[tuple[int, str]], list[Block]]:
        """The numbered lines outside of fences, and the fences."""
        prose: list[tuple[int, str]] = []
        blocks: list[Block] = []
        section = ""
        lines = iter(enumerate(self.path.read_text().splitlines(), start=1))
        for number, line in lines:
            if fence := FENCE.fullmatch(line):
                indent, mark, language = fence.groups()
                code: list[str] = []
                for _, inner in lines:
                    if inner.strip() == mark:
                        break
                    code.append(inner.removeprefix(indent))
                else:
                    raise AssertionError(f"{self.name}:{number}: a fence that does not end")
                blocks.append(Block(language, "".join(f"{line}\n" for line in code), number, section))
                continue
            if (heading := HEADING.fullmatch(line)) and len(heading[1]) == 2:
                section = heading[2]
            prose.append((number, line))
        return prose, blocks

    @property
    def blocks(self) -> list[Block]:
        return self._parts[1]

    @property
    def headings(self) -> list[tuple[int, str]]:
        """Level and text of each."""
        found = (HEADING.fullmatch(line) for _, line in self._parts[0])
        return [(len(match[1]), match[2]) for match in found if match]

    @cached_property
    def anchors(self) -> list[str]:
        """The anchors of this page. One that exists twice is listed twice."""
        anchors: list[str] = []
        seen: dict[str, int] = {}
        for _, text in self.headings:
            slug = slug_of(text)
            count = seen.get(slug, 0)
            seen[slug] = count + 1
            anchors.append(f"{slug}-{count}" if count else slug)
        for _, line in self._parts[0]:
            anchors += HTML_ANCHOR.findall(line)
        return anchors

    def links(self) -> Iterator[tuple[int, str]]:
        """Line and target of each."""
        for number, line in self._parts[0]:
            # Skip links in code, but the text of a link may be code.
            text = re.sub(r"(?<!\[)`[^`]*`(?!\])", "", line)
            for target in LINK.findall(text) + DEFINITION.findall(text):
                yield number, target


def slug_of(heading: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def where_it_leads(page: Page, target: str) -> str | None:
    """None for a valid link, else the reason. Links to other hosts are not checked."""
    if re.match(r"[a-z]+:", target):
        return None
    path, _, anchor = target.partition("#")
    file = (page.path.parent / path).resolve() if path else page.path
    if not file.is_relative_to(ROOT):
        return "leaves the repository"
    if not file.exists():
        return "there is no such file"
    if anchor and file.suffix == ".md" and anchor not in Page(file).anchors:
        return f"{file.relative_to(ROOT)} has no `#{anchor}`"
    return None
