"""function/Dockerfile without Airflow: Python, packages and Dags. With Airflow: whole/test_airflow.py."""

from collections.abc import Iterator
from pathlib import Path

import images
import pytest
import sandbox
from servers import ROOT

PROGRAM = {"program": ROOT / "build" / "image-program"}
DOCKERFILE = "function/Dockerfile"


@pytest.fixture(scope="module")
def image(store: images.Store, tmp_path_factory: pytest.TempPathFactory) -> images.Image:
    project = tmp_path_factory.mktemp("python-project")
    (project / "requirements.txt").write_text("tabulate\n")
    (project / "constraints.txt").write_text("tabulate==0.9.0\n")
    (project / "dags" / "team").mkdir(parents=True)
    (project / "dags" / "team" / "report.py").write_text("TABLE = [[1, 2]]\n")
    (project / "dags" / "team" / "report.py").chmod(0o600)
    (project / "secrets").write_text("not for the image\n")
    return store.build(DOCKERFILE, "python", contexts={**PROGRAM, "project": project}, AIRFLOW_VERSION="")


@pytest.fixture(scope="module")
def function(image: images.Image, workplace: Path) -> Iterator[sandbox.Function]:
    with sandbox.function(image, workplace / "python") as function:
        yield function


def test_python_has_the_packages_as_constrained(function: sandbox.Function) -> None:
    printed = function.output(["python", "-c", "import sys, tabulate; print(sys.prefix, tabulate.__version__)"])
    assert printed == "/opt/venv 0.9.0"


def test_an_image_on_top_installs_into_the_same_environment(function: sandbox.Function) -> None:
    assert "/opt/venv/" in function.output(["pip", "--version"])


def test_dags_are_where_airflow_looks_for_them(function: sandbox.Function) -> None:
    read = 'cd "$AIRFLOW__CORE__DAGS_FOLDER" && pwd && ls && cat team/report.py'
    assert function.output(read) == "/var/task/dags\nteam\nTABLE = [[1, 2]]"


def test_homes_can_be_written_to(function: sandbox.Function) -> None:
    write = 'id -u; for home in "$HOME" "$AIRFLOW_HOME"; do echo kept >"$home/file"; echo $home; cat "$home/file"; done'
    assert function.output(write).split() == [str(sandbox.USER), "/tmp/home", "kept", "/tmp/airflow", "kept"]


def test_the_image_has_only_the_requested_files(image: images.Image) -> None:
    assert [path.name for path in (image.root / "var/task").iterdir()] == ["dags"]
    assert list(image.root.rglob("secrets")) == []
    # Files of the build are removed.
    assert [
        path
        for name in ("image", "project", "constraints", "requirements")
        for path in (image.root / "tmp").glob(f"{name}/*")
    ] == []
    assert not (image.root / "parts").exists()


def test_a_base_without_python_is_refused(store: images.Store) -> None:
    with pytest.raises(
        images.BuildError, match=r"install_airflow: no python3 in this base: .* or use Dockerfile\.plain"
    ):
        store.build(DOCKERFILE, "plain", contexts=PROGRAM)
