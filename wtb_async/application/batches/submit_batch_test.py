"""Accepts a batch test: every execution of it, in one transaction."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from wtb_async.application.batches.accepting import (
    check_combinations,
    check_total,
    new_test_cases,
    plan_of,
)
from wtb_async.application.batches.choose_cases import CaseChoice, ChosenCases, choose_cases
from wtb_async.application.batches.recording import record_batch_change
from wtb_async.application.batches.views import BatchTestView, view_of_new_batch
from wtb_async.application.clock import utc_now
from wtb_async.application.commands import new_command
from wtb_async.application.executions.plan import plan_product
from wtb_async.application.ids import new_id
from wtb_async.application.ports import Nudges, UnitOfWork, UnitOfWorkFactory
from wtb_async.domain.batch_events import BatchCreated
from wtb_async.domain.batch_test import BatchTest
from wtb_async.domain.command import Command, CommandKind
from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.evaluator import EvaluatorChoice, check_keys, choices_of
from wtb_async.domain.events import Aggregate
from wtb_async.domain.execution import Limits
from wtb_async.domain.graph_choice import Combination
from wtb_async.domain.json import JsonObject
from wtb_async.domain.run import DEFAULT_POOL
from wtb_async.domain.variant_matrix import Matrix, choose_baseline, expand_matrix
from wtb_async.domain.workflow import BASE_VARIANT, Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitBatchTest:
    """A request to run test cases through combinations of variants."""

    workflow: str
    name: str
    variant_matrix: Matrix
    exclude: Sequence[Combination]
    baseline: Combination | None
    cases: CaseChoice
    repetitions: int
    evaluators: Sequence[EvaluatorChoice | str]
    """Of every kind; a bare reference stands for the evaluator that it names."""
    share_prefixes: bool = True
    limits: Limits
    max_concurrency: int | None = None
    max_failures: int | None = None
    max_executions: int
    caller: str


class EvaluatorCheck(Protocol):
    """Knows which evaluators can be called."""

    def check(self, project: str, choices: Sequence[EvaluatorChoice]) -> None:
        """Raise InvalidInput for evaluators that cannot be called like this."""


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
            dataset that does not exist, an exclusion without effect.
    """
    combinations = expand_matrix(request.variant_matrix, request.exclude)
    choices = choices_of(request.evaluators)
    check_keys(choices)
    async with uow_factory() as uow:
        workflow = await uow.workflows.get(request.workflow)
        check_combinations(combinations, workflow)
        evaluators.check(workflow.project, choices)
        chosen = await choose_cases(request.cases, uow)
        batch = _new_batch(request, workflow, combinations, chosen, choices)
        check_total(batch.total, request.max_executions)
        _add(batch, chosen, uow)
        await uow.commit()
    nudges.new_runs(DEFAULT_POOL)
    nudges.new_events()
    return view_of_new_batch(batch, workflow.name)


def _new_batch(
    request: SubmitBatchTest,
    workflow: Workflow,
    combinations: list[Combination],
    chosen: ChosenCases,
    choices: Sequence[EvaluatorChoice],
) -> BatchTest:
    return BatchTest(
        id=new_id(),
        workflow_id=workflow.id,
        name=request.name,
        combinations=combinations,
        baseline=_baseline(request.baseline, combinations),
        evaluators=[choice.to_stored() for choice in choices],
        repetitions=request.repetitions,
        total=len(combinations) * len(chosen) * request.repetitions,
        share_prefixes=request.share_prefixes,
        limits=asdict(request.limits),
        max_concurrency=request.max_concurrency,
        max_failures=request.max_failures,
        dataset_id=chosen.dataset_id,
        dataset_version=chosen.dataset_version,
        case_limit=chosen.limit,
        created_by=request.caller,
        created_at=utc_now(),
    )


def _baseline(wanted: Combination | None, combinations: list[Combination]) -> Combination:
    if wanted is None:
        return choose_baseline(combinations)
    baseline = dict.fromkeys(combinations[0], BASE_VARIANT) | wanted
    if baseline not in combinations:
        raise InvalidInput.of("baseline", "it is not one of the combinations of variant_matrix")
    return baseline


def _add(batch: BatchTest, chosen: ChosenCases, uow: UnitOfWork) -> None:
    own = new_test_cases(batch.id, chosen.own)
    case_ids = chosen.ids or [case.id for case in own]
    executions = plan_product((len(case_ids), len(batch.combinations), batch.repetitions))
    uow.batch_tests.add(batch)
    uow.batch_cases.add(own)
    uow.executions.add(
        plan_of(batch, case_ids, executions, caller=batch.created_by, at=batch.created_at)
    )
    created = BatchCreated(pool=DEFAULT_POOL, total=batch.total)
    record_batch_change(uow, batch, created, None, actor=batch.created_by, command=_command(batch))


def _command(batch: BatchTest) -> Command:
    payload: JsonObject = {"name": batch.name, "total": batch.total}
    return new_command(
        CommandKind.RUN, batch.id, batch.created_by, payload, target=Aggregate.BATCH_TEST
    )
