"""Evaluators as callers name them, and `/batch-tests/{id}/score`."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from api.answers import JsonAnswer, accepted
from api.dependencies import PlatformDep
from api.errors import described
from api.security import Caller, KeyedRoute
from wtb_async.application.batches.request_scoring import RequestScoring, request_scoring
from wtb_async.application.batches.views import BatchTestView
from wtb_async.domain.batch_test import ScoringMode
from wtb_async.domain.evaluator import KEY_PATTERN, EvaluatorChoice, EvaluatorKind
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries

router = APIRouter(tags=["batch tests"], route_class=KeyedRoute)

Path = Annotated[str, Field(min_length=1, max_length=500)]


class EvaluatorBody(BaseModel):
    """An evaluator with more than its reference."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    use: str = Field(min_length=1, examples=["wtb.regex", "my_project.scorers:judge"])
    key: str | None = Field(None, pattern=KEY_PATTERN, description="What its score is called")
    arguments: dict[str, JsonValue] = Field(
        default={}, alias="with", description="What it is called with besides the execution"
    )
    output: Path | None = Field(None, description="Dotted path of what it sees as `outputs`")
    reference: Path | None = Field(None, description="The same of `reference_outputs`")
    lower_is_better: bool | None = None

    def to_domain(self, kind: EvaluatorKind) -> EvaluatorChoice:
        """The same as a domain value."""
        return EvaluatorChoice(
            use=self.use,
            kind=kind,
            key=self.key,
            arguments=self.arguments,
            output=self.output,
            reference=self.reference,
            lower_is_better=self.lower_is_better,
        )


def _from_reference(entry: Any) -> Any:  # noqa: ANN401 - whatever a caller sends
    return {"use": entry} if isinstance(entry, str) else entry


Evaluators = Annotated[
    list[
        Annotated[
            EvaluatorBody,
            BeforeValidator(_from_reference, json_schema_input_type=str | EvaluatorBody),
        ]
    ],
    Field(max_length=100),
]
"""A bare reference, or an object that says more."""


class EvaluatorLists(BaseModel):
    """The evaluators of a batch test."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    evaluators: Evaluators = Field(
        default=[], examples=[["wtb.exact_match", {"use": "wtb.regex", "with": {"pattern": "^4"}}]]
    )
    pairwise_evaluators: Evaluators = Field(
        default=[], description="Compare the outputs of a case with those of the baseline"
    )
    summary_evaluators: Evaluators = Field(
        default=[], description="Look at all outputs of a combination at once"
    )

    def choices(self) -> list[EvaluatorChoice]:
        """All of them as domain values."""
        lists = {
            EvaluatorKind.SINGLE: self.evaluators,
            EvaluatorKind.PAIRWISE: self.pairwise_evaluators,
            EvaluatorKind.SUMMARY: self.summary_evaluators,
        }
        return [body.to_domain(kind) for kind, bodies in lists.items() for body in bodies]


class ScoreBatch(EvaluatorLists):
    """Other evaluators besides those before or in place of them, or none to call these again."""

    mode: ScoringMode = ScoringMode.ADD


@router.post(
    "/batch-tests/{batch_test_id}/score",
    status_code=202,
    operation_id="score_batch_test",
    response_model=BatchTestView,
    responses=described(
        {
            404: "There is no such batch test.",
            409: "The batch test was cancelled; nothing was changed.",
        }
    ),
)
async def score_batch_test(
    batch_test_id: UUID, body: ScoreBatch, caller: Caller, platform: PlatformDep
) -> JsonAnswer:
    """Have what a batch test has run scored by other evaluators, without running it again."""
    await request_scoring(
        RequestScoring(
            batch_test_id=batch_test_id,
            caller=caller,
            evaluators=body.choices(),
            mode=body.mode,
        ),
        uow_factory=platform.database.unit_of_work,
        evaluators=platform.evaluation,
        nudges=platform.nudges,
    )
    batch = await BatchTestQueries(platform.database.engine).get(batch_test_id)
    return accepted(batch, f"/api/v1/batch-tests/{batch_test_id}")
