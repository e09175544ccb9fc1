"""`/batch-tests/{id}/extend`: more combinations, test cases or repetitions."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.answers import JsonAnswer, accepted
from api.dependencies import PlatformDep
from api.errors import described
from api.routes.batch_tests import Exclusions, MatrixBody, TestCaseBody
from api.security import Caller, KeyedRoute
from wtb_async.application.batches.choose_cases import CaseChoice
from wtb_async.application.batches.extend_batch_test import ExtendBatchTest, extend_batch_test
from wtb_async.application.batches.views import BatchTestView
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries

_PROBLEMS = {
    404: "There is no such batch test.",
    409: "The batch test's status does not allow it; nothing was changed.",
}

router = APIRouter(tags=["batch tests"], route_class=KeyedRoute)


class ExtendBatch(BaseModel):
    """What a batch test is to have beside what it has; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variant_matrix: MatrixBody | None = Field(None, examples=[{"retriever": ["lsa"]}])
    exclude: Exclusions = []
    test_cases: list[TestCaseBody] | None = None
    dataset_version: int | None = Field(
        None, ge=1, description="Of the dataset that the batch runs on"
    )
    limit: int | None = Field(None, ge=1, description="How many cases of the dataset in all")
    repetitions: int | None = Field(None, ge=1, le=1000, description="The new total")

    def cases(self) -> CaseChoice:
        """The test cases as a domain value."""
        own = self.test_cases
        return CaseChoice(
            test_cases=None if own is None else [case.to_domain() for case in own],
            dataset_version=self.dataset_version,
            limit=self.limit,
        )


@router.post(
    "/batch-tests/{batch_test_id}/extend",
    status_code=202,
    operation_id="extend_batch_test",
    response_model=BatchTestView,
    responses=described(_PROBLEMS),
)
async def extend(
    batch_test_id: UUID, body: ExtendBatch, caller: Caller, platform: PlatformDep
) -> JsonAnswer:
    """Let a batch test grow; only what is new is run."""
    await extend_batch_test(
        ExtendBatchTest(
            batch_test_id=batch_test_id,
            variant_matrix=body.variant_matrix,
            exclude=body.exclude,
            cases=body.cases(),
            repetitions=body.repetitions,
            max_executions=platform.settings.api.max_batch_executions,
            caller=caller,
        ),
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )
    batch = await BatchTestQueries(platform.database.engine).get(batch_test_id)
    return accepted(batch, f"/api/v1/batch-tests/{batch_test_id}")
