"""A separate PostgreSQL server on a loopback port, for one Airflow."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import servers

# The data does not need to survive a power failure.
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
NAME = "airflow"
# Separators of columns and rows in answers; Airflow's texts contain neither.
COLUMN, ROW = "\x1f", "\x1e"


@dataclass(frozen=True)
class Database:
    port: int
    password: str
    programs: Path

    @property
    def url(self) -> str:
        """The URL for SQLAlchemy."""
        return f"postgresql+psycopg2://{NAME}:{self.password}@127.0.0.1:{self.port}/{NAME}"

    def query(self, statement: str) -> list[list[str]]:
        """Rows as text; NULL is the empty string."""
        form = f"--no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --dbname={NAME}".split()
        answer = self.client("psql", *form, f"--field-separator={COLUMN}", f"--record-separator={ROW}", "-c", statement)
        assert answer.returncode == 0, answer.stderr
        text = answer.stdout.removesuffix("\n")
        return [row.split(COLUMN) for row in text.split(ROW)] if text else []

    def client(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs one of PostgreSQL's client programs against this server."""
        return subprocess.run(
            [self.programs / program, "--host=127.0.0.1", f"--port={self.port}", f"--username={NAME}", *arguments],
            env={**servers.clean_environment(), "PGPASSWORD": self.password},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


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
    """Starts the server. It ends with the block, and its files are removed."""
    # Below the system's temporary folder: the folders of pytest are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="lambda-executor-postgres-"))
    # PostgreSQL refuses to run as root.
    user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
    as_user: dict[str, Any] = {"cwd": folder, "stdin": subprocess.DEVNULL}
    if user:
        as_user |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    try:
        database = Database(servers.free_port(), secrets.token_hex(16), programs())
        password_file = folder / "password"
        password_file.write_text(database.password)
        if user:
            for path in (folder, password_file):
                os.chown(path, user.pw_uid, user.pw_gid)
        with _server(folder, database, as_user):
            yield database
    finally:
        shutil.rmtree(folder)


@contextmanager
def _server(folder: Path, database: Database, as_user: dict[str, Any]) -> Iterator[None]:
    data, log = folder / "data", folder / "log"
    form = f"--auth=scram-sha-256 --pwfile={folder / 'password'} --encoding=UTF8 --locale=C --no-sync".split()
    initdb = [str(database.programs / "initdb"), f"--pgdata={data}", f"--username={NAME}", *form]
    subprocess.run(initdb, stdout=subprocess.DEVNULL, check=True, **as_user)
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
    where = ["-D", str(data), "-h", "127.0.0.1", "-p", str(database.port), "-k", ""]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [database.programs / "postgres", *where, *settings], stdout=output, stderr=subprocess.STDOUT, **as_user
        )
    try:

        def ready() -> bool | None:
            assert process.poll() is None, log.read_text()
            return database.client("pg_isready", "--quiet").returncode == 0 or None

        servers.until("PostgreSQL answers", ready, 120)
        created = database.client("createdb", NAME)
        assert created.returncode == 0, created.stderr
        yield
    finally:
        # The "immediate" shutdown: without a checkpoint, and without waiting for clients.
        process.send_signal(signal.SIGQUIT)
        process.wait(60)
