"""The REST API of a WTB server as typed methods."""

from types import TracebackType
from typing import Self

import httpx2

from wtb_async.sdk.audit import Audit
from wtb_async.sdk.batch_tests import BatchTests
from wtb_async.sdk.connection import Connection
from wtb_async.sdk.datasets import Datasets
from wtb_async.sdk.executions import Executions
from wtb_async.sdk.files import Files
from wtb_async.sdk.integrity import Integrity
from wtb_async.sdk.models import Health, Readiness
from wtb_async.sdk.outbox import Outbox
from wtb_async.sdk.workflows import Workflows


class WTBClient:
    """A caller of one WTB server; use it as an async context manager.

    Every method raises `ApiError` when the server refuses, `ServerUnreachable` when nothing
    answers and `UnexpectedAnswer` when something else does.

    Attributes:
        workflows: graphs and their variants.
        executions: single runs, their events, waiting for their end.
        batch_tests: variant matrices, their progress, results and comparison.
        files: what executions wrote, at any checkpoint.
        datasets: named test cases with versions, and their files.
        integrity: checks of the database and the files.
        audit: who did what to which object.
        outbox: what waits to be relayed, and what was given up.
    """

    def __init__(
        self, url: str, *, api_key: str, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._connection = Connection(url, api_key, transport)
        self.workflows = Workflows(self._connection)
        self.executions = Executions(self._connection)
        self.batch_tests = BatchTests(self._connection)
        self.files = Files(self._connection)
        self.datasets = Datasets(self._connection)
        self.integrity = Integrity(self._connection)
        self.audit = Audit(self._connection)
        self.outbox = Outbox(self._connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._connection.close()

    async def health(self) -> Health:
        """Say whether the server's process lives; needs no key."""
        return await self._connection.get(Health, "/health")

    async def ready(self) -> Readiness:
        """Say part by part whether the server can do its work."""
        return await self._connection.get(Readiness, "/ready", accept=(503,))
