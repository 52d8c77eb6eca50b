"""A program in Go that is linked with the static library."""

from pathlib import Path

from go_module import PRINTED, go_environment, write_module
from prefix import Prefix


def test_go_build_with_the_tag_static(shipped: Prefix, tmp_path: Path) -> None:
    write_module(tmp_path)
    shipped.sh("go build -tags static", tmp_path, **go_environment(shipped))
    assert "lambda_executor" not in shipped.sh("readelf --dynamic --wide hello", tmp_path)
    assert shipped.sh("./hello", tmp_path, PATH=f"/usr/bin:/bin:{shipped.folder}/bin") == PRINTED
