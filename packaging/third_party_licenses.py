"""Prints the licences of all packages whose code is in shipped files: each text once, with its packages.

Needs only the standard library, so that it runs on every build machine. cargo must have the sources, as after a build.
"""

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = ("lambda-executor", "lambda-executor-local", "lambda-executor-function")
TARGET = "x86_64-unknown-linux-gnu"
RUST = "Rust's standard library: MIT OR Apache-2.0, https://github.com/rust-lang/rust"


def cargo(*arguments: str) -> str:
    command = ["cargo", *arguments, "--locked", "--offline"]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def shipped() -> set[tuple[str, str]]:
    """Name and version of every package that is linked in, without packages for builds and tests."""
    packages = [part for name in OURS for part in ("-p", name)]
    tree = cargo("tree", *packages, "--edges=normal", "--prefix=none", "--format={p}", f"--target={TARGET}")
    found = {tuple(line.split()[:2]) for line in tree.splitlines() if line}
    return {(name, version.removeprefix("v")) for name, version in found if name not in OURS}


def texts(folder: Path) -> list[str]:
    """Contents of the licence files of a package."""
    named = re.compile(r"(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|UNLICENSE)", re.IGNORECASE)
    files = sorted(path for path in folder.iterdir() if path.is_file() and named.match(path.name))
    return [path.read_text(errors="replace").strip() for path in files]


def main() -> None:
    wanted = shipped()
    metadata = json.loads(cargo("metadata", "--format-version=1", f"--filter-platform={TARGET}"))
    packages = [package for package in metadata["packages"] if (package["name"], package["version"]) in wanted]
    assert len(packages) == len(wanted), "cargo's tree and its metadata differ"
    by_text: dict[str, tuple[str, list[str]]] = {}
    for package in sorted(packages, key=lambda package: (package["name"], package["version"])):
        title = f"{package['name']} {package['version']}"
        for text in texts(Path(package["manifest_path"]).parent):
            # Texts that differ only in line breaks are equal.
            by_text.setdefault(" ".join(text.split()), (text, []))[1].append(title)
    print("Third-party code in the library and the programs of lambda-executor.\n")
    print(f"  {RUST}")
    for package in packages:
        print(f"  {package['name']} {package['version']}: {package['license']}, {package['repository'] or 'crates.io'}")
    for text, titles in by_text.values():
        print(f"\n{'=' * 78}\n{', '.join(titles)}\n{'-' * 78}\n\n{text}")


if __name__ == "__main__":
    main()
