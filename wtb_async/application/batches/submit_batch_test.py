"""Accepts a batch test: every execution of it, in one transaction."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol
from uuid import UUID

from wtb_async.application.batches.choose_cases import CaseChoice, ChosenCases, choose_cases
from wtb_async.application.clock import utc_now
from wtb_async.application.executions.plan import ExecutionPlan, PlannedInput, plan_product
from wtb_async.application.ids import new_id
from wtb_async.application.ports import Nudges, UnitOfWork, UnitOfWorkFactory
from wtb_async.application.views import BatchTestView, view_of_new_batch
from wtb_async.domain.batch_test import (
    BatchTest,
    Combination,
    TestCase,
    choose_baseline,
    expand_matrix,
)
from wtb_async.domain.command import Command, CommandKind
from wtb_async.domain.dataset import CaseContent
from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.events import Aggregate, BatchCreated, Change
from wtb_async.domain.execution import Limits
from wtb_async.domain.run import DEFAULT_POOL
from wtb_async.domain.workflow import Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitBatchTest:
    """A request to run test cases through combinations of variants."""

    workflow: str
    name: str
    variant_matrix: dict[str, list[str]] | list[Combination]
    baseline: Combination | None
    cases: CaseChoice
    repetitions: int
    evaluators: list[str]
    limits: Limits
    max_executions: int
    caller: str


class EvaluatorCheck(Protocol):
    """Knows which evaluators can be called."""

    def check(self, project: str, references: Sequence[str]) -> None:
        """Raise InvalidInput for the first reference that leads nowhere."""


async def submit_batch_test(
    request: SubmitBatchTest,
    *,
    uow_factory: UnitOfWorkFactory,
    evaluators: EvaluatorCheck,
    nudges: Nudges,
) -> BatchTestView:
    """Record the batch with all its executions, and let the runners know.

    Raises:
        NotFound: no such workflow.
        InvalidInput: nothing to run, too much of it, a case twice, a variant, an evaluator or a
            dataset that does not exist.
    """
    combinations = expand_matrix(request.variant_matrix)
    async with uow_factory() as uow:
        workflow = await uow.workflows.get(request.workflow)
        for number, combination in enumerate(combinations):
            workflow.check_choice(combination, field=f"variant_matrix.{number}")
        evaluators.check(workflow.project, request.evaluators)
        chosen = await choose_cases(request.cases, uow)
        batch = _new_batch(request, workflow, combinations, chosen)
        _check_size(batch, request.max_executions)
        _add(batch, chosen, request.limits, uow)
        await uow.commit()
    nudges.new_runs(DEFAULT_POOL)
    nudges.new_events()
    return view_of_new_batch(batch, workflow.name)


def _check_size(batch: BatchTest, most: int) -> None:
    if batch.total > most:
        message = f"{batch.total} executions; this server takes {most} per batch"
        raise InvalidInput.of("variant_matrix", message)


def _new_batch(
    request: SubmitBatchTest,
    workflow: Workflow,
    combinations: list[Combination],
    chosen: ChosenCases,
) -> BatchTest:
    baseline = request.baseline or choose_baseline(combinations)
    if baseline not in combinations:
        raise InvalidInput.of("baseline", "it is not one of the combinations of variant_matrix")
    return BatchTest(
        id=new_id(),
        workflow_id=workflow.id,
        name=request.name,
        combinations=combinations,
        baseline=baseline,
        evaluators=request.evaluators,
        repetitions=request.repetitions,
        total=len(combinations) * len(chosen) * request.repetitions,
        limits=asdict(request.limits),
        dataset_id=chosen.dataset_id,
        dataset_version=chosen.dataset_version,
        created_by=request.caller,
        created_at=utc_now(),
    )


def _add(batch: BatchTest, chosen: ChosenCases, limits: Limits, uow: UnitOfWork) -> None:
    own = [_test_case(batch, case, number) for number, case in enumerate(chosen.own)]
    uow.batch_tests.add(batch, own)
    uow.executions.add(_plan(batch, chosen.ids or [case.id for case in own], limits))
    command = _command(batch)
    uow.journal.record(_created(batch, command), command=command)


def _plan(batch: BatchTest, case_ids: Sequence[UUID], limits: Limits) -> ExecutionPlan:
    return ExecutionPlan(
        workflow_id=batch.workflow_id,
        inputs=[PlannedInput(test_case_id=case_id) for case_id in case_ids],
        choices=batch.combinations,
        executions=plan_product(len(case_ids), len(batch.combinations), batch.repetitions),
        limits=limits,
        metadata={},
        caller=batch.created_by,
        created_at=batch.created_at,
        batch_test_id=batch.id,
    )


def _test_case(batch: BatchTest, case: CaseContent, number: int) -> TestCase:
    return TestCase(
        id=new_id(),
        batch_test_id=batch.id,
        key=case.key,
        position=number,
        input=case.input,
        reference=case.reference,
        annotations=case.metadata,
    )


def _created(batch: BatchTest, command: Command) -> Change:
    return Change(
        aggregate=Aggregate.BATCH_TEST,
        aggregate_id=batch.id,
        version=batch.version,
        event=BatchCreated(pool=DEFAULT_POOL, total=batch.total),
        actor=batch.created_by,
        status_after=batch.status.value,
        command_id=command.id,
    )


def _command(batch: BatchTest) -> Command:
    return Command(
        id=new_id(),
        kind=CommandKind.RUN,
        target_type=Aggregate.BATCH_TEST.value,
        target_id=batch.id,
        issued_by=batch.created_by,
        created_at=utc_now(),
        payload={"name": batch.name, "total": batch.total},
    )
