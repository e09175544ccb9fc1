"""Batch tests of the graded project whose executions a test ends by hand, and their scores."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from arranging import claim, completed, settle
from growing import RIGHT, submit_growing

from wtb_async.application.batches.request_scoring import RequestScoring, request_scoring
from wtb_async.application.batches.score_batch import EvaluationEngine, score_batch
from wtb_async.application.batches.views import ResultRow
from wtb_async.application.executions.resume_execution import ResumeExecution, resume_execution
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.batch_test import ScoringMode
from wtb_async.domain.evaluator import EvaluatorChoice, choices_of
from wtb_async.domain.execution import RunError
from wtb_async.domain.json import JsonValue
from wtb_async.domain.run import RunStatus
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries

__all__ = ["RIGHT", "Batch", "begin", "failed"]


@dataclass(frozen=True)
class Batch:
    """A batch test whose runs are all held by one runner."""

    platform: Platform
    id: UUID
    runner_id: UUID
    runs: list[ClaimedRun]

    async def end(self, *outcomes: RunOutcome) -> None:
        await settle(self.platform.database.unit_of_work, self.runner_id, *outcomes)

    async def end_all(self, output: JsonValue = None) -> None:
        await self.end(*(completed(run.id, output or RIGHT) for run in self.runs))

    async def try_again(self, run: ClaimedRun, output: JsonValue) -> None:
        """Resume a failed execution, and end it with this output."""
        factory = self.platform.database.unit_of_work
        request = ResumeExecution(execution_id=run.execution_id, caller="test")
        await resume_execution(request, uow_factory=factory, nudges=self.platform.nudges)
        [again] = await claim(factory, self.runner_id)
        await self.end(completed(again.id, output))

    async def score(
        self,
        engine: EvaluationEngine | None = None,
        *,
        claim_seconds: float = 60.0,
        work_seconds: float = math.inf,
    ) -> int:
        return await score_batch(
            self.id,
            uow_factory=self.platform.database.unit_of_work,
            engine=engine or self.platform.evaluation,
            nudges=self.platform.nudges,
            claim_seconds=claim_seconds,
            work_seconds=work_seconds,
        )

    async def score_with(
        self, *evaluators: EvaluatorChoice | str, mode: ScoringMode = ScoringMode.ADD
    ) -> None:
        """Ask for other evaluators."""
        await request_scoring(
            RequestScoring(
                batch_test_id=self.id, caller="test", evaluators=choices_of(evaluators), mode=mode
            ),
            uow_factory=self.platform.database.unit_of_work,
            evaluators=self.platform.evaluation,
            nudges=self.platform.nudges,
        )

    async def status(self) -> str:
        return (await BatchTestQueries(self.platform.database.engine).get(self.id)).status.value

    async def results(self) -> list[ResultRow]:
        queries = BatchTestQueries(self.platform.database.engine)
        return (await queries.results(self.id, limit=200, cursor=None)).items

    async def scores(self) -> list[dict[str, bool | float]]:
        return [row.scores for row in await self.results()]

    async def unfinished(self, idle_seconds: float) -> list[UUID]:
        async with self.platform.database.unit_of_work() as uow:
            return await uow.batch_tests.unfinished(idle_seconds)


def failed(run: ClaimedRun) -> RunOutcome:
    return RunOutcome(
        run_id=run.id,
        status=RunStatus.FAILED,
        duration_ms=1.0,
        error=RunError("ValueError", "broken"),
    )


async def begin(
    platform: Platform,
    cases: int,
    evaluators: Sequence[EvaluatorChoice | str] = ("wtb.exact_match",),
    variants: Sequence[str] = (),
) -> Batch:
    """A batch test that was accepted and started, and whose executions are all running."""
    batch = await submit_growing(
        platform,
        *(f"case {number}" for number in range(cases)),
        evaluators=list(evaluators),
        variant_matrix={"second": list(variants)} if variants else {},
        share_prefixes=False,
    )
    return Batch(platform, batch.id, batch.runner_id, await batch.claim())
