"""EvaluationEngine: finds evaluators and calls them."""

from collections.abc import Sequence
from functools import lru_cache

from wtb_async.application.ports import Score, ScoredExecution, ScoringJob
from wtb_async.domain.batch_test import score_key
from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.evaluation.builtin import BUILTIN_EVALUATORS
from wtb_async.infrastructure.evaluation.calling import Evaluator, call_evaluator
from wtb_async.infrastructure.langgraph.code_source import CodeSources

BUILTIN_PREFIX = "wtb."


class ProjectEvaluationEngine:
    """Calls built-in evaluators and those of the workflow's project."""

    def __init__(self, projects: CodeSources) -> None:
        self._projects = projects
        self._find = lru_cache(maxsize=256)(self._load)

    def forget(self) -> None:
        """Load every evaluator anew: what references name has changed."""
        self._find.cache_clear()

    def check(self, project: str, references: Sequence[str]) -> None:
        """Raise InvalidInput for the first reference that leads nowhere; nothing is loaded."""
        for number, reference in enumerate(references):
            field = f"evaluators.{number}"
            if not reference.startswith(BUILTIN_PREFIX):
                self._projects.get(project).check_reference(reference, field=field)
            elif reference not in BUILTIN_EVALUATORS:
                known = ", ".join(BUILTIN_EVALUATORS)
                raise InvalidInput.of(field, f"{reference!r} does not exist; built in are {known}")

    async def score(self, job: ScoringJob) -> ScoredExecution:
        """All results of one execution; an execution that failed has none."""
        scores: list[Score] = []
        if job.status == "completed":
            for name in job.evaluators:
                scores += await self._score_with(name, job)
        return ScoredExecution(job.execution_id, job.version, tuple(scores))

    async def _score_with(self, name: str, job: ScoringJob) -> list[Score]:
        try:
            evaluator = self._find(job.project, name)
        except InvalidInput as error:
            return [Score(evaluator=name, key=score_key(name), error=str(error))]
        return await call_evaluator(name, evaluator, job)

    def _load(self, project: str, name: str) -> Evaluator:
        if name in BUILTIN_EVALUATORS:
            return BUILTIN_EVALUATORS[name]
        found = self._projects.get(project).load(name, field="evaluators")
        if not callable(found):
            raise InvalidInput.of("evaluators", f"{name!r} is not a function")
        evaluator: Evaluator = found
        return evaluator
