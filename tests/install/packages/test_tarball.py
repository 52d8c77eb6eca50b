"""The tarball: unpacked in any folder and used from there."""

import re
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest
from artefacts import ARCHIVE, PACKAGES, PORTABLE, PROGRAMS, folders_in, output
from header import FUNCTIONS
from prefix import HELLO, MINIMAL, VERSION, Prefix
from servers import ROOT

NAME = f"lambda-executor-{VERSION}-linux-x86_64"
TARBALL = PACKAGES / f"{NAME}.tar.gz"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    folder = tmp_path_factory.mktemp("somewhere") / "a folder"
    folder.mkdir()
    output("tar", "-xzf", TARBALL, "-C", folder)
    return Prefix(folder / NAME)


def test_has_one_folder_owned_by_root() -> None:
    with tarfile.open(TARBALL) as tar:
        members = tar.getmembers()
    assert {member.name.split("/")[0] for member in members} == {NAME}
    assert {(member.uid, member.gid, member.mtime) for member in members} == {(0, 0, members[0].mtime)}
    assert [member.name for member in members] == sorted(member.name for member in members)
    assert {member.mode for member in members if member.isfile()} == {0o644, 0o755}
    programs = {member.name for member in members if member.isfile() and member.mode == 0o755}
    assert {name.removeprefix(NAME) for name in programs} == {
        "/bin/lambda-executor-local",
        "/bin/lambda-executor-function",
    }


def test_has_the_built_files_and_no_folder_of_this_machine(unpacked: Prefix) -> None:
    library = unpacked.libdir / "liblambda_executor.so"
    assert library.read_bytes() == (PORTABLE / library.name).read_bytes()
    files = [file for file in unpacked.folder.rglob("*") if file.is_file()]
    assert {library.name, ARCHIVE.name, *(program.name for program in PROGRAMS)} <= {file.name for file in files}
    assert {file.name: found for file in files if (found := folders_in(file.read_bytes()))} == {}
    for name in FUNCTIONS:
        assert (unpacked.folder / f"share/man/man3/{name}.3").is_file(), name
    for name in ("LICENSE", "docs/c-api.md"):
        assert (unpacked.folder / "share/doc/lambda-executor" / name).read_bytes() == (ROOT / name).read_bytes()
    licenses = (unpacked.folder / "share/doc/lambda-executor/THIRD-PARTY-LICENSES").read_text()
    for package in ("aws-sdk-sqs", "ring", "tokio", "rustls", "lambda_runtime"):
        assert re.search(rf"^  {package} [0-9.]+: .*(MIT|Apache|ISC)", licenses, re.MULTILINE), package
    for text in ("Permission is hereby granted, free of charge", "Apache License", "Redistributions in binary form"):
        assert text in licenses


@pytest.mark.parametrize(("module", "path"), [("lambda_executor", "/usr/bin:/bin"), ("lambda_executor-static", None)])
def test_a_program_in_c(unpacked: Prefix, tmp_path: Path, module: str, path: str | None) -> None:
    # Quoted for a shell, since the folder has a space.
    unpacked.sh(f'eval "cc {MINIMAL} $(pkg-config --cflags --libs {module}) -o hello"', tmp_path)
    path = path or f"/usr/bin:/bin:{unpacked.folder}/bin"
    assert unpacked.sh("./hello", tmp_path, PATH=path, LD_LIBRARY_PATH=str(unpacked.libdir)) == HELLO


def test_the_server_finds_the_function_beside_it(unpacked: Prefix, tmp_path: Path) -> None:
    unpacked.sh(f'eval "cc {MINIMAL} $(pkg-config --cflags --libs lambda_executor) -o hello"', tmp_path)
    script = f"""
        "{unpacked.folder}/bin/lambda-executor-local" --exit-with-parent > local.env & server=$!
        until [ -s local.env ] || ! kill -0 $server; do sleep 0.1; done
        . ./local.env
        ./hello
        kill $server
        wait $server
    """
    assert unpacked.sh(script, tmp_path, LD_LIBRARY_PATH=str(unpacked.libdir)) == HELLO


def test_packages_are_the_same_when_they_are_made_again(tmp_path: Path) -> None:
    with tarfile.open(TARBALL) as tar:
        time = tar.getmembers()[0].mtime
    output("env", f"SOURCE_DATE_EPOCH={time}", ROOT / "tools" / "package.sh", "--to", tmp_path)
    made = {path.name: sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    assert set(made) == {TARBALL.name, f"lambda-executor_{VERSION}_amd64.deb"}
    assert made == {name: sha256((PACKAGES / name).read_bytes()).hexdigest() for name in made}
