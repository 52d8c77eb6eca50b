"""The programs in README.md, one for each language, print the output that it shows."""

from pathlib import Path

import building
import pages
import pytest
import recipes
from servers import ROOT

README = pages.Page(ROOT / "README.md")
SECTION = "With your program"


def blocks(language: str) -> list[pages.Block]:
    return [block for block in README.blocks if (block.language, block.section) == (language, SECTION)]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("language", recipes.LANGUAGES.values())
def test_the_first_program(language: str, tmp_path: Path) -> None:
    (block,) = blocks(language)
    (expected,) = blocks("text")
    program = recipes.Program(README, language, SECTION, block.text, block.line, (expected.text,))
    printed = building.run(building.build(program, tmp_path), tmp_path)
    assert recipes.matches(expected.text, printed), f"{program}: printed\n{printed}"


def test_the_first_ten_lines_have_purpose_users_and_limits() -> None:
    first = "\n".join(README.path.read_text().splitlines()[:10])
    for word in ("AWS Lambda", "Airflow", "C, C++, Python or Go", "Not yet", "real AWS", "x86_64", "journal"):
        assert word in first
