"""What batch tests have in common when they are accepted and when they are extended."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from wtb_async.application.executions.plan import (
    ExecutionPlan,
    PlannedExecution,
    PlannedInput,
    share_prefixes,
)
from wtb_async.application.ids import new_id
from wtb_async.domain.batch_test import BatchTest, TestCase
from wtb_async.domain.dataset import CaseContent
from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.execution import Limits
from wtb_async.domain.graph_choice import WORKFLOW_KEY, Combination, GraphChoice
from wtb_async.domain.workflow import Workflow


def check_combinations(combinations: Sequence[Combination], workflow: Workflow) -> None:
    """Raise `InvalidInput` unless the workflow has everything that is chosen."""
    for number, combination in enumerate(combinations):
        field = f"variant_matrix.{number}"
        choice = GraphChoice.of(combination)
        graph = choice.workflow_variant
        workflow.check_workflow_variant(graph, field=f"{field}.{WORKFLOW_KEY}")
        workflow.check_choice(choice.variants, workflow_variant=graph, field=field)


def check_total(total: int, most: int) -> None:
    """Raise `InvalidInput` when a batch test would have more executions than the server takes."""
    if total > most:
        message = f"{total} executions; this server takes {most} per batch"
        raise InvalidInput.of("variant_matrix", message)


def new_test_cases(
    batch_id: UUID, contents: Sequence[CaseContent], *, position: int = 0
) -> list[TestCase]:
    """Cases that belong to the batch, from this position on."""
    return [
        TestCase(
            id=new_id(),
            batch_test_id=batch_id,
            key=content.key,
            position=number,
            input=content.input,
            reference=content.reference,
            annotations=content.metadata,
        )
        for number, content in enumerate(contents, start=position)
    ]


def plan_of(
    batch: BatchTest,
    case_ids: Sequence[UUID],
    executions: Sequence[PlannedExecution],
    *,
    caller: str,
    at: datetime,
) -> ExecutionPlan:
    """Executions of a batch; their inputs and choices are its cases and combinations."""
    plan = ExecutionPlan(
        workflow_id=batch.workflow_id,
        inputs=[PlannedInput(test_case_id=case_id) for case_id in case_ids],
        choices=[GraphChoice.of(combination) for combination in batch.combinations],
        executions=executions,
        limits=Limits(**batch.limits),
        metadata={},
        caller=caller,
        created_at=at,
        batch_test_id=batch.id,
        is_limited=batch.max_concurrency is not None,
    )
    shares = batch.share_prefixes and len(batch.combinations) > 1
    return share_prefixes(plan) if shares else plan
