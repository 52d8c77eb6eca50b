"""A program in Go that has the library in it."""

from pathlib import Path

from go_module import TOLD, go_environment, write_module
from prefix import Prefix


def test_go_build_with_the_tag_static(installed: Prefix, tmp_path: Path) -> None:
    write_module(tmp_path)
    installed.sh("go build -tags static", tmp_path, **go_environment())
    assert "lambda_executor" not in installed.sh("readelf --dynamic --wide hello", tmp_path)
    assert installed.sh("./hello", tmp_path, PATH=f"/usr/bin:/bin:{installed.folder}/bin") == TOLD
