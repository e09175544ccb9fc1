"""`/batch-tests/{id}/gate`: whether a batch test is good enough."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.answers import JsonAnswer
from api.dependencies import PlatformDep
from api.errors import described
from api.security import Caller, KeyedRoute
from wtb_async.application.batches.judge_batch import judge_batch
from wtb_async.domain.gate.gate import Gate, GateReport
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries

router = APIRouter(tags=["batch tests"], route_class=KeyedRoute)

_MOST = 100


class GateQuery(BaseModel):
    """What must not be true of a batch test; each but `strict` may be given several times."""

    # A condition whose parameter is misspelt must not pass.
    model_config = ConfigDict(extra="forbid", frozen=True)

    fail_if: list[str] = Field(
        [], max_length=_MOST, examples=[["hit_at_k < 0.8", "p95(latency) > 500"]]
    )
    worse_than: list[str] = Field(
        [],
        max_length=_MOST,
        description="Combinations (`retriever=base`), or ids of other batch tests",
    )
    score: list[str] = Field(
        [], max_length=_MOST, description="Not worse on these; on all but latency when left out"
    )
    strict: bool = Field(False, description="Fail where there is doubt, too")

    def to_domain(self) -> Gate:
        """The same as a domain value. Raises InvalidInput for what cannot be read."""
        return Gate.read(
            fail_if=self.fail_if,
            worse_than=self.worse_than,
            scores=self.score,
            strict=self.strict,
        )


@router.get(
    "/batch-tests/{batch_test_id}/gate",
    operation_id="judge_batch_test",
    response_model=GateReport,
    responses=described({409: "It has not ended yet."}),
)
async def judge_batch_test(
    batch_test_id: UUID,
    query: Annotated[GateQuery, Query()],
    _: Caller,
    platform: PlatformDep,
) -> JsonAnswer:
    """Whether a batch test that has ended passes a gate, condition by condition.

    It fails when a condition of `fail_if` holds for any combination, when any verdict against one
    of `worse_than` is "worse", when one of them cannot be told, and when the batch test has not
    completed.
    """
    queries = BatchTestQueries(platform.database.engine)
    return JsonAnswer(await judge_batch(batch_test_id, query.to_domain(), queries))
