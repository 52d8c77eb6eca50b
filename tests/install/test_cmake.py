"""find_package(LambdaExecutor) in a project in an empty folder."""

import shutil
import subprocess
from pathlib import Path

import pytest
from prefix import HELLO, MINIMAL, VERSION, Prefix, needed
from servers import ROOT

PROJECT = """\
cmake_minimum_required(VERSION 3.13)
project(hello C)
find_package(LambdaExecutor 0.2 REQUIRED)
add_executable(hello minimal.c)
target_link_libraries(hello PRIVATE LambdaExecutor::lambda_executor)
add_executable(hello-static minimal.c)
target_link_libraries(hello-static PRIVATE LambdaExecutor::lambda_executor_static -s)
add_executable(hello-all-static minimal.c)
target_link_libraries(hello-all-static PRIVATE LambdaExecutor::lambda_executor_static -static -s)
"""


def configure(prefix: Prefix, folder: Path, project: str = PROJECT) -> "subprocess.CompletedProcess[str]":
    """Configures the project in `folder`, with the build folder `folder`/build."""
    (folder / "CMakeLists.txt").write_text(project)
    (folder / "minimal.c").write_text(MINIMAL.read_text())
    return subprocess.run(
        ["cmake", "-S", ".", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix.folder}", "-DCMAKE_BUILD_TYPE=Release"],
        cwd=folder,
        env=prefix.environment(),
        capture_output=True,
        text=True,
    )


def test_both_targets(moved: Prefix, tmp_path: Path) -> None:
    configured = configure(moved, tmp_path)
    assert configured.returncode == 0, configured.stderr
    moved.sh("cmake --build build", tmp_path)
    # CMake's own run path names the library's folder.
    assert moved.sh("build/hello", tmp_path) == HELLO
    dynamic = moved.sh("readelf --dynamic --wide build/hello", tmp_path)
    assert "[liblambda_executor.so.1]" in dynamic, "linked by its SONAME"
    path = f"/usr/bin:/bin:{moved.folder}/bin"
    assert moved.sh("build/hello-static", tmp_path, PATH=path) == HELLO
    libraries = needed(tmp_path / "build" / "hello-static")
    # No library of the compiler, which a small image lacks.
    assert not any("lambda_executor" in library or "gcc_s" in library for library in libraries), libraries
    assert moved.sh("build/hello-all-static", tmp_path, PATH=path) == HELLO
    assert not needed(tmp_path / "build" / "hello-all-static")


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("", True),
        ("0.2", True),
        ("0.2.0", True),
        (f"{VERSION} EXACT", True),
        ("0.1...<0.3", True),
        ("0.0.1...0.2.0", True),
        ("0.2.1", False),
        ("0.1", False),
        ("0.3", False),
        ("1", False),
        ("0.3...<1", False),
        ("0.0.1...<0.2.0", False),
        ("0.2 COMPONENTS more", False),
        ("0.2 OPTIONAL_COMPONENTS more", True),
    ],
)
def test_versions(installed: Prefix, tmp_path: Path, asked: str, served: bool) -> None:
    # No language, so that CMake does not check the compiler.
    project = (
        f"cmake_minimum_required(VERSION 3.19)\nproject(hello NONE)\nfind_package(LambdaExecutor {asked})\n"
        'message(STATUS "found: ${LambdaExecutor_FOUND} ${LambdaExecutor_VERSION}")\n'
    )
    configured = configure(installed, tmp_path, project)
    assert configured.returncode == 0, configured.stderr
    assert (f"found: 1 {VERSION}" in configured.stdout) == served, configured.stdout + configured.stderr


def test_links_are_followed(installed: Prefix, tmp_path: Path) -> None:
    # Links like /lib to /usr/lib, and those of GNU stow: there are no headers beside such a link.
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "lib").symlink_to(installed.libdir)
    assert configure(Prefix(tmp_path / "root"), tmp_path).returncode == 0
    (tmp_path / "stow" / "lib" / "cmake").mkdir(parents=True)
    (tmp_path / "stow" / "lib" / "cmake" / "LambdaExecutor").symlink_to(installed.libdir / "cmake" / "LambdaExecutor")
    (tmp_path / "build" / "CMakeCache.txt").unlink()
    assert configure(Prefix(tmp_path / "stow"), tmp_path).returncode == 0


def test_an_installation_without_its_library_is_not_found(installed: Prefix, tmp_path: Path) -> None:
    config = tmp_path / "prefix" / "lib" / "cmake" / "LambdaExecutor"
    shutil.copytree(installed.libdir / "cmake" / "LambdaExecutor", config)
    configured = configure(Prefix(tmp_path / "prefix"), tmp_path)
    assert configured.returncode != 0
    message = " ".join(configured.stderr.split())
    assert f"{tmp_path}/prefix/lib/liblambda_executor.so.1.{VERSION} is missing" in message


FETCHED = f"""\
cmake_minimum_required(VERSION 3.14)
project(hello C)
include(FetchContent)
FetchContent_Declare(lambda_executor SOURCE_DIR "{ROOT}")
FetchContent_MakeAvailable(lambda_executor)
add_executable(hello minimal.c)
target_link_libraries(hello PRIVATE LambdaExecutor::lambda_executor)
"""


def test_fetched_where_the_library_is_installed(moved: Prefix, tmp_path: Path) -> None:
    configured = configure(moved, tmp_path, FETCHED)
    assert configured.returncode == 0, configured.stderr
    assert f"lambda_executor {VERSION} is installed" in configured.stdout
    moved.sh("cmake --build build", tmp_path)
    assert moved.sh("build/hello", tmp_path) == HELLO


@pytest.fixture
def built(installed: Prefix, tmp_path: Path) -> Path:
    """A tree of sources, with the library as cargo has built it."""
    tree = tmp_path / "tree"
    (tree / "build" / "native").mkdir(parents=True)
    for name in ("CMakeLists.txt", "Cargo.toml", "include", "tools"):
        (tree / name).symlink_to(ROOT / name)
    (tree / "build" / "native" / "liblambda_executor.a").symlink_to(installed.libdir / "liblambda_executor.a")
    (tree / "build" / "native" / "liblambda_executor.so.1").symlink_to(installed.libdir / "liblambda_executor.so.1")
    return tree


def test_both_targets_of_a_tree_that_is_built(built: Path, installed: Prefix, tmp_path: Path) -> None:
    # A cargo that fails: nothing is to be built again.
    fetched = FETCHED[FETCHED.index("include(") :].partition("add_executable")[0].replace(str(ROOT), str(built))
    options = 'set(LAMBDA_EXECUTOR_BUILD ON CACHE BOOL "")\nset(LAMBDA_EXECUTOR_CARGO /bin/false CACHE FILEPATH "")\n'
    project = PROJECT.replace("find_package(LambdaExecutor 0.2 REQUIRED)\n", f"{options}{fetched}")
    configured = configure(Prefix(tmp_path / "nothing"), tmp_path, project)
    assert configured.returncode == 0, configured.stderr
    installed.sh("cmake --build build", tmp_path)
    path = f"/usr/bin:/bin:{installed.folder}/bin"
    for name in ("hello", "hello-static", "hello-all-static"):
        assert installed.sh(f"build/{name}", tmp_path, PATH=path) == HELLO
    assert "liblambda_executor.so.1" in needed(tmp_path / "build" / "hello")
    libraries = needed(tmp_path / "build" / "hello-static")
    assert not any("lambda_executor" in library or "gcc_s" in library for library in libraries), libraries
    assert not needed(tmp_path / "build" / "hello-all-static")


def test_fetched_without_library_and_cargo(tmp_path: Path) -> None:
    ignored = 'set(CMAKE_IGNORE_PATH "/usr/bin;/bin;/usr/local/bin")'
    project = FETCHED.replace("project(hello C)", f"project(hello C)\n{ignored}")
    configured = configure(Prefix(tmp_path / "nothing"), tmp_path, project)
    assert configured.returncode != 0
    assert "no cargo to build it with" in " ".join(configured.stderr.split())
