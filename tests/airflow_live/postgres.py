"""A PostgreSQL server of its own on a loopback port, for one Airflow."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import servers

# Nothing here has to survive a power failure, and the machine's disk is shared.
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
NAME = "airflow"


@dataclass(frozen=True)
class Database:
    port: int
    password: str
    programs: Path

    @property
    def url(self) -> str:
        """As SQLAlchemy reads it."""
        return f"postgresql+psycopg2://{NAME}:{self.password}@127.0.0.1:{self.port}/{NAME}"

    def query(self, statement: str) -> list[list[str]]:
        """Rows as text; NULL is the empty string."""
        answer = subprocess.run(
            [self.programs / "psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1"]
            + ["-h", "127.0.0.1", "-p", str(self.port), "-U", NAME, "-d", NAME, "-c", statement],
            env={**servers.clean_environment(), "PGPASSWORD": self.password},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        text = answer.stdout.removesuffix("\n")
        return [row.split("\x1f") for row in text.split("\x1e")] if text else []


def programs() -> Path:
    """Folder of initdb, postgres and psql. Debian keeps them out of PATH, one folder for each version."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    assert versions, "PostgreSQL is not installed: tools/setup.sh installs it"
    return versions[-1].parent


@contextmanager
def postgres() -> Iterator[Database]:
    """The server ends with the block, and its files are removed."""
    # Below the system's temporary folder: the folders of pytest are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="lambda-executor-postgres-"))
    try:
        # PostgreSQL refuses to run as root.
        user = None
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
        with _server(folder, user) as database:
            yield database
    finally:
        shutil.rmtree(folder)


@contextmanager
def _server(folder: Path, user: pwd.struct_passwd | None) -> Iterator[Database]:
    database = Database(servers.free_port(), secrets.token_hex(16), programs())
    password_file, data = folder / "password", folder / "data"
    password_file.write_text(database.password)
    if user:
        os.chown(password_file, user.pw_uid, user.pw_gid)
    subprocess.run(
        [database.programs / "initdb", "-D", data, "-U", NAME, "-A", "scram-sha-256", "--pwfile", password_file]
        + ["-E", "UTF8", "--locale", "C", "--no-sync"],
        user=user and user.pw_uid,
        group=user and user.pw_gid,
        extra_groups=[] if user else None,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    arguments = [str(database.programs / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(database.port)]
    arguments += ["-k", ""] + [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            arguments,
            user=user and user.pw_uid,
            group=user and user.pw_gid,
            extra_groups=[] if user else None,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:

        def ready() -> bool | None:
            assert process.poll() is None, (folder / "log").read_text()
            return (
                subprocess.run(
                    [database.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(database.port)], check=False
                ).returncode
                == 0
                or None
            )

        servers.until("PostgreSQL answers", ready, 60)
        subprocess.run(
            [database.programs / "createdb", "-h", "127.0.0.1", "-p", str(database.port), "-U", NAME, NAME],
            env={**servers.clean_environment(), "PGPASSWORD": database.password},
            check=True,
        )
        yield database
    finally:
        # The "immediate" shutdown: without a checkpoint, and without waiting for clients.
        process.send_signal(3)
        process.wait(30)
