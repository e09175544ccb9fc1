"""The server of a test session, and the batch tests that the session records there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from wtb_async.domain.dataset import sampled
from wtb_async.domain.errors import WtbError
from wtb_async.pytest_plugin.case_result import CaseResult, result_of
from wtb_async.pytest_plugin.marker import DatasetVersion, Mark, MarkedCase
from wtb_async.pytest_plugin.recorded_batch import RecordedBatch
from wtb_async.pytest_plugin.sharing import check_sharing
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.find_server import connect
from wtb_async.sdk.loop_thread import LoopThread

_REACH_SECONDS = 10.0
_PAGE = 200

Answer = TypeVar("Answer")


class ServerSilent(WtbError):
    """Something listens at the server's address and does not answer."""

    code = "server_silent"

    def __init__(self) -> None:
        super().__init__(f"the WTB server has not answered within {_REACH_SECONDS:g} s")


class Bench:
    """Talks to the server from the first test that needs it on."""

    def __init__(self, data_dir: str) -> None:
        self._data_dir = Path(data_dir)
        self._server: LoopThread[WTBClient] | WtbError | None = None
        self._recorded: dict[str, RecordedBatch | WtbError] = {}

    def cases_of_dataset(self, mark: Mark) -> list[MarkedCase]:
        """The cases of a dataset, or one that says why there are none."""
        try:
            cases = self._run(lambda client: _read_dataset(client, mark))
        except WtbError as error:
            return [MarkedCase(mark, {}, problem=str(error))]
        none = MarkedCase(mark, {}, problem=f"dataset {mark.dataset!r} has no test cases")
        return cases or [none]

    def result(self, item: pytest.Function, case: MarkedCase) -> CaseResult:
        """The result of the case that a test is about; fails the test when there is none.

        The first test of a function submits the cases of all its tests that were selected.
        """
        if case.problem:
            pytest.fail(case.problem, pytrace=False)
        try:
            check_sharing(item)
            result = self._run(lambda client: self._result(client, item, case))
        except WtbError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        item.add_report_section("setup", "wtb", str(result))
        return result

    def summary(self) -> Iterator[str]:
        """A line for each batch test."""
        for recorded in self._recorded.values():
            if isinstance(recorded, RecordedBatch):
                batch = recorded.batch
                counted = f"{batch.counts.total} test cases"
                yield f"wtb: {batch.name}: {counted}, see `wtb batch results {batch.id}`"

    def close(self) -> None:
        """Leave the server."""
        if isinstance(self._server, LoopThread):
            self._server.close()

    def _run(self, work: Callable[[WTBClient], Coroutine[Any, Any, Answer]]) -> Answer:
        server = self._reached()
        return server.run(work(server.opened))

    def _reached(self) -> LoopThread[WTBClient]:
        """The client of a server that answers; what was in vain once is not tried again."""
        if self._server is None:
            try:
                self._server = LoopThread(_answering(self._data_dir))
            except WtbError as error:
                self._server = error
        if isinstance(self._server, WtbError):
            raise self._server
        return self._server

    async def _result(
        self, client: WTBClient, item: pytest.Function, case: MarkedCase
    ) -> CaseResult:
        recorded = await self._recorded_for(client, item)
        row = await recorded.row(case.id)
        return result_of(case.content, row, recorded.batch.id)

    async def _recorded_for(self, client: WTBClient, item: pytest.Function) -> RecordedBatch:
        name = _function_of(item)
        if name not in self._recorded:
            try:
                self._recorded[name] = await RecordedBatch.submit(client, name, _selected(item))
            except WtbError as error:
                self._recorded[name] = error
        recorded = self._recorded[name]
        if isinstance(recorded, WtbError):
            raise recorded
        return recorded


@asynccontextmanager
async def _answering(data_dir: Path) -> AsyncIterator[WTBClient]:
    async with connect(data_dir) as client:
        try:
            async with asyncio.timeout(_REACH_SECONDS):
                await client.health()
        except TimeoutError as error:
            raise ServerSilent from error
        yield client


async def _read_dataset(client: WTBClient, mark: Mark) -> list[MarkedCase]:
    dataset = await client.datasets.get(mark.dataset or "")
    version = mark.dataset_version or dataset.version
    pages = client.datasets.test_cases(dataset.id, version=version, page_size=_PAGE)
    cases = [case async for case in pages]
    chosen = sampled([case.id for case in cases], mark.limit)
    source = DatasetVersion(version, len(chosen))
    return [MarkedCase(mark, cases[at].model_dump(mode="json"), source) for at in chosen]


def _function_of(item: pytest.Function) -> str:
    """Name the function that a test was made of."""
    return f"{item.parent.nodeid if item.parent else ''}::{item.originalname}"


def _selected(item: pytest.Function) -> list[MarkedCase]:
    """The cases of all tests of the same function that are to be run, each once."""
    name = _function_of(item)
    cases: dict[str, MarkedCase] = {}
    for other in item.session.items:
        if isinstance(other, pytest.Function) and _function_of(other) == name:
            case = other.callspec.params["wtb_case"]
            if isinstance(case, MarkedCase):
                cases[case.id] = case
    return list(cases.values())
