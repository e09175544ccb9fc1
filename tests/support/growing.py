"""A batch test of the graded project that tests let grow, on a platform of their own."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from arranging import claim, completed, register, register_runner, settle

from wtb_async.application.batches.choose_cases import CaseChoice
from wtb_async.application.batches.extend_batch_test import ExtendBatchTest, extend_batch_test
from wtb_async.application.batches.score_batch import score_batch
from wtb_async.application.batches.submit_batch_test import SubmitBatchTest, submit_batch_test
from wtb_async.application.batches.views import BatchTestView, ResultRow
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.dataset import CaseContent
from wtb_async.domain.execution import Limits
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries

RIGHT = {"word": "right"}


def cases(*keys: str) -> list[CaseContent]:
    """A case per key, which `RIGHT` answers."""
    return [CaseContent(key=key, input={"key": key}, reference=RIGHT) for key in keys]


class GrowingBatch:
    """A batch test, and the one runner that there is."""

    def __init__(self, platform: Platform, batch_id: UUID, runner_id: UUID) -> None:
        self.platform = platform
        self.id = batch_id
        self.runner_id = runner_id
        self.queries = BatchTestQueries(platform.database.engine)

    async def claim(self) -> list[ClaimedRun]:
        """Take all runs that wait."""
        runs = await claim(self.platform.database.unit_of_work, self.runner_id)
        async with self.platform.database.unit_of_work() as uow:
            await uow.batch_tests.mark_started([self.id], self.runner_id)
            await uow.commit()
        return runs

    async def end(self, *outcomes: RunOutcome) -> None:
        """Settle, and score what has ended."""
        await settle(self.platform.database.unit_of_work, self.runner_id, *outcomes)
        await self.score()

    async def run_all(self) -> list[ClaimedRun]:
        """Let all runs that wait end well."""
        runs = await self.claim()
        await self.end(*(completed(run.id, RIGHT) for run in runs))
        return runs

    async def score(self) -> int:
        """Score what has ended, and complete the batch if that was all."""
        return await score_batch(
            self.id,
            uow_factory=self.platform.database.unit_of_work,
            engine=self.platform.evaluation,
            nudges=self.platform.nudges,
        )

    async def extend(
        self,
        *,
        matrix: dict[str, list[str]] | None = None,
        test_cases: Sequence[CaseContent] | None = None,
        repetitions: int | None = None,
        most: int = 1000,
    ) -> None:
        """Ask for more."""
        request = ExtendBatchTest(
            batch_test_id=self.id,
            variant_matrix=matrix,
            exclude=(),
            cases=CaseChoice(test_cases=test_cases),
            repetitions=repetitions,
            max_executions=most,
            caller="test",
        )
        await extend_batch_test(
            request,
            uow_factory=self.platform.database.unit_of_work,
            nudges=self.platform.nudges,
        )

    async def view(self) -> BatchTestView:
        """The batch as it stands."""
        return await self.queries.get(self.id)

    async def results(self) -> list[ResultRow]:
        """Its executions, in the order in which they were accepted."""
        return (await self.queries.results(self.id, limit=200, cursor=None)).items


async def submit_growing(platform: Platform, *keys: str, **changes: Any) -> GrowingBatch:  # noqa: ANN401
    """A batch test on these cases that was accepted, and nothing more."""
    await register(platform.database.unit_of_work, "graded")
    ordinary: dict[str, Any] = {
        "workflow": "graded",
        "name": "a batch",
        "variant_matrix": {},
        "exclude": (),
        "baseline": None,
        "cases": CaseChoice(test_cases=cases(*keys)),
        "repetitions": 1,
        "evaluators": ["wtb.exact_match"],
        "limits": Limits(max_attempts=2),
        "max_executions": 1000,
        "caller": "test",
    }
    view = await submit_batch_test(
        SubmitBatchTest(**ordinary | changes),
        uow_factory=platform.database.unit_of_work,
        evaluators=platform.evaluation,
        nudges=platform.nudges,
    )
    runner = await register_runner(platform.database.unit_of_work)
    return GrowingBatch(platform, view.id, runner)
