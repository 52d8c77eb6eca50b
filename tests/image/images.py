"""Images built from function/Dockerfile* with buildah, which needs no engine: each step runs with chroot, and all files
are below one folder. No image registry is used: the bases are made from packages of this machine's distribution."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from servers import ROOT, clean_environment

ROOTS = ROOT / "build" / "roots"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PIP_CONFIG = Path("/etc/pip.conf")
# Environment of the base images that Lambda offers.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """An image as a folder, with the settings of its Dockerfile for the start."""

    root: Path
    environment: dict[str, str]
    entry_point: list[str]
    working_directory: str


class BuildError(Exception):
    """A failed build; the text is its output."""


class Store:
    """Images in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._write("storage.conf", f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/g"\nrunroot = "{folder}/r"\n')
        self._write("policy.json", '{"default": [{"type": "insecureAcceptAnything"}]}')
        self._write("registries.conf", "unqualified-search-registries = []\n")

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def buildah(self, *arguments: str, cwd: Path = ROOT) -> str:
        """Output of buildah. Raises `BuildError` with all output if it fails."""
        environment = {
            **clean_environment(),
            "BUILDAH_ISOLATION": "chroot",
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(self.folder / "registries.conf"),
            "TMPDIR": str(self.folder),
        }
        done = subprocess.run(
            ["buildah", *arguments],
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise BuildError(f"buildah {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def add_base(self, name: str, tar: Path, *, certificates: bool, local: Path | None = None) -> None:
        """An image from a root in a tar file. With `certificates` it has this machine's CA certificates and package
        index for Python. `bin` and `lib` of `local` are in /usr/local."""
        container = self.buildah("from", "scratch")
        self.buildah("add", "--quiet", container, str(tar), "/")
        if certificates:
            self.buildah("copy", "--quiet", container, str(CERTIFICATES.resolve()), str(CERTIFICATES))
            if PIP_CONFIG.exists():
                self.buildah("copy", "--quiet", container, str(PIP_CONFIG.resolve()), str(PIP_CONFIG))
        if local is not None:
            for part in ("bin", "lib"):
                self.buildah("copy", "--quiet", container, str(local / part), f"/usr/local/{part}")
        self.buildah("config", "--env", f"PATH={PATH}", container)
        self.buildah("commit", "--quiet", "--rm", "--signature-policy", self._policy, container, f"localhost/{name}")

    @property
    def _policy(self) -> str:
        return str(self.folder / "policy.json")

    def build(
        self, dockerfile: str, base: str, *, contexts: dict[str, Path], source: Path = ROOT, **arguments: str
    ) -> Image:
        """Builds `dockerfile` of the clone `source` on the base of that name, with further build contexts and build
        arguments."""
        identifier_file = self.folder / "image-id"
        given = {"BASE_IMAGE": f"localhost/{base}", **arguments}
        self.buildah(
            "build",
            "--isolation=chroot",
            "--pull-never",
            "--signature-policy",
            self._policy,
            "--iidfile",
            str(identifier_file),
            *(f"--build-context={name}={path}" for name, path in contexts.items()),
            *(f"--build-arg={name}={value}" for name, value in given.items()),
            "--file",
            dockerfile,
            ".",
            cwd=source,
        )
        container = self.buildah(
            "from", "--pull-never", "--signature-policy", self._policy, identifier_file.read_text()
        )
        config = json.loads(self.buildah("inspect", container))["OCIv1"]["config"]
        root = Path(self.buildah("mount", container))
        for parent in root.parents:  # buildah closes its folders to all users but its own
            if self.folder in parent.parents:
                parent.chmod(0o755)
        return Image(
            root,
            dict(variable.split("=", 1) for variable in config["Env"]),
            config["Entrypoint"],
            config["WorkingDir"],
        )


def package_sources() -> str:
    """The package sources of this machine's distribution, in the form of sources.list."""
    origin = next(
        line.removeprefix("ID=").strip().capitalize()
        for line in Path("/etc/os-release").read_text().splitlines()
        if line.startswith("ID=")
    )
    targets = ["apt-get", "indextargets", "--format", "deb $(REPO_URI) $(CODENAME) $(COMPONENT)"]
    asked = [*targets, f"Origin: {origin}", "Created-By: Packages"]
    for update in (False, True):
        if update:  # apt-get has no origins before its first update
            subprocess.run(["apt-get", "update", "-qq"], check=True)
        listed = subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True).stdout
        if listed:
            break
    assert listed, f"the images are tested on Debian and Ubuntu, and apt-get has no sources of {origin}"
    return "".join(f"{line}\n" for line in sorted(set(listed.splitlines())))


def base_tar(name: str, packages: list[str]) -> Path:
    """The smallest root of this machine's distribution with `packages`. It is cached, and rebuilt when its inputs
    change."""
    tar, stamp = ROOTS / f"{name}.tar", ROOTS / f"{name}.stamp"
    sources = package_sources()
    made_from = f"{sources}{' '.join(packages)}\n"
    if not (tar.exists() and stamp.exists() and stamp.read_text() == made_from):
        ROOTS.mkdir(parents=True, exist_ok=True)
        stamp.unlink(missing_ok=True)
        include = [f"--include={','.join(packages)}"] if packages else []
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", *include, "", str(tar), "-"],
            check=True,
            input=sources,
            text=True,
        )
        stamp.write_text(made_from)
    return tar
