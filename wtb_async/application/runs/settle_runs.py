"""Settles runs, those too that serve several executions."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.application.ports import UnitOfWork
from wtb_async.application.runs.claims import RunOutcome, Settlement
from wtb_async.application.runs.groups import Parting, RunGroup
from wtb_async.domain.run import ForkReason, Run, RunStatus, Thread
from wtb_async.domain.shared_prefix import agreement_of, divide


async def settle_runs(
    runner_id: UUID, outcomes: Sequence[RunOutcome], uow: UnitOfWork, *, actor: str | None = None
) -> Settlement:
    """End the runs that the runner still holds, and their executions.

    Executions that shared a run part: each gets its own copy of the thread with the outcome, or,
    where the run has come to its gates, those that go on together get a copy and a run. The caller
    commits. Unless another `actor` speaks for the runner, it does so itself.
    """
    groups = [outcome for outcome in outcomes if outcome.of_group]
    plain = [outcome for outcome in outcomes if not outcome.of_group]
    settled = Settlement()
    if plain:
        settled = await uow.runs.settle(runner_id, plain, actor=actor)
    return settled | await _settle_groups(runner_id, groups, uow, actor) if groups else settled


async def _settle_groups(
    runner_id: UUID, outcomes: Sequence[RunOutcome], uow: UnitOfWork, actor: str | None
) -> Settlement:
    by_run = {outcome.run_id: outcome for outcome in outcomes}
    groups = await uow.runs.lock_groups(runner_id, by_run)
    ends = [(group, _end_of(group, by_run[group.run.id])) for group in groups]
    if partings := [parting for end in ends for parting in _part(*end)]:
        await uow.runs.part(partings)
    if split := [end.run_id for _, end in ends if end.status is RunStatus.SPLIT]:
        await uow.runs.end_split(split)
    if others := [end for _, end in ends if end.status is not RunStatus.SPLIT]:
        await uow.runs.settle(runner_id, others, actor=actor)
    return Settlement.of(group.run for group in groups)


def _end_of(group: RunGroup, outcome: RunOutcome) -> RunOutcome:
    """A request to stop that came after the graph had reached its gates is granted here."""
    if outcome.status is RunStatus.SPLIT and group.run.must_stop:
        return replace(outcome, status=RunStatus.CANCELLED)
    return outcome


def _part(group: RunGroup, end: RunOutcome) -> Iterable[Parting]:
    if end.status is RunStatus.SPLIT:
        parts = divide(group.members, end.reached)
        return [_goes_on(group, part, end) for part in parts]
    return [
        Parting(thread=_copy(group.run, end), executions=[execution_id])
        for execution_id in group.members
    ]


def _goes_on(group: RunGroup, part: Sequence[UUID], end: RunOutcome) -> Parting:
    """The run of those that still agree; it is claimed before runs that were planned later."""
    last, thread = group.run, _copy(group.run, end)
    agreed = agreement_of([group.members[execution_id] for execution_id in part])
    run = Run(
        id=new_id(),
        thread_id=thread.id,
        workflow_id=last.workflow_id,
        created_at=thread.created_at,
        pool=last.pool,
        status=last.status_of_next,
        position=last.position,
        variants=agreed.variants,
        workflow_variant=last.workflow_variant,
        gates=list(agreed.gates),
        spent_ms=(last.spent_ms or 0.0) + end.duration_ms,
        attempt=last.attempt,
        limits=last.limits,
        timeline_id=thread.id,
        request=last.request,
        limited_by=last.limited_by,
    )
    return Parting(thread=thread, executions=part, run=run, spent_ms=end.duration_ms)


def _copy(run: Run, end: RunOutcome) -> Thread:
    return Thread(
        id=new_id(),
        created_at=utc_now(),
        reason=ForkReason.SPLIT,
        parent_id=run.thread_id,
        fork_checkpoint_id=end.checkpoint_id,
    )
