"""Pages: links are valid, examples of JSON and shell are valid, and the pages of the languages have the same form."""

import json
import subprocess
from collections import Counter
from pathlib import Path

import pages
import pytest
import recipes
from servers import ROOT

PATTERNS = (
    "*.md",
    "docs/*.md",
    "bindings/*/*.md",
    "bindings/*/examples/**/*.md",
    "examples/**/*.md",
    "function/**/*.md",
    "local/*.md",
    "tests/*/*.md",
)
PAGES = sorted({path for pattern in PATTERNS for path in ROOT.glob(pattern)})


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_is_valid(path: Path) -> None:
    page = pages.Page(path)
    found = [(f"{page.name}:{line}: {target}", pages.where_it_leads(page, target)) for line, target in page.links()]
    broken = [f"{link}: {why}" for link, why in found if why]
    assert not broken, "\n".join(broken)
    doubled = [anchor for anchor, times in Counter(page.anchors).items() if times > 1]
    assert not doubled, f"{page.name}: anchors that are there twice: {doubled}"


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "function/README.md", "local/README.md", "docs/c-api.md"]
)
def test_the_checked_pages_include_the_required_ones(name: str) -> None:
    assert ROOT / name in PAGES


def test_the_map_names_every_page_of_docs() -> None:
    index = pages.Page(ROOT / "docs" / "README.md")
    targets = {(index.path.parent / target.partition("#")[0]).resolve() for _, target in index.links()}
    assert {path for path in (ROOT / "docs").glob("*.md") if path != index.path} <= targets
    assert any(target == "docs/README.md" for _, target in pages.Page(ROOT / "README.md").links())


def test_links_are_found_and_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    (tmp_path / "other.md").write_text(
        '# A `b_c` and: d!\n## Twice\n## Twice\n<a id="X"></a>\n```sh\n# no heading\n```\n'
    )
    text = (
        "[a](other.md) [`b`](other.md#a-b_c-and-d) [c](other.md#twice-1) [d](other.md#X) [e](https://example.com/x)\n"
        "`[not](missing-1.md)` and [[f]](missing-2.md) ![g](missing-3.png) [h](other.md#no-heading) [i](#j)\n"
        "[k](../up.md)\n[l]: missing-4.md\n```text\n[m](missing-5.md)\n```\n"
    )
    (tmp_path / "page.md").write_text(text)
    page = pages.Page(tmp_path / "page.md")
    broken = [(line, target) for line, target in page.links() if pages.where_it_leads(page, target)]
    assert broken == [
        (2, "missing-2.md"),
        (2, "missing-3.png"),
        (2, "other.md#no-heading"),
        (2, "#j"),
        (3, "../up.md"),
        (4, "missing-4.md"),
    ]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_of_json_and_shell_are_valid(path: Path) -> None:
    page = pages.Page(path)
    for block in page.blocks:
        where = f"{page.name}:{block.line}"
        if block.language == "json":
            try:
                json.loads(block.text)
            except json.JSONDecodeError as error:
                pytest.fail(f"{where}: {error}")
        if block.language in ("sh", "bash"):
            parsed = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
            assert parsed.returncode == 0, f"{where}: {parsed.stderr}"


@pytest.mark.parametrize("name", recipes.LANGUAGES)
def test_recipes_come_in_the_same_order(name: str) -> None:
    page = recipes.page_of(name)
    sections = [text for level, text in page.headings if level == 2]
    assert [text for text in sections if text in recipes.RECIPES] == recipes.RECIPES
    first = sections.index(recipes.RECIPES[0])
    assert sections[first : first + len(recipes.RECIPES)] == recipes.RECIPES, "a heading is between the recipes"
    for heading in recipes.RECIPES:
        recipes.recipe(name, heading)


@pytest.mark.parametrize("name", recipes.LANGUAGES)
def test_how_to_install_comes_first(name: str) -> None:
    page = recipes.page_of(name)
    assert page.blocks[0].language == "sh", f"{page.name}: its first block is not `sh`"
    assert page.blocks[0].section not in recipes.RECIPES
