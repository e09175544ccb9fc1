"""Only Postgres and Redis, for tests and for work in one process."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wtb_async.infrastructure.embedded.credentials import Credentials
from wtb_async.infrastructure.embedded.errors import PartFailed
from wtb_async.infrastructure.embedded.guarded_process import GuardedProcess
from wtb_async.infrastructure.embedded.layout import DataDirectory
from wtb_async.infrastructure.embedded.logs import last_lines
from wtb_async.infrastructure.embedded.parts import PartSpec
from wtb_async.infrastructure.embedded.postgres import PostgresServer
from wtb_async.infrastructure.embedded.redis import RedisServer

_READY_SECONDS = 30.0
_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class EmbeddedServices:
    """Where the servers are."""

    database_url: str = field(repr=False)
    """`postgresql://` address of the database `wtb`, whose user may create further databases."""
    redis_url: str | None = field(repr=False)


@contextlib.contextmanager
def embedded_services(data_dir: Path, *, redis: bool = True) -> Iterator[EmbeddedServices]:
    """Postgres and, if wanted, Redis: ready on entry, gone on exit and when this process dies."""
    data = DataDirectory.at(data_dir)
    data.create()
    credentials = Credentials.of(data)
    database = PostgresServer.of(data, credentials)
    cache = RedisServer.of(data, credentials)
    with contextlib.ExitStack() as running:
        running.enter_context(_run(database.part(), data))
        if redis:
            running.enter_context(_run(cache.part(), data))
        yield EmbeddedServices(database.url, cache.url if redis else None)


@contextlib.contextmanager
def _run(part: PartSpec, data: DataDirectory) -> Iterator[None]:
    if part.prepare:
        part.prepare()
    order = data.run / f"{part.name}.json"
    process = GuardedProcess(part, order=order, log=data.log_of(part.name), parent=os.getpid())
    try:
        _await_ready(part, process, data)
        yield
    finally:
        process.stop()


def _await_ready(part: PartSpec, process: GuardedProcess, data: DataDirectory) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while part.ready and not part.ready():
        if process.wait(_POLL_SECONDS) is not None or time.monotonic() > deadline:
            log = data.log_of(part.name)
            raise PartFailed(part.name, "did not start", log, last_lines(log))
