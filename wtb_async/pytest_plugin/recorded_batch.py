"""The batch test that the selected cases of one function are."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Self

from wtb_async.domain.errors import WtbError
from wtb_async.domain.execution import ENDED, ExecutionStatus
from wtb_async.domain.json import JsonObject
from wtb_async.pytest_plugin.marker import Mark, MarkedCase
from wtb_async.sdk.batch_models import BatchTest, ResultRow
from wtb_async.sdk.client import WTBClient


class NoResult(WtbError):
    """A test case has no result, or none in time."""

    code = "no_result"


class RecordedBatch:
    """A batch test that was submitted, and its results as they come."""

    def __init__(self, client: WTBClient, mark: Mark, batch: BatchTest) -> None:
        self._client = client
        self._mark = mark
        self.batch = batch

    @classmethod
    async def submit(cls, client: WTBClient, name: str, cases: Sequence[MarkedCase]) -> Self:
        """Run these cases of one marked function as one batch test."""
        mark = cases[0].mark
        variants = dict(mark.variants or {})
        body: JsonObject = {
            "workflow": mark.workflow,
            "name": mark.name or name,
            "variant_matrix": [variants] if variants else {},
            "evaluators": list(mark.evaluators),
            **_cases(mark, cases),
        }
        return cls(client, mark, await client.batch_tests.create(body))

    async def row(self, case_id: str) -> ResultRow:
        """The result of one case as soon as it is there. Raises NoResult."""
        try:
            async with asyncio.timeout(self._mark.timeout_seconds):
                row = await self._find(case_id) or await self._wait_for(case_id)
        except TimeoutError as error:
            raise self._no_result(case_id, f"after {self._mark.timeout_seconds:g} s") from error
        if row is None:
            raise self._no_result(case_id, "although the batch test has ended")
        return row

    async def _wait_for(self, case_id: str) -> ResultRow | None:
        """Look again whenever there is news, until the batch test has ended."""
        async with aclosing(self._client.batch_tests.events(self.batch.id)) as events:
            async for _ in events:
                if row := await self._find(case_id):
                    return row
        return None

    async def _find(self, case_id: str) -> ResultRow | None:
        async for row in self._client.batch_tests.results(self.batch.id, test_case=case_id):
            if row.test_case_id == case_id and self._is_done(row):
                return row
        return None

    def _is_done(self, row: ResultRow) -> bool:
        """Nothing more happens to it by itself: it is paused, or has ended and been scored."""
        is_scored = row.scored_at is not None or not self._mark.evaluators
        return row.status is ExecutionStatus.PAUSED or (row.status in ENDED and is_scored)

    def _no_result(self, case_id: str, when: str) -> NoResult:
        look = f"`wtb batch results {self.batch.id}` tells more"
        return NoResult(f"test case {case_id!r} has no result {when}; {look}")


def _cases(mark: Mark, cases: Sequence[MarkedCase]) -> JsonObject:
    """All cases of a dataset run as its version, a part of them as cases of the batch test."""
    source = cases[0].source
    if source is None or source.cases != len(cases):
        return {"test_cases": [case.content for case in cases]}
    limit: JsonObject = {} if mark.limit is None else {"limit": mark.limit}
    return {"dataset": mark.dataset, "dataset_version": source.version, **limit}
