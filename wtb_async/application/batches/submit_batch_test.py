"""Accepts a batch test: every execution of it, in one transaction."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

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
from wtb_async.domain.errors import InvalidInput, Violation
from wtb_async.domain.events import Aggregate, BatchCreated, Change
from wtb_async.domain.execution import Limits
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.domain.run import DEFAULT_POOL
from wtb_async.domain.workflow import Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTestCase:
    """One case as the caller wrote it."""

    key: str
    input: JsonObject
    reference: JsonValue
    metadata: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitBatchTest:
    """A request to run test cases through combinations of variants."""

    workflow: str
    name: str
    variant_matrix: dict[str, list[str]] | list[Combination]
    baseline: Combination | None
    test_cases: Sequence[NewTestCase]
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
        InvalidInput: nothing to run, too much of it, a case twice, a variant or an evaluator that
            does not exist.
    """
    combinations = expand_matrix(request.variant_matrix)
    _check_size(request, len(combinations))
    async with uow_factory() as uow:
        workflow = await uow.workflows.get(request.workflow)
        for number, combination in enumerate(combinations):
            workflow.check_choice(combination, field=f"variant_matrix.{number}")
        evaluators.check(workflow.project, request.evaluators)
        batch = _new_batch(request, workflow, combinations)
        _add(batch, request, uow)
        await uow.commit()
    nudges.new_runs(DEFAULT_POOL)
    nudges.new_events()
    return view_of_new_batch(batch, workflow.name)


def _check_size(request: SubmitBatchTest, combinations: int) -> None:
    keys = [case.key for case in request.test_cases]
    violations = []
    if not keys:
        violations.append(Violation("test_cases", "give at least one test case"))
    if twice := {key for key in keys if keys.count(key) > 1} if len(keys) > len(set(keys)) else ():
        violations.append(
            Violation("test_cases", f"ids are not unique: {', '.join(sorted(twice))}")
        )
    total = combinations * len(keys) * request.repetitions
    if total > request.max_executions:
        message = f"{total} executions; this server takes {request.max_executions} per batch"
        violations.append(Violation("variant_matrix", message))
    if violations:
        raise InvalidInput(violations)


def _new_batch(
    request: SubmitBatchTest, workflow: Workflow, combinations: list[Combination]
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
        total=len(combinations) * len(request.test_cases) * request.repetitions,
        limits=asdict(request.limits),
        created_by=request.caller,
        created_at=utc_now(),
    )


def _add(batch: BatchTest, request: SubmitBatchTest, uow: UnitOfWork) -> None:
    cases = [_test_case(batch, case, number) for number, case in enumerate(request.test_cases)]
    uow.batch_tests.add(batch, cases)
    uow.executions.add(_plan(batch, cases, request.limits))
    command = _command(batch)
    uow.journal.record(_created(batch, command), command=command)


def _plan(batch: BatchTest, cases: Sequence[TestCase], limits: Limits) -> ExecutionPlan:
    return ExecutionPlan(
        workflow_id=batch.workflow_id,
        inputs=[PlannedInput(input=case.input, test_case_id=case.id) for case in cases],
        choices=batch.combinations,
        executions=plan_product(len(cases), len(batch.combinations), batch.repetitions),
        limits=limits,
        metadata={},
        caller=batch.created_by,
        created_at=batch.created_at,
        batch_test_id=batch.id,
    )


def _test_case(batch: BatchTest, case: NewTestCase, number: int) -> TestCase:
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
