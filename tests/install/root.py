"""A minimal system of this machine's distribution in a folder. Commands run in it with chroot."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import images


@dataclass(frozen=True)
class Root:
    folder: Path

    def sh(self, script: str) -> str:
        """Output of a script in the system. Its /proc and /dev end with it."""
        inside = (
            f"set -e; mount -t proc proc {self.folder}/proc; mount --rbind /dev {self.folder}/dev; "
            f'exec chroot {self.folder} /bin/sh -eu -c "$1"'
        )
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", inside, "sh", script],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, f"{script}\nexit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout


def make_root(folder: Path) -> Root:
    """The smallest system with a C compiler, CMake and pkg-config."""
    tar = images.base_tar("compiler", ["gcc", "libc6-dev", "pkg-config", "cmake", "make"])
    folder.mkdir()
    subprocess.run(["tar", "-xf", tar, "-C", folder, "--exclude=./dev/*"], check=True)
    return Root(folder)
