"""function/Dockerfile.plain: commands without Python."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import images
import pytest
import sandbox
from servers import ROOT

PROGRAM = {"program": ROOT / "build" / "image-program"}
DOCKERFILE = "function/Dockerfile.plain"


@pytest.fixture(scope="module")
def image(store: images.Store, tmp_path_factory: pytest.TempPathFactory) -> images.Image:
    project = tmp_path_factory.mktemp("plain-project")
    (project / "data").mkdir()
    (project / "data" / "numbers").write_text("1\n2\n3\n")
    script = project / "sum.sh"
    script.write_text("#!/bin/sh\nsum=0; while read -r n; do sum=$((sum + n)); done <data/numbers; echo $sum\n")
    script.chmod(0o700)
    return store.build(
        DOCKERFILE, "plain", contexts={**PROGRAM, "project": project}, S3_URI="s3://bucket/files", SYSTEM_PACKAGES="jq"
    )


@pytest.fixture(scope="module")
def function(image: images.Image, workplace: Path) -> Iterator[sandbox.Function]:
    # The bucket does not exist; other tests cover S3.
    image = replace(image, environment={**image.environment, "S3_URI": ""})
    with sandbox.function(image, workplace / "plain") as function:
        yield function


def test_a_command_runs(function: sandbox.Function) -> None:
    result = function.run(["echo", "hello"])
    assert (result["return_code"], result["reason"], result["output_tail"]) == (0, "exit", "hello\n")
    assert function.run("exit 3")["return_code"] == 3


def test_the_project_is_where_commands_start(function: sandbox.Function) -> None:
    assert function.output("pwd; ./sum.sh") == "/var/task\n6"


def test_only_home_is_writable(function: sandbox.Function) -> None:
    assert (
        function.output('id -u; echo kept >"$HOME/file"; echo $HOME; cat "$HOME/file"')
        == f"{sandbox.USER}\n/tmp/home\nkept"
    )
    for place in ("/var/task/new", "/var/task/sum.sh", "/usr/local/bin/new"):
        assert function.run(f"echo x >>{place}")["return_code"] != 0, place


def test_packages_are_installed_and_certificates_added(image: images.Image, function: sandbox.Function) -> None:
    assert function.output("echo '{\"a\": 5}' | jq .a") == "5"
    assert (image.root / "etc/ssl/certs/ca-certificates.crt").stat().st_size > 0
    assert list((image.root / "var/lib/apt/lists").iterdir()) == []


def test_the_build_argument_sets_s3_uri(image: images.Image) -> None:
    assert image.environment["S3_URI"] == "s3://bucket/files"


def test_without_a_project_the_folder_is_empty(store: images.Store) -> None:
    image = store.build(DOCKERFILE, "plain", contexts=PROGRAM)
    assert list((image.root / "var/task").iterdir()) == []
    assert image.environment["S3_URI"] == ""


def test_a_base_that_cannot_run_the_program_is_refused(store: images.Store, tmp_path: Path) -> None:
    program = tmp_path / "lambda-executor-function"
    program.write_bytes(b"\x7fELF, but of another machine")
    with pytest.raises(images.BuildError, match="check_program: this base cannot run the program, which needs x86_64"):
        store.build(DOCKERFILE, "plain", contexts={"program": tmp_path})
