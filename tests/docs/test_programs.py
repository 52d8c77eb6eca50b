"""Each program in docs/c.md, cpp.md, python.md and go.md builds, runs, and prints the output of its page."""

import json
from pathlib import Path

import building
import pytest
import recipes
import servers

# The pages whose commands can run unchanged; in the others the reader must fill in folders.
RESTARTED = ["c", "cpp", "go"]


def check(program: recipes.Program, expected: str, printed: str) -> None:
    assert recipes.matches(expected, printed), f"{program}: printed\n{printed}\nwhere the page says\n{expected}"


def configuration(aws: servers.LocalServer) -> str:
    return json.dumps(
        {
            "function_name": aws.function_name,
            "queue_url": aws.queue_url,
            "dead_letter_queue_url": aws.dead_letter_queue_url,
            "region_name": aws.region,
            "endpoint_url": aws.endpoint_url,
            "credentials": {"access_key_id": aws.access_key_id, "secret_access_key": aws.secret_access_key},
        }
    )


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "heading"),
    [
        pytest.param(name, heading, id=recipes.recipe_id(name, heading))
        for name in recipes.LANGUAGES
        for heading in recipes.RECIPES
        if heading != recipes.RESTART
    ],
)
def test_recipe(name: str, heading: str, tmp_path: Path) -> None:
    program = recipes.recipe(name, heading)
    check(program, program.outputs[0], building.run(building.build(program, tmp_path), tmp_path))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", recipes.LANGUAGES)
def test_restart(name: str, tmp_path: Path) -> None:
    """Two processes one after the other, in the same folder and with the same Lambda."""
    program = recipes.recipe(name, recipes.RESTART)
    command = building.build(program, tmp_path)
    with servers.local(tmp_path / "aws") as aws:
        for argument, expected in zip(recipes.ARGUMENTS, program.outputs, strict=True):
            printed = building.run([*command, argument], tmp_path, LAMBDA_EXECUTOR_CONFIG=configuration(aws))
            check(program, expected, printed)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", RESTARTED)
def test_restart_as_its_page_shows_it_beside_the_file_of_an_earlier_run(name: str, stale: str, tmp_path: Path) -> None:
    """Runs its commands, with the installed library below a home folder. The Lambda must outlive the program."""
    program = recipes.recipe(name, recipes.RESTART)
    shown = [block for block in program.page.blocks if (block.language, block.section) == ("sh", recipes.RESTART)]
    assert len(shown) == 1, f"{program.page.name}: {len(shown)} blocks of `sh` under `## {recipes.RESTART}`"
    command = building.build(program, tmp_path)
    alone = ["bash", "-c", '"$@" 2>&1; echo "ended with $?"', "bash", *command, recipes.ARGUMENTS[0]]
    text = building.run(alone, tmp_path)
    assert "LAMBDA_EXECUTOR_CONFIG" in text, text
    assert text.endswith("ended with 2\n"), text

    home = tmp_path / "home"
    home.mkdir()
    (home / ".local").symlink_to(building.PREFIX)
    (tmp_path / "local.env").write_text(stale)
    variables = {"HOME": str(home), "TMPDIR": str(tmp_path / "tmp")}
    script = f"{building.END_SERVER}\n{shown[0].text}"
    printed = building.call(["bash", "-euc", script], tmp_path, building.RUN_SECONDS, **variables)
    check(program, "".join(program.outputs), printed)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", recipes.LANGUAGES)
def test_programs_outside_of_recipes(name: str, tmp_path: Path) -> None:
    for at, program in enumerate(recipes.programs(name)):
        if program.section in recipes.RECIPES:
            continue
        assert len(program.outputs) == 1, f"{program}: a program without the `text` that it prints cannot be held to it"
        folder = tmp_path / str(at)
        folder.mkdir()
        check(program, program.outputs[0], building.run(building.build(program, folder), folder))


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\nb", True),
        ("a\nb\n", "b\na\n", False),
        ("a\n", "a\nb\n", False),
        ("a\n", "", False),
        ("a\n...\nb\n", "a\nb\n", True),
        ("a\n...\nb\n", "a\n1\n2\nb\n", True),
        ("a\n...\nb\n", "a\nb\nc\n", False),
        ("...\nb\n", "ab\n", False),
        ("took ... ms\n", "took 12.5 ms\n", True),
        ("took ... ms\n", "took 12\n5 ms\n", False),
        ("1 + 1 (two)\n", "1 + 1 (two)\n", True),
        ("1.5\n", "1x5\n", False),
    ],
)
def test_how_output_is_compared(expected: str, printed: str, same: bool) -> None:
    assert recipes.matches(expected, printed) is same
