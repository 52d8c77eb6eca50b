"""The files that tools/install.sh creates and removes. Their content does not matter here."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from header import FUNCTIONS, TYPES
from prefix import INSTALL, VERSION, Prefix, install, run_installer, uninstall
from servers import ROOT

HEADERS = sorted(path.name for path in (ROOT / "include").glob("*.h*"))
STATIC = {"lib/liblambda_executor.a", "lib/pkgconfig/lambda_executor-static.pc"}
FILES = {
    "bin/lambda-executor-function",
    "bin/lambda-executor-local",
    "lib/cmake/LambdaExecutor/LambdaExecutorConfig.cmake",
    "lib/cmake/LambdaExecutor/LambdaExecutorConfigVersion.cmake",
    "lib/liblambda_executor.so",
    "lib/liblambda_executor.so.1",
    f"lib/liblambda_executor.so.1.{VERSION}",
    "lib/pkgconfig/lambda_executor.pc",
    "share/doc/lambda-executor/LICENSE",
    "share/doc/lambda-executor/docs/c-api.md",
    "share/doc/lambda-executor/docs/configuration.md",
    "share/man/man1/lambda-executor-function.1",
    "share/man/man1/lambda-executor-local.1",
    "share/man/man3/lambda_executor.3",
    *(f"share/man/man3/{name}.3" for name in FUNCTIONS + TYPES),
    *(f"include/{name}" for name in HEADERS),
    *STATIC,
}


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A folder with all built files, empty except for the program."""
    folder = tmp_path / "build"
    folder.mkdir()
    for name in ("liblambda_executor.so", "liblambda_executor.a", "lambda-executor-local", "lambda-executor-function"):
        (folder / name).write_text(name)
    write_server(folder, VERSION)
    return folder


def write_server(build: Path, version: str) -> None:
    program = build / "lambda-executor-local"
    program.write_text(f"#!/bin/sh\necho lambda-executor-local {version}\n")
    program.chmod(0o755)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or path.is_file()}


def test_everything_is_installed_and_removed(build: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    (prefix / "lib").mkdir(parents=True)
    (prefix / "lib" / "libother.so").touch()
    for _ in range(2):  # over an older installation, too
        install(build, prefix)
        assert files(prefix) == FILES | {"lib/libother.so"}
    lib = prefix / "lib"
    assert (lib / "liblambda_executor.so").readlink() == Path("liblambda_executor.so.1")
    assert (lib / "liblambda_executor.so.1").readlink() == Path(f"liblambda_executor.so.1.{VERSION}")
    assert (lib / f"liblambda_executor.so.1.{VERSION}").read_text() == "liblambda_executor.so"
    modes = {path: (prefix / path).stat().st_mode & 0o777 for path in FILES}
    assert modes == {path: 0o755 if path.startswith("bin/") else 0o644 for path in FILES}
    uninstall(prefix)
    assert files(prefix) == {"lib/libother.so"}
    assert not (lib / "cmake" / "LambdaExecutor").exists()
    assert not (prefix / "share" / "doc" / "lambda-executor").exists()


def test_folders_can_be_chosen_one_by_one(build: Path, tmp_path: Path) -> None:
    folders = {"libdir": "l/multi", "includedir": "i", "bindir": "b", "mandir": "m", "docdir": "d"}
    options = [f"--{name}={tmp_path}/{folder}" for name, folder in folders.items()]
    install(build, tmp_path / "prefix", *options)
    assert not (tmp_path / "prefix").exists()
    moved = {"lib": "l/multi", "include": "i", "bin": "b", "share/man": "m", "share/doc/lambda-executor": "d"}
    expected = {
        next(f"{new}{file[len(old) :]}" for old, new in moved.items() if file.startswith(old)) for file in FILES
    }
    assert files(tmp_path) - files(build.parent / "build") >= expected
    uninstall(tmp_path / "prefix", *options)
    assert files(tmp_path) == {f"build/{name}" for name in files(build)}


def test_no_file_contains_destdir(build: Path, tmp_path: Path) -> None:
    # Not a folder of the system, since root runs this.
    stage, prefix = tmp_path / "stage", tmp_path / "usr"
    install(build, prefix, destdir=stage)
    assert not prefix.exists()
    staged = stage / prefix.relative_to("/")
    assert files(stage) == {str((staged / file).relative_to(stage)) for file in FILES}
    for file in FILES:
        assert str(stage) not in (staged / file).read_text(), file
    assert f"prefix={prefix}\n" in (staged / "lib/pkgconfig/lambda_executor.pc").read_text()
    uninstall(prefix, destdir=stage)
    assert files(stage) == set()


def test_a_relative_prefix_is_below_the_current_folder(build: Path, tmp_path: Path) -> None:
    install(build, "there", cwd=tmp_path)
    assert files(tmp_path / "there") == FILES
    assert f"prefix={tmp_path}/there\n" in (tmp_path / "there/lib/pkgconfig/lambda_executor.pc").read_text()


def test_ldconfig_is_run_for_folders_of_the_loader(build: Path, tmp_path: Path) -> None:
    # A fake ldconfig that lists one of our folders, and records when it is run to update its cache.
    lib, calls = tmp_path / "prefix" / "lib", tmp_path / "calls"
    fake = tmp_path / "bin" / "ldconfig"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\n[ "$*" = "-N -X -v" ] && echo "{lib}: (from a file)" || echo "$*" >>{calls}\n')
    fake.chmod(0o755)

    def run(*options: str, prefix: Path = tmp_path / "prefix", destdir: Path | None = None) -> str:
        path = f"{fake.parent}:{os.environ['PATH']}"
        return run_installer(f"--prefix={prefix}", *options, destdir=destdir, path=path)

    run(f"--from={build}", prefix=tmp_path / "elsewhere")
    run(f"--from={build}", destdir=tmp_path / "stage")
    assert not calls.exists()
    for count, option in enumerate((f"--from={build}", "--uninstall"), 1):
        printed = run(option)
        if os.geteuid() == 0:
            assert calls.read_text() == "\n" * count
        else:
            assert printed == "install: now run ldconfig as root, so that programs find the library\n"


def test_without_the_archive(build: Path, tmp_path: Path) -> None:
    (build / "liblambda_executor.a").unlink()
    with pytest.raises(subprocess.CalledProcessError) as failed:
        install(build, tmp_path / "prefix")
    assert f"there is no {build}/liblambda_executor.a" in failed.value.stderr
    assert not (tmp_path / "prefix").exists(), "nothing may be installed"
    install(build, tmp_path / "prefix", "--without-static")
    assert files(tmp_path / "prefix") == FILES - STATIC
    uninstall(tmp_path / "prefix")
    assert files(tmp_path / "prefix") == set()


def test_files_of_other_sources_are_not_installed(build: Path, tmp_path: Path) -> None:
    write_server(build, "0.0.9")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        install(build, tmp_path / "prefix")
    complaint = f"{build} has version 0.0.9, but these sources are {VERSION}; build it again (make build)"
    assert failed.value.stderr == f"install: {complaint}\n"
    (build / "lambda-executor-local").write_text("no program")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        install(build, tmp_path / "prefix")
    assert "lambda-executor-local does not print its version" in failed.value.stderr
    assert not (tmp_path / "prefix").exists(), "nothing may be installed"


@pytest.mark.parametrize("taken_away", [False, True])
def test_older_libraries_are_removed(build: Path, tmp_path: Path, taken_away: bool) -> None:
    lib = tmp_path / "prefix" / "lib"
    lib.mkdir(parents=True)
    others = ["liblambda_executor.so.0", "liblambda_executor.so.0.1.0", "liblambda_executor.so.10.0.2.0"]
    for name in ["liblambda_executor.so.1.0.1.9", "liblambda_executor.so.1.0.10.0", *others]:
        (lib / name).touch()
    if taken_away:
        uninstall(tmp_path / "prefix")
        assert files(lib) == set(others)
    else:
        install(build, tmp_path / "prefix")
        assert files(tmp_path / "prefix") == FILES | {f"lib/{name}" for name in others}


@pytest.mark.parametrize(
    ("folder", "way"), [("build/native", "make native"), ("build/portable", "make portable"), ("target", "make build")]
)
def test_how_to_build_what_is_missing(tmp_path: Path, folder: str, way: str) -> None:
    # A source tree without a build.
    tree = tmp_path / "tree"
    (tree / "tools").mkdir(parents=True)
    for name in ("Cargo.toml", "include", "packaging"):
        (tree / name).symlink_to(ROOT / name)
    shutil.copy(INSTALL, tree / "tools")
    done = subprocess.run(
        [tree / "tools" / "install.sh", "--from", folder, "--prefix", tmp_path / "prefix"],
        cwd=tree,
        capture_output=True,
        text=True,
    )
    missing = f"there is no {tree}/{folder}/liblambda_executor.so; build it first ({way})"
    assert (done.returncode, done.stderr) == (1, f"install: {missing}\n")


@pytest.mark.parametrize("name", ["a#b", "a$b", 'a"b', "a'b", "a\\b", "a\tb", "a\nb"])
@pytest.mark.parametrize("option", ["prefix", "libdir"])
def test_folders_with_invalid_names(build: Path, tmp_path: Path, option: str, name: str) -> None:
    options = [f"--prefix={tmp_path}/prefix", f"--{option}={tmp_path}/{name}"]
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run_installer(f"--from={build}", *options)
    assert failed.value.stderr.startswith(
        f"install: --{option} {tmp_path}/{name}: the name of a folder must not contain"
    )
    assert files(tmp_path) == {f"build/{name}" for name in files(build)}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "--prefix is missing"),
        (["--prefix=p"], "--from is missing"),
        (["--from=f", "--prefix"], "--prefix: a folder is missing"),
        (["--prefx=p"], "--prefx: no such option; see --help"),
    ],
)
def test_missing_arguments_are_reported(options: list[str], complaint: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run_installer(*options)
    assert failed.value.stderr == f"install: {complaint}\n"


def test_the_output_of_pkg_config(build: Path, tmp_path: Path) -> None:
    prefix = Prefix(tmp_path / "prefix")
    install(build, prefix.folder)

    def pkg_config(arguments: str) -> str:
        return prefix.sh(f"pkg-config {arguments}", tmp_path).strip()

    assert pkg_config("--modversion lambda_executor") == VERSION
    assert pkg_config("--variable=bindir lambda_executor") == f"{prefix.folder}/bin"
    assert pkg_config("--libs lambda_executor") == f"-L{prefix.libdir} -llambda_executor"
    assert pkg_config("--cflags lambda_executor") == f"-I{prefix.folder}/include"
    shared, static = pkg_config("--static --libs lambda_executor"), pkg_config("--libs lambda_executor-static")
    assert shared.replace("-llambda_executor", "-l:liblambda_executor.a") == static


def test_a_prefix_with_a_space(build: Path, tmp_path: Path) -> None:
    prefix = Prefix(tmp_path / "a prefix")
    install(build, prefix.folder)
    assert files(prefix.folder) == FILES
    flags = prefix.sh("pkg-config --cflags --libs lambda_executor", tmp_path)
    assert shlex.split(flags) == [f"-I{prefix.folder}/include", f"-L{prefix.libdir}", "-llambda_executor"]
    uninstall(prefix.folder)
    assert files(prefix.folder) == set()


def test_a_relocatable_tree(build: Path, tmp_path: Path) -> None:
    install(build, tmp_path / "before", "--relocatable")
    (tmp_path / "before").rename(tmp_path / "it is here")
    after = Prefix(tmp_path / "it is here")
    flags = shlex.split(after.sh("pkg-config --cflags --libs lambda_executor", tmp_path))
    assert [Path(flag[2:]).resolve() for flag in flags[:2]] == [after.folder / "include", after.libdir]
    for file in files(after.folder):
        assert str(tmp_path) not in (after.folder / file).read_text(), file
