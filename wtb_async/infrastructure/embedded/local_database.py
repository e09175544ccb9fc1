"""The database of a bench that runs in one process."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

import psycopg

from wtb_async.infrastructure.embedded.errors import StackAlreadyRunning, StackError
from wtb_async.infrastructure.embedded.layout import DataDirectory
from wtb_async.infrastructure.embedded.orphans import outlast_orphaned_postgres
from wtb_async.infrastructure.embedded.record import find_stack
from wtb_async.infrastructure.embedded.standalone import embedded_services

_BENCH_LOCK = 0x77746262
"""Key of the advisory lock that the bench of a given database holds."""

_PATIENCE = "2s"
"""Postgres needs a moment to notice that a process, and its lock with it, is gone."""


class BenchAlreadyOpen(StackError):
    """Another bench works on the same data."""

    code = "bench_open"

    def __init__(self, where: object) -> None:
        super().__init__(
            f"a bench is open on {where} already, in this process or another one; close it, or "
            "open this one on another data_dir"
        )


@contextlib.contextmanager
def local_database(data_dir: Path, given_url: str | None) -> Iterator[str]:
    """The address of a database that nobody else executes runs of, until the end of the block.

    Args:
        data_dir: where the database is kept, unless there is one already.
        given_url: of one that there is.

    Raises:
        BenchAlreadyOpen: somebody else works on it.
        StackAlreadyRunning: the data directory has a stack that runs.
    """
    if given_url:
        with _locked_database(given_url):
            yield given_url
        return
    data = DataDirectory.at(data_dir)
    data.create()
    with _locked_folder(data):
        if find_stack(data.path):
            raise StackAlreadyRunning(data.path)
        outlast_orphaned_postgres(data.postgres)
        with embedded_services(data.path, redis=False) as services:
            yield services.database_url


@contextlib.contextmanager
def _locked_folder(data: DataDirectory) -> Iterator[None]:
    with (data.run / "bench.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BenchAlreadyOpen(data.path) from error
        yield


@contextlib.contextmanager
def _locked_database(url: str) -> Iterator[None]:
    """Hold a session's lock, which the database itself ends with this process."""
    try:
        connection = psycopg.connect(url, autocommit=True, application_name="wtb-local-lock")
    except psycopg.OperationalError as error:
        raise StackError(f"the database of WTB_DATABASE_URL does not answer: {error}") from error
    with contextlib.closing(connection):
        try:
            connection.execute(f"SET lock_timeout = '{_PATIENCE}'")
            connection.execute("SELECT pg_advisory_lock(%s)", [_BENCH_LOCK])
        except psycopg.errors.LockNotAvailable as error:
            raise BenchAlreadyOpen("the database of WTB_DATABASE_URL") from error
        yield
