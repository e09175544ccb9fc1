"""`/batch-tests`: variant matrices, their progress, results and comparison."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from api.answers import JsonAnswer, accepted
from api.dependencies import Cursor, HubDep, Limit, PlatformDep, SourcesDep
from api.routes.evaluators import EvaluatorLists
from api.routes.limits import BatchLimitsBody
from api.security import Caller, KeyedRoute
from api.streams.sse import EventStream
from wtb_async.application.batches.choose_cases import CaseChoice
from wtb_async.application.batches.compare_batch import compare_batch, compare_with_other
from wtb_async.application.batches.submit_batch_test import (
    SubmitBatchTest,
    submit_batch_test,
)
from wtb_async.application.batches.views import BatchTestView, ResultRow
from wtb_async.application.views import Page
from wtb_async.domain.comparison import Comparison
from wtb_async.domain.dataset import MAX_KEY_LENGTH, CaseContent
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries
from wtb_async.infrastructure.postgres.queries.result_rows import ResultFilter

router = APIRouter(tags=["batch tests"], route_class=KeyedRoute)

LastEventId = Annotated[int, Header(alias="Last-Event-ID", ge=0)]

MatrixBody = dict[str, Annotated[list[str], Field(min_length=1)]] | list[dict[str, str]]
"""A product, or a list of combinations; `__workflow__` names a graph beside the nodes."""

Exclusions = Annotated[
    list[dict[str, str]],
    Field(
        max_length=100,
        description="Combinations that have all pairs of one of these are left out",
        examples=[[{"retriever": "bm25", "reranker": "overlap"}]],
    ),
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TestCaseBody(_Body):
    """One named input with its optional reference outputs."""

    __test__ = False

    id: str = Field(min_length=1, max_length=MAX_KEY_LENGTH)
    input: dict[str, JsonValue]
    reference: JsonValue = None
    metadata: dict[str, JsonValue] = {}

    def to_domain(self) -> CaseContent:
        """The same as a domain value."""
        return CaseContent(
            key=self.id, input=self.input, reference=self.reference, metadata=self.metadata
        )


class RunBatchTest(EvaluatorLists):
    """Variant combinations x test cases x repetitions."""

    name: str = Field("", max_length=200)
    variant_matrix: MatrixBody = Field(default={}, examples=[{"retriever": ["base", "tfidf"]}])
    exclude: Exclusions = Field(default=[])
    baseline: dict[str, str] | None = None
    test_cases: list[TestCaseBody] | None = None
    dataset: str | None = Field(None, description="Name or id, instead of `test_cases`")
    dataset_version: int | None = Field(None, ge=1, description="The newest, when left out")
    limit: int | None = Field(
        None, ge=1, description="Run only so many cases, chosen by a hash of their ids"
    )
    repetitions: int = Field(1, ge=1, le=1000)
    share_prefixes: bool = Field(
        True, description="Run what combinations have in common once; false: each from scratch"
    )
    limits: BatchLimitsBody = BatchLimitsBody()


class NewBatchTest(RunBatchTest):
    """The same with the workflow's name or id."""

    workflow: str


@router.post(
    "/batch-tests", status_code=202, operation_id="create_batch_test", response_model=BatchTestView
)
async def create_batch_test(
    body: NewBatchTest, caller: Caller, platform: PlatformDep
) -> JsonAnswer:
    """Accept a batch test with all its executions at once."""
    return await _submit(body.workflow, body, caller, platform)


@router.post(
    "/workflows/{workflow}/batch-test",
    status_code=202,
    operation_id="batch_test_workflow",
    response_model=BatchTestView,
)
async def batch_test_workflow(
    workflow: str, body: RunBatchTest, caller: Caller, platform: PlatformDep
) -> JsonAnswer:
    """The same, with the workflow in the path."""
    return await _submit(workflow, body, caller, platform)


@router.get("/batch-tests", operation_id="list_batch_tests", response_model=Page[BatchTestView])
async def list_batch_tests(
    _: Caller,
    platform: PlatformDep,
    workflow: str | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JsonAnswer:
    """Batch tests, newest first."""
    queries = BatchTestQueries(platform.database.engine)
    return JsonAnswer(await queries.list(workflow=workflow, limit=limit, cursor=cursor))


@router.get(
    "/batch-tests/{batch_test_id}", operation_id="get_batch_test", response_model=BatchTestView
)
async def get_batch_test(batch_test_id: UUID, _: Caller, platform: PlatformDep) -> JsonAnswer:
    """One batch test with its counts."""
    return JsonAnswer(await BatchTestQueries(platform.database.engine).get(batch_test_id))


@router.get(
    "/batch-tests/{batch_test_id}/results",
    operation_id="list_batch_results",
    response_model=Page[ResultRow],
)
async def list_batch_results(
    batch_test_id: UUID,
    _: Caller,
    platform: PlatformDep,
    status: ExecutionStatus | None = None,
    test_case: Annotated[str | None, Query(description="The caller's own id of a case")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> JsonAnswer:
    """One row per execution with its scores, and how long its nodes took."""
    queries = BatchTestQueries(platform.database.engine)
    wanted = ResultFilter(status=status, test_case=test_case)
    return JsonAnswer(await queries.results(batch_test_id, wanted, limit=limit, cursor=cursor))


@router.get(
    "/batch-tests/{batch_test_id}/comparison",
    operation_id="get_batch_comparison",
    response_model=Comparison,
)
async def get_batch_comparison(
    batch_test_id: UUID,
    _: Caller,
    platform: PlatformDep,
    against: Annotated[
        UUID | None, Query(description="Another batch test, instead of the baseline")
    ] = None,
) -> JsonAnswer:
    """Each combination against the baseline, with one plain sentence per evaluator.

    `against` compares with another batch test: by the ids of the test cases, combination by
    combination if both ran the same ones, else baseline with baseline.
    """
    queries = BatchTestQueries(platform.database.engine)
    if against is None:
        return JsonAnswer(await compare_batch(batch_test_id, queries))
    return JsonAnswer(await compare_with_other(batch_test_id, against, queries))


@router.get(
    "/batch-tests/{batch_test_id}/events",
    operation_id="stream_batch_events",
    response_class=EventStream,
    status_code=200,
)
async def stream_batch_events(
    batch_test_id: UUID,
    _: Caller,
    platform: PlatformDep,
    hub: HubDep,
    sources: SourcesDep,
    last_event_id: LastEventId = 0,
    since: Annotated[int, Query(ge=0)] = 0,
) -> EventStream:
    """The batch's history with its progress, as Server-Sent Events."""
    source = await sources.of_batch(batch_test_id, max(last_event_id, since))
    return EventStream(source, hub, patience=platform.settings.api.slow_reader_seconds)


async def _submit(
    workflow: str, body: RunBatchTest, caller: str, platform: PlatformDep
) -> JsonAnswer:
    batch = await submit_batch_test(
        SubmitBatchTest(
            workflow=workflow,
            name=body.name or f"{workflow} batch",
            variant_matrix=body.variant_matrix,
            exclude=body.exclude,
            baseline=body.baseline,
            cases=_cases(body),
            repetitions=body.repetitions,
            evaluators=body.choices(),
            share_prefixes=body.share_prefixes,
            limits=body.limits.to_domain(),
            max_concurrency=body.limits.max_concurrency,
            max_failures=body.limits.max_failures,
            max_executions=platform.settings.api.max_batch_executions,
            caller=caller,
        ),
        uow_factory=platform.database.unit_of_work,
        evaluators=platform.evaluation,
        nudges=platform.nudges,
    )
    return accepted(batch, f"/api/v1/batch-tests/{batch.id}")


def _cases(body: RunBatchTest) -> CaseChoice:
    own = body.test_cases
    return CaseChoice(
        test_cases=None if own is None else [case.to_domain() for case in own],
        dataset=body.dataset,
        dataset_version=body.dataset_version,
        limit=body.limit,
    )
