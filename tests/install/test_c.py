"""A program in C, built in an empty folder with pkg-config only, finds the installation's function program."""

from pathlib import Path

from prefix import HELLO, MINIMAL, Prefix, needed


def test_linked_with_the_shared_library(installed: Prefix, tmp_path: Path) -> None:
    installed.sh(f"cc {MINIMAL} $(pkg-config --cflags --libs lambda_executor) -o hello", tmp_path)
    assert "liblambda_executor.so.1" in needed(tmp_path / "hello")
    assert installed.sh("./hello", tmp_path, LD_LIBRARY_PATH=str(installed.libdir)) == HELLO


def test_linked_with_the_archive(installed: Prefix, tmp_path: Path) -> None:
    installed.sh(f"cc -s {MINIMAL} $(pkg-config --cflags --libs lambda_executor-static) -o hello", tmp_path)
    assert not any("lambda_executor" in library or "gcc_s" in library for library in needed(tmp_path / "hello"))
    # Such a program does not know the path of the installation.
    path = f"/usr/bin:/bin:{installed.folder}/bin"
    assert installed.sh("./hello", tmp_path, PATH=path) == HELLO
    # A user's own tree, with the program in its bin.
    tree = tmp_path / "tree"
    for folder in ("bin", "libexec"):
        (tree / folder).mkdir(parents=True)
    (tmp_path / "hello").rename(tree / "libexec" / "hello")
    (tree / "bin" / "lambda-executor-function").symlink_to(installed.folder / "bin" / "lambda-executor-function")
    assert installed.sh("./libexec/hello", tree) == HELLO


def test_linked_statically(installed: Prefix, tmp_path: Path) -> None:
    installed.sh(f"cc -static -s {MINIMAL} $(pkg-config --cflags --libs lambda_executor-static) -o hello", tmp_path)
    assert not needed(tmp_path / "hello")
    assert installed.sh("./hello", tmp_path, PATH=f"/usr/bin:/bin:{installed.folder}/bin") == HELLO


def test_in_a_folder_with_a_space(moved: Prefix, tmp_path: Path) -> None:
    # pkg-config's option for a tree that was moved. Its output is quoted for a shell.
    flags = "pkg-config --define-prefix --cflags --libs lambda_executor"
    moved.sh(f'eval "cc {MINIMAL} $({flags}) -o hello"', tmp_path)
    assert moved.sh("./hello", tmp_path, LD_LIBRARY_PATH=str(moved.libdir)) == HELLO
