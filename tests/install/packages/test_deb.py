"""The Debian package, in a plain system without Rust, Python or this repository."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from artefacts import ARCHIVE, PACKAGES, PROGRAMS, folders_in, output
from header import FUNCTIONS
from prefix import HELLO, MINIMAL, VERSION
from root import Root, make_root
from test_cmake import PROJECT

DEB = PACKAGES / f"lambda-executor_{VERSION}_amd64.deb"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    """A system with the package installed and sources in /src."""
    assert os.geteuid() == 0, "installing a package needs root"
    root = make_root(tmp_path_factory.mktemp("deb") / "root")
    source = root.folder / "src"
    source.mkdir()
    shutil.copy(MINIMAL, source)
    shutil.copy(DEB, source)
    (source / "CMakeLists.txt").write_text(PROJECT)
    root.sh(f"dpkg --install /src/{DEB.name}")
    yield root
    shutil.rmtree(root.folder)


def field(name: str) -> str:
    return output("dpkg-deb", "--field", DEB, name).strip()


def test_the_fields_of_the_package() -> None:
    assert (field("Package"), field("Version"), field("Architecture")) == ("lambda-executor", VERSION, "amd64")
    needed = re.fullmatch(r"libc6 \(>= 2\.(\d+)\)", field("Depends"))
    assert needed
    assert int(needed[1]) <= 26
    assert field("Provides") == f"liblambda-executor1 (= {VERSION}), liblambda-executor-dev (= {VERSION})"


def test_its_files_belong_to_root_and_are_in_debians_folders() -> None:
    lines = [line.split(maxsplit=5) for line in output("dpkg-deb", "--contents", DEB).splitlines()]
    assert {line[1] for line in lines} == {"root/root"}
    names = {line[5].removeprefix("./").split(" -> ")[0] for line in lines}
    lib = "usr/lib/x86_64-linux-gnu"
    assert {
        f"{lib}/liblambda_executor.so.1.{VERSION}",
        f"{lib}/liblambda_executor.so.1",
        f"{lib}/liblambda_executor.so",
        f"{lib}/liblambda_executor.a",
        f"{lib}/pkgconfig/lambda_executor.pc",
        f"{lib}/cmake/LambdaExecutor/LambdaExecutorConfig.cmake",
        "usr/include/lambda_executor.h",
        "usr/bin/lambda-executor-local",
        "usr/bin/lambda-executor-function",
        "usr/share/man/man1/lambda-executor-local.1.gz",
        "usr/share/man/man3/lambda_executor.3.gz",
        *(f"usr/share/man/man3/{name}.3.gz" for name in FUNCTIONS),
        "usr/share/doc/lambda-executor/docs/c-api.md",
        "usr/share/doc/lambda-executor/copyright",
        "usr/share/doc/lambda-executor/changelog.gz",
    } <= names
    assert {name.split("/")[0] for name in names if name} == {"usr"}


def test_has_no_folder_of_this_machine(tmp_path: Path) -> None:
    output("dpkg-deb", "--extract", DEB, tmp_path)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {ARCHIVE.name, *(program.name for program in PROGRAMS)} <= {file.name for file in files}
    assert {file.name: found for file in files if (found := folders_in(file.read_bytes()))} == {}


def test_a_program_in_c(root: Root) -> None:
    assert "liblambda_executor.so.1 " in root.sh("ldconfig -p"), "the package's trigger must run ldconfig"
    build = "cd /src; cc minimal.c $(pkg-config --cflags --libs lambda_executor) -o hello"
    assert root.sh(f"{build}; ./hello") == HELLO
    static = "cd /src; cc minimal.c $(pkg-config --cflags --libs lambda_executor-static) -o hello-static"
    assert root.sh(f"{static}; ./hello-static") == HELLO
    assert "-I" not in root.sh("pkg-config --cflags --libs lambda_executor")


def test_a_project_with_cmake(root: Root) -> None:
    # Also through /lib, a link to /usr/lib.
    for prefix in ("/usr", "/"):
        root.sh(
            f"cd /src; cmake -S . -B build -DCMAKE_PREFIX_PATH={prefix}; cmake --build build; rm build/CMakeCache.txt"
        )
        assert root.sh("/src/build/hello") == HELLO
        assert root.sh("/src/build/hello-static") == HELLO


def test_its_files_are_intact_and_removed_with_it(root: Root) -> None:
    assert root.sh("dpkg --verify lambda-executor") == ""
    files = root.sh("dpkg --listfiles lambda-executor").split()
    assert root.sh("dpkg-query --showformat '${Status}' --show lambda-executor") == "install ok installed"
    root.sh("dpkg --purge lambda-executor")
    left = [file for file in files if "lambda" in file and Path(f"{root.folder}{file}").exists()]
    assert left == []
    assert "lambda" not in root.sh("ldconfig -p")
