"""For users without Rust: the image compiles the program from a clone."""

import subprocess
from pathlib import Path

import images
import sandbox
from servers import ROOT

# Environment of Rust's own image. Here the toolchain is this machine's.
PACKAGES = ["gcc", "libc6-dev", "python3", "ca-certificates"]


def test_the_program_is_compiled_from_a_clone(store: images.Store, workplace: Path, tmp_path: Path) -> None:
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], check=True, stdout=subprocess.PIPE, text=True).stdout
    store.add_base("rust", images.base_tar("rust", PACKAGES), certificates=True, local=Path(sysroot.strip()))
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    image = store.build("function/Dockerfile.plain", "plain", contexts={}, source=clone, RUST_IMAGE="localhost/rust")
    with sandbox.function(image, workplace / "source") as function:
        assert function.output("pwd; echo $HOME") == "/var/task\n/tmp/home"
    assert not (image.root / "source").exists()
