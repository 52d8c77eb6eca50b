"""The search for folders of this machine in shipped files finds those that are there."""

from pathlib import Path

from artefacts import FOLDERS, folders_in
from prefix import Prefix


def test_a_debug_build_names_the_folder_of_its_sources(installed: Prefix) -> None:
    for file in (installed.libdir / "liblambda_executor.so", installed.folder / "bin" / "lambda-executor-function"):
        found = folders_in(file.read_bytes())
        assert str(FOLDERS[0]) in found or str(Path.home() / ".cargo") in found, file


def test_each_folder_is_found() -> None:
    text = b"panicked at %s/src/lib.rs"
    assert [folders_in(text % str(folder).encode()) for folder in FOLDERS] == [[str(folder)] for folder in FOLDERS]
    assert folders_in(b"panicked at /build/src/lib.rs") == []
