"""The commands in the pages of the languages: those that can run here are run; names in the others are checked."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import building
import pytest
import recipes
from servers import PROGRAMS, ROOT

# A word that begins with one of these is a path in the repository. build/ and target/ exist after a build.
FOLDERS = ("benches/", "bindings/", "docs/", "examples/", "function/", "include/", "local/", "packaging/", "tools/")


def lines(name: str) -> Iterator[tuple[str, str]]:
    """Place and text of each command."""
    page = recipes.page_of(name)
    for block in page.blocks:
        if block.language == "sh":
            for line in re.sub(r"\\\n *", "", block.text).splitlines():
                if line.strip() and not line.lstrip().startswith("#"):
                    yield f"{page.name}:{block.line}: {line}", line


def words(line: str) -> list[str]:
    return shlex.split(line, comments=True)


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))


def complaint(command: list[str]) -> str | None:
    """The first name in a command that does not exist."""
    match command:
        case [prefix, *rest] if prefix == "sudo" or re.match(r"\w+=", prefix):
            return complaint(rest)
        case [program, "-m", "pip", "install", *rest]:
            return complaint([program, "install", *rest])
        case ["make", *rest]:
            missing = [word for word in rest if not word.startswith("-") and "=" not in word and word not in targets()]
            return f"the Makefile has no target {missing}" if missing else None
        case [script, *rest] if script.removeprefix("./").startswith("tools/") and (ROOT / script).exists():
            text = (ROOT / script).read_text()
            missing = [word for word in rest if word.startswith("-") and word.partition("=")[0] not in text]
            return f"{script} has no option {missing}" if missing else None
        case [_, "install", *rest]:
            return next(filter(None, map(missing_extra, rest)), None)
        case ["go", "get", *rest]:
            module = re.findall(r"^module (\S+)", (building.GO_BINDING / "go.mod").read_text(), re.MULTILINE)
            missing = [word for word in rest if not word.startswith("-") and word.partition("@")[0] not in module]
            return f"bindings/go is not the module {missing}" if missing else None
    return None


def missing_extra(requirement: str) -> str | None:
    """`lambda-executor[pickle]` names an extra of the Python package."""
    match = re.search(r"\[([\w,-]+)\]$", requirement)
    if not match:
        return None
    project = (ROOT / "bindings" / "python" / "pyproject.toml").read_text()
    optional = project.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    missing = [extra for extra in match[1].split(",") if not re.search(rf"^{extra} *=", optional, re.MULTILINE)]
    return f"the Python package has no extra {missing}" if missing else None


def missing_paths(command: list[str]) -> list[str]:
    paths = [word.partition("=")[2] or word for word in command]
    return [
        path
        for path in (path.removeprefix("./") for path in paths)
        if path.startswith(FOLDERS) and "*" not in path and not (ROOT / path).exists()
    ]


@pytest.mark.parametrize("name", recipes.LANGUAGES)
def test_names_in_commands_exist(name: str) -> None:
    complaints = []
    for where, line in lines(name):
        for command in re.split(r"&&|\|\||[;|]", line):
            problem = complaint(words(command))
            complaints += [f"{where}: {problem}"] if problem else []
            complaints += [f"{where}: there is no {path}" for path in missing_paths(words(command))]
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("make instal PREFIX=/usr", "the Makefile has no target ['instal']"),
        ("tools/setup.sh --build-onyl", "tools/setup.sh has no option ['--build-onyl']"),
        ("pip install 'lambda-executor[pickel]'", "the Python package has no extra ['pickel']"),
        ("python3 -m pip install 'lambda-executor[pickel]'", "the Python package has no extra ['pickel']"),
        ("go get example.com/other@latest", "bindings/go is not the module ['example.com/other@latest']"),
        ("sudo CC=gcc make instal", "the Makefile has no target ['instal']"),
        ("make build", None),
        ("tools/setup.sh --build-only", None),
    ],
)
def test_missing_names_are_found(command: str, why: str | None) -> None:
    assert complaint(words(command)) == why
    assert missing_paths(words("cp ./tools/setup.sh tools/none.sh --from=docs/none")) == ["tools/none.sh", "docs/none"]


@pytest.mark.parametrize(("name", "source"), [("c", "program.c"), ("cpp", "program.cpp"), ("go", "main.go")])
def test_the_first_commands_of_a_page_install_build_and_run_a_program(name: str, source: str, tmp_path: Path) -> None:
    """Unchanged, with the first recipe's program in the folder and an own home folder. Exceptions: the files of
    `make install` are already built, and the page of Go does not know the path of this repository.
    """
    program = recipes.recipe(name, recipes.RECIPES[0])
    (tmp_path / source).write_text(program.source)
    commands, replaced = re.subn(
        r"^make install PREFIX=(.*)$",
        rf"{ROOT}/tools/install.sh --from {PROGRAMS} --prefix \1",
        recipes.page_of(name).blocks[0].text,
        flags=re.MULTILINE,
    )
    assert replaced == 1, f"docs/{name}.md does not begin with `make install PREFIX=...`"
    if name == "go":
        commands = commands.replace("/path/to/lambda-executor", str(ROOT))
    commands = f"unset PKG_CONFIG_PATH CMAKE_PREFIX_PATH LD_LIBRARY_PATH GOFLAGS\n{commands}"
    # The same home with its own cache each time: Go's cache does not detect that a library has moved.
    home = ROOT / "build" / "tests" / "docs" / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    variables = {"HOME": str(home), "GOCACHE": str(home.with_name("go-cache"))}
    printed = building.call(["bash", "-euc", commands], tmp_path, building.BUILD_SECONDS, **variables)
    assert recipes.matches("...\n" + program.outputs[0], printed), printed
    shutil.rmtree(home)  # libraries for debugging are large


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["c", "cpp"])
def test_cmake_files_of_the_page_build(name: str, tmp_path: Path) -> None:
    program = recipes.recipe(name, recipes.RECIPES[0])
    blocks = recipes.page_of(name).blocks
    files = [at for at, block in enumerate(blocks) if block.language == "cmake"]
    assert len(files) == 1, f"docs/{name}.md: {len(files)} blocks of `cmake`, expected one"
    file, commands = blocks[files[0] : files[0] + 2]
    assert commands.language == "sh", f"docs/{name}.md: no command after the block of `cmake`"
    target = re.search(r"add_executable\((\w+) ([\w.]+)\)", file.text)
    assert target, file.text
    (tmp_path / "CMakeLists.txt").write_text(file.text)
    (tmp_path / target[2]).write_text(program.source)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".local").symlink_to(building.PREFIX)
    script = f"unset CMAKE_PREFIX_PATH PKG_CONFIG_PATH\n{commands.text}"
    building.call(["bash", "-euc", script], tmp_path, building.BUILD_SECONDS, HOME=str(home))
    command = str(tmp_path / "build" / target[1])
    assert recipes.matches(program.outputs[0], building.run([command], tmp_path))
