"""Commands, options and files in docs/install.md exist. The other tests show that they work."""

import re
import subprocess

from prefix import INSTALL, VERSION
from servers import ROOT

PAGE = (ROOT / "docs" / "install.md").read_text()
SCRIPTS = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))


def test_its_commands_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^(?:.*`)?(?:sudo )?make ([a-z-]+)", PAGE, re.MULTILINE))
    assert {"install", "uninstall", "package"} <= named
    assert named - targets == set()
    tools = set(re.findall(r"\btools/[a-z_]+\.sh", PAGE))
    assert tools
    assert [tool for tool in tools if not (ROOT / tool).is_file()] == []


def test_its_options_exist() -> None:
    help_text = subprocess.run([INSTALL, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    named = set(re.findall(r"`(--(?:prefix|\w+dir|without-\w+))`", PAGE))
    assert len(named) >= 6
    assert [option for option in named if option not in help_text] == []


def test_its_files_have_the_version_that_they_are_made_with() -> None:
    assert set(re.findall(r"\d+\.\d+\.\d+(?=-linux-x86_64|_amd64)", SCRIPTS)) == {VERSION}


def test_its_links_are_valid() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^#+ (.*)", PAGE, re.M)
    }
    for link in re.findall(r"\]\(([^)]+)\)", PAGE):
        assert link.removeprefix("#") in headings if link.startswith("#") else (ROOT / "docs" / link).is_file(), link
