"""An installation, and the environment in which a user builds and runs programs with it."""

import os
import re
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

from servers import PROGRAMS, ROOT

INSTALL = ROOT / "tools" / "install.sh"
MINIMAL = ROOT / "examples" / "c" / "minimal.c"
VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
# Output of minimal.c: a command has run in a process of the function program.
HELLO = "my first task: running \nmy first task: succeeded hello, world\n\n"
# A PATH without Rust and this repository.
PATH = "/usr/bin:/bin"


def install(source: Path, prefix: Path | str, *options: str, destdir: Path | None = None, cwd: Path = ROOT) -> None:
    """Installs the files of the folder `source`."""
    run_installer(f"--from={source}", f"--prefix={prefix}", *options, destdir=destdir, cwd=cwd)


def uninstall(prefix: Path | str, *options: str, destdir: Path | None = None) -> None:
    run_installer("--uninstall", f"--prefix={prefix}", *options, destdir=destdir)


def run_installer(*options: str, destdir: Path | None = None, cwd: Path = ROOT, path: str | None = None) -> str:
    """Output of the command. Raises `CalledProcessError` with its error output if it fails."""
    arguments = [part for option in options for part in option.split("=", 1)]
    environment = {**os.environ, "DESTDIR": str(destdir or ""), "PATH": path or os.environ["PATH"]}
    done = subprocess.run(
        [INSTALL, *arguments], cwd=cwd, env=environment, check=True, capture_output=True, text=True, timeout=120
    )
    return done.stdout


@dataclass(frozen=True)
class Prefix:
    """A prefix in which the library is installed."""

    folder: Path

    @property
    def libdir(self) -> Path:
        return self.folder / "lib"

    def environment(self, **more: str) -> dict[str, str]:
        """Environment of a user who builds against it. Its programs are not on PATH."""
        return {
            "PATH": PATH,
            "LC_ALL": "C.UTF-8",
            "PKG_CONFIG_PATH": str(self.libdir / "pkgconfig"),
            **more,
        }

    def sh(self, script: str, cwd: Path, **more: str) -> str:
        """Output of a script that such a user runs in the folder `cwd`. It must succeed."""
        done = subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=cwd,
            # Tools such as Go keep files in the home folder.
            env={"HOME": str(cwd), **self.environment(**more)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, f"{script}\nexit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout


def debug_build(prefix: Path) -> Prefix:
    """An installation of cargo's debug build."""
    install(PROGRAMS, prefix)
    return Prefix(prefix)


def copy_of(prefix: Prefix, folder: Path) -> Prefix:
    """The same files in another folder, as hard links to avoid a copy of half a gigabyte."""

    def link(source: str, destination: str) -> None:
        Path(destination).hardlink_to(source)

    shutil.copytree(prefix.folder, folder, symlinks=True, copy_function=link)
    return Prefix(folder)


def needed(program: Path) -> set[str]:
    headers = subprocess.run(
        ["readelf", "--dynamic", "--wide", program], check=True, capture_output=True, text=True
    ).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.+)\]", headers))
