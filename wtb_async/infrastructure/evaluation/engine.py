"""EvaluationEngine: finds evaluators, calls them, and reads what they return."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

from wtb_async.application.batches.scoring import (
    Column,
    Score,
    ScoredExecution,
    ScoringJob,
    SummaryJob,
    SummaryScore,
)
from wtb_async.domain.evaluator import EvaluatorChoice, EvaluatorKind
from wtb_async.infrastructure.evaluation.calling import CallOptions, EvaluatorCaller
from wtb_async.infrastructure.evaluation.catalogue import EvaluatorCatalogue
from wtb_async.infrastructure.evaluation.offers import offer_column, offer_pair, offer_single
from wtb_async.infrastructure.evaluation.preferring import preference_of, shows_baseline_first
from wtb_async.infrastructure.evaluation.results import scores_of
from wtb_async.infrastructure.evaluation.spending import usage_of
from wtb_async.infrastructure.langgraph.code_source import CodeSources
from wtb_async.infrastructure.langgraph.plain_json import message_of


class ProjectEvaluationEngine:
    """Calls built-in evaluators, those of the workflow's project and those of known libraries."""

    def __init__(self, projects: CodeSources, options: CallOptions | None = None) -> None:
        self._catalogue = EvaluatorCatalogue(projects)
        self._caller = EvaluatorCaller(options or CallOptions())

    def forget(self) -> None:
        """Load every evaluator anew: what references name has changed."""
        self._catalogue.forget()

    def check(self, project: str, choices: Sequence[EvaluatorChoice]) -> None:
        """Raise InvalidInput for choices that cannot be called; nothing of the user's is loaded."""
        self._catalogue.check(project, choices)

    async def score(self, job: ScoringJob) -> ScoredExecution:
        """All results of one execution; an execution that failed has none."""
        outcome, baseline = job.outcome, job.baseline
        if outcome.status != "completed":
            return ScoredExecution(outcome.execution_id, outcome.version, ())
        single = [self._score(choice, job) for choice in _of(job.evaluators, EvaluatorKind.SINGLE)]
        pairwise = [
            self._prefer(choice, job)
            for choice in _of(job.evaluators, EvaluatorKind.PAIRWISE)
            if baseline is not None
        ]
        results = await asyncio.gather(*single, *pairwise)
        scores = tuple(score for found in results for score in found)
        return ScoredExecution(
            outcome.execution_id,
            outcome.version,
            scores,
            baseline_id=baseline.execution_id if baseline else None,
            baseline_version=baseline.version if baseline else None,
            usage=usage_of(outcome.outputs, job.evaluators, scores),
        )

    async def summarize(self, job: SummaryJob) -> list[SummaryScore]:
        """What the summary evaluators say of each combination."""
        found = await asyncio.gather(
            *(
                self._summarize(choice, column, job.project)
                for choice in job.evaluators
                for column in job.columns
            )
        )
        return [summary for each in found for summary in each]

    async def _score(self, choice: EvaluatorChoice, job: ScoringJob) -> list[Score]:
        try:
            evaluator = self._catalogue.find(job.project, choice)
            offer = offer_single(choice, job.outcome, job.case)
            result = await self._caller.call(choice.name, evaluator, offer)
            return self._directed(choice, job.project, scores_of(choice, result))
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            return [_failed(choice, error)]

    async def _prefer(self, choice: EvaluatorChoice, job: ScoringJob) -> list[Score]:
        if job.baseline is None:
            return []
        baseline_first = shows_baseline_first(choice, job)
        outcomes = [job.baseline, job.outcome] if baseline_first else [job.outcome, job.baseline]
        try:
            evaluator = self._catalogue.find(job.project, choice)
            offer = offer_pair(choice, outcomes, job.case)
            result = await self._caller.call(choice.name, evaluator, offer)
            run_ids = [str(outcome.execution_id) for outcome in outcomes]
            return [preference_of(choice, result, run_ids, baseline_first=baseline_first)]
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            return [replace(_failed(choice, error), baseline_first=baseline_first)]

    async def _summarize(
        self, choice: EvaluatorChoice, column: Column, project: str
    ) -> list[SummaryScore]:
        try:
            evaluator = self._catalogue.find(project, choice)
            offer = offer_column(choice, column.rows)
            result = await self._caller.call(choice.name, evaluator, offer)
            scores = self._directed(choice, project, scores_of(choice, result))
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            scores = [_failed(choice, error)]
        return [SummaryScore(combination=column.combination, score=score) for score in scores]

    def _directed(
        self, choice: EvaluatorChoice, project: str, scores: Sequence[Score]
    ) -> list[Score]:
        """Say of each score which direction is better, as far as anybody has said so."""
        lower = self._catalogue.lower_is_better
        return [
            replace(score, lower_is_better=True) if lower(project, choice, score.key) else score
            for score in scores
        ]


def _of(choices: Iterable[EvaluatorChoice], kind: EvaluatorKind) -> list[EvaluatorChoice]:
    return [choice for choice in choices if choice.kind is kind]


def _failed(choice: EvaluatorChoice, error: Exception) -> Score:
    message = f"{type(error).__name__}: {message_of(error)}"
    return Score(evaluator=choice.name, key=choice.score_key, error=message)
