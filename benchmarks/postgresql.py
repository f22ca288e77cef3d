"""A PostgreSQL of one's own: on a socket in a temporary folder, gone when its block ends."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MISSING = "needs PostgreSQL's initdb and pg_ctl (Debian: postgresql) and psycopg2-binary"


def _program(name: str) -> str | None:
    # NOTE: Debian keeps the server's programs off the PATH, in a folder by version.
    packaged = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(packaged[-1]) if packaged else None)


def installed() -> bool:
    """Whether this machine has PostgreSQL's server, its user where we are root, and its driver for Python."""
    if os.geteuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        return False
    return None not in (_program("initdb"), _program("pg_ctl"), importlib.util.find_spec("psycopg2"))


@dataclass(frozen=True)
class Server:
    """A cluster in a folder; ``stop`` and ``start`` take it away for a while."""

    folder: Path

    def database(self) -> str:
        """The URL of a new, empty database."""
        from sqlalchemy import create_engine

        name = f"d{uuid.uuid4().hex}"
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg2://ecluse@/{name}?host={self.folder}"

    def start(self) -> None:
        settings = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log"), "-o", settings, "start"
        )

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")

    def initialise(self) -> None:
        self._run(
            "initdb", "-D", str(self.folder / "data"), "-U", "ecluse", "-A", "trust", "-N", "--no-locale", "-E", "UTF8"
        )

    def _run(self, name: str, *arguments: str) -> None:
        program = _program(name)
        assert program is not None, MISSING
        # NOTE: PostgreSQL refuses to run as root, which containers often are.
        user = {"user": "postgres"} if os.geteuid() == 0 else {}
        subprocess.run([program, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **user)


@contextmanager
def server() -> Iterator[Server]:
    """A running server."""
    folder = Path(tempfile.mkdtemp(prefix="ecluse-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    made = Server(folder)
    made.initialise()
    made.start()
    try:
        yield made
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            made.stop()
        shutil.rmtree(folder, ignore_errors=True)
