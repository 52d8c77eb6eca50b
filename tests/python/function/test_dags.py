"""Dags from S3, with moto as S3: moto records the function's requests."""

import json
import os
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import servers

from .conftest import Function, Start

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "dags-of-the-team"
# The same file names occur in several folders: only the path differs.
FILES = {f"team/dags/a{n % 10}/b{n % 7}/dag_{n // 70}.py": f"content of {n}\n" for n in range(500)}
# The lines of `sha256sum`, as one digest.
LOOK = "cd $AIRFLOW__CORE__DAGS_FOLDER && find . -type f | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum"


@pytest.fixture(scope="module")
def moto() -> Iterator[servers.Server]:
    with servers.moto() as server:
        yield server


@pytest.fixture
def s3(moto: servers.Server) -> Iterator["S3Client"]:
    client = moto.s3()
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="team/dags-old/a0/dag.py", Body=b"of another prefix")
    client.put_object(Bucket=BUCKET, Key="team/dags/a0/", Body=b"")
    yield client
    post(moto, "reset")


def post(moto: servers.Server, what: str) -> None:
    servers.ask(urllib.request.Request(f"{moto.endpoint_url}/moto-api/{what}", method="POST"))


class Recorder:
    """The requests that moto recorded."""

    def __init__(self, server: servers.Server) -> None:
        self.server = server

    def fetched(self) -> list[str]:
        """Keys of the objects that were fetched since the last call, in order of their names."""
        return sorted(path for path in self._since() if path)

    def _since(self) -> list[str]:
        lines = servers.ask(f"{self.server.endpoint_url}/moto-api/recorder/download-recording").decode().splitlines()
        post(self.server, "recorder/reset-recording")
        requests = [json.loads(line) for line in lines]
        paths = [urllib.parse.urlsplit(request["url"]).path for request in requests if request["method"] == "GET"]
        return [path.removeprefix(f"/{BUCKET}").strip("/") for path in paths]


@pytest.fixture
def recorder(moto: servers.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    from moto.moto_api import recorder

    # Otherwise it writes to the current folder.
    monkeypatch.setattr(recorder, "_location", str(tmp_path / "recording"))
    post(moto, "recorder/start-recording")
    yield Recorder(moto)
    post(moto, "recorder/stop-recording")


def looked(function: Function) -> str:
    final = function.run_one(LOOK)
    assert final["state"] == "succeeded", final
    return str(final["output_tail"]).split()[0]


def expected(files: dict[str, str], folder: Path) -> str:
    """The digest of LOOK for files written here."""
    for key, content in files.items():
        path = folder / key.removeprefix("team/dags/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    environment = {**os.environ, "AIRFLOW__CORE__DAGS_FOLDER": str(folder)}
    return subprocess.run(LOOK, shell=True, env=environment, check=True, capture_output=True, text=True).stdout.split()[
        0
    ]


def test_only_what_changed_is_fetched(
    start: Start, moto: servers.Server, s3: "S3Client", recorder: Recorder, tmp_path: Path
) -> None:
    """E5: 500 files in nested folders. A second run downloads nothing, a third only changes, and removes old files."""
    environment = {"S3_URI": f"s3://{BUCKET}/team/dags", "AWS_ENDPOINT_URL_S3": moto.endpoint_url}
    # One sandbox: a second one would have its own folder.
    function = start(environment, concurrency=1)
    assert len(FILES) == 500
    for key, content in FILES.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=content.encode())
    recorder.fetched()
    assert looked(function) == expected(FILES, tmp_path / "first")
    assert recorder.fetched() == sorted(FILES)
    assert looked(function) == expected(FILES, tmp_path / "second")
    assert recorder.fetched() == []

    files = dict(FILES)
    changed, same_size, gone, *_ = sorted(FILES)
    files[changed] = "longer than before: " + files[changed]
    files[same_size] = files[same_size].upper()
    files["team/dags/new/one.py"] = "new"
    for key in (changed, same_size, "team/dags/new/one.py"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=files[key].encode())
    a_folder = [key for key in files if key.startswith("team/dags/a9/")]
    for key in [gone, *a_folder]:
        del files[key]
        s3.delete_object(Bucket=BUCKET, Key=key)
    recorder.fetched()
    assert looked(function) == expected(files, tmp_path / "third")
    assert recorder.fetched() == sorted([changed, same_size, "team/dags/new/one.py"])
    final = function.run_one("ls $AIRFLOW__CORE__DAGS_FOLDER")
    assert final["output_tail"].split() == [*(f"a{n}" for n in range(9)), "new"]


@pytest.mark.parametrize(
    ("uri", "more", "expected"),
    [
        ("s3://no-such-bucket/dags", {}, "NoSuchBucket"),
        (f"s3://{BUCKET}/nothing", {}, f"there is no object below s3://{BUCKET}/nothing"),
        (f"s3://{BUCKET}/team/dags", {"LAMBDA_EXECUTOR_S3_MAX_BYTES": "1000"}, "more than 1000 bytes"),
        (f"s3://{BUCKET}/team/dags", {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, "cannot be listed"),
    ],
)
def test_a_task_without_its_dags_fails_with_the_reason(
    start: Start, moto: servers.Server, s3: "S3Client", uri: str, more: dict[str, str], expected: str
) -> None:
    """E5: the host receives the reason, and nothing runs."""
    s3.put_object(Bucket=BUCKET, Key="team/dags/dag.py", Body=b"x" * 1001)
    function = start({"AWS_ENDPOINT_URL_S3": moto.endpoint_url, "S3_URI": uri, **more})
    final: dict[str, Any] = function.run_one(["touch", "ran"])
    assert (final["state"], final["reason"], final["return_code"]) == ("failed", "setup_failed", 126)
    assert expected in final["output_tail"], final
    assert not function.path("ran").exists()
