"""Lets a batch test grow: only what is new of its product is run."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from wtb_async.application.batches.accepting import (
    check_combinations,
    check_total,
    new_test_cases,
    plan_of,
)
from wtb_async.application.batches.choose_cases import CaseChoice, ChosenCases
from wtb_async.application.batches.new_cases import find_new_cases
from wtb_async.application.batches.recording import record_batch_change
from wtb_async.application.clock import utc_now
from wtb_async.application.commands import new_command
from wtb_async.application.executions.plan import NOTHING, Extent, plan_product
from wtb_async.application.ports import Nudges, UnitOfWork, UnitOfWorkFactory
from wtb_async.domain.batch_events import BatchExtended
from wtb_async.domain.batch_test import BatchTest
from wtb_async.domain.command import Command, CommandKind
from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.events import Aggregate
from wtb_async.domain.graph_choice import Combination
from wtb_async.domain.run import DEFAULT_POOL
from wtb_async.domain.variant_matrix import Matrix, check_size, expand_matrix, merged


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendBatchTest:
    """A request for more combinations, test cases or repetitions; None leaves it at those."""

    batch_test_id: UUID
    variant_matrix: Matrix | None
    exclude: Sequence[Combination]
    cases: CaseChoice
    """Without a dataset: the batch's own is meant."""
    repetitions: int | None
    """In all, not in addition."""
    max_executions: int
    caller: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Growth:
    """What a batch was the product of, and what it is to be the product of."""

    ran: Sequence[UUID]
    combinations: Sequence[Combination]
    cases: ChosenCases
    repetitions: int
    done: Extent

    @property
    def wanted(self) -> Extent:
        return len(self.ran) + len(self.cases), len(self.combinations), self.repetitions


async def extend_batch_test(
    request: ExtendBatchTest, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> None:
    """Add what is new to the batch, and let the runners know; nothing new changes nothing.

    Two callers at once take turns: the second finds what the first has added.

    Raises:
        NotFound: no such batch test.
        InvalidTransition: it was stopped halfway.
        InvalidInput: nothing was asked for, or something that cannot be run.
    """
    _check(request)
    added = []
    if request.variant_matrix is not None:
        added = expand_matrix(request.variant_matrix, request.exclude)
    async with uow_factory() as uow:
        batch = await uow.batch_tests.lock(request.batch_test_id)
        batch.check_grows()
        check_combinations(added, await uow.workflows.get(batch.workflow_id))
        growth = await _growth(batch, request, added, uow)
        if growth.wanted == growth.done:
            return
        _extend(batch, growth, request, uow)
        await uow.commit()
    nudges.new_runs(DEFAULT_POOL)
    nudges.new_events()


def _check(request: ExtendBatchTest) -> None:
    if request.exclude and request.variant_matrix is None:
        raise InvalidInput.of("exclude", "there is no variant_matrix that it belongs to")
    nothing = request.variant_matrix is None and request.repetitions is None
    if nothing and request.cases == CaseChoice():
        message = "give more of something: variant_matrix, repetitions or test cases"
        raise InvalidInput.of("variant_matrix", message)


async def _growth(
    batch: BatchTest, request: ExtendBatchTest, added: list[Combination], uow: UnitOfWork
) -> _Growth:
    repetitions = request.repetitions or batch.repetitions
    if repetitions < batch.repetitions:
        raise InvalidInput.of("repetitions", f"the batch has {batch.repetitions} already")
    combinations = merged(batch.combinations, added)
    check_size(len(combinations))
    ran = await uow.batch_cases.of_batch(batch.id)
    return _Growth(
        ran=ran,
        combinations=combinations,
        cases=await find_new_cases(batch, request.cases, uow),
        repetitions=repetitions,
        done=(len(ran), len(batch.combinations), batch.repetitions),
    )


def _extend(batch: BatchTest, growth: _Growth, request: ExtendBatchTest, uow: UnitOfWork) -> None:
    cases, combinations, repetitions = growth.wanted
    check_total(cases * combinations * repetitions, request.max_executions)
    status_before = batch.status
    event = batch.extend(growth.combinations, cases=cases, repetitions=repetitions)
    if growth.cases.dataset_id is not None:
        batch.dataset_version, batch.case_limit = growth.cases.dataset_version, growth.cases.limit
    own = new_test_cases(batch.id, growth.cases.own, position=len(growth.ran))
    uow.batch_cases.add(own)
    _plan(batch, growth, growth.cases.ids or [case.id for case in own], request.caller, uow)
    command = _command(batch, event, request)
    record_batch_change(uow, batch, event, status_before, actor=request.caller, command=command)


def _plan(
    batch: BatchTest, growth: _Growth, new: Sequence[UUID], caller: str, uow: UnitOfWork
) -> None:
    wanted, done, case_ids = growth.wanted, growth.done, [*growth.ran, *new]
    if wanted[1:] == done[1:]:
        wanted, done, case_ids = (len(new), *wanted[1:]), NOTHING, list(new)
    executions = plan_product(wanted, done)
    uow.executions.add(plan_of(batch, case_ids, executions, caller=caller, at=utc_now()))


def _command(batch: BatchTest, event: BatchExtended, request: ExtendBatchTest) -> Command:
    return new_command(
        CommandKind.EXTEND,
        batch.id,
        request.caller,
        {
            "added": event.added,
            "variant_matrix": request.variant_matrix,
            "exclude": list(request.exclude),
            "test_cases": [case.key for case in request.cases.test_cases or ()],
            "dataset_version": request.cases.dataset_version,
            "limit": request.cases.limit,
            "repetitions": request.repetitions,
        },
        target=Aggregate.BATCH_TEST,
    )
