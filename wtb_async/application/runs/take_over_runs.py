"""Takes over the runs of lost runners."""

from collections.abc import Sequence
from uuid import UUID

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.application.ports import UnitOfWork
from wtb_async.application.runs.claims import RunOutcome, cancelled
from wtb_async.application.runs.repositories import LostRun, Takeover
from wtb_async.application.runs.settle_runs import settle_runs
from wtb_async.domain.execution import RunError
from wtb_async.domain.run import ForkReason, Run, RunStatus, Thread


async def take_over_runs(actor: str, uow: UnitOfWork) -> int:
    """Give every run of a lost runner a successor on a fork of its thread; answers how many.

    Runs that were asked to stop are cancelled, those that have had their last attempt fail with
    `runner_lost`. The caller commits.
    """
    lost = await uow.runs.lock_of_lost_runners()
    ended = [item for item in lost if item.is_over]
    takeovers = [_successor(item) for item in lost if not item.is_over]
    if takeovers:
        await uow.runs.hand_over(takeovers, actor)
    for runner_id, outcomes in _ends(ended).items():
        await settle_runs(runner_id, outcomes, uow, actor=actor)
    return len(lost)


def _ends(ended: Sequence[LostRun]) -> dict[UUID, list[RunOutcome]]:
    """The outcomes by runner, as settling is fenced."""
    outcomes: dict[UUID, list[RunOutcome]] = {}
    for item in ended:
        if item.run.runner_id is not None:
            outcome = cancelled(item.run) if item.run.must_stop else _runner_lost(item)
            outcomes.setdefault(item.run.runner_id, []).append(outcome)
    return outcomes


def _successor(lost: LostRun) -> Takeover:
    now = utc_now()
    thread = Thread(
        id=new_id(), created_at=now, reason=ForkReason.TAKEOVER, parent_id=lost.run.thread_id
    )
    successor = Run(
        id=new_id(),
        thread_id=thread.id,
        workflow_id=lost.run.workflow_id,
        created_at=now,
        pool=lost.run.pool,
        variants=lost.run.variants,
        workflow_variant=lost.run.workflow_variant,
        gates=lost.run.gates,
        attempt=lost.run.attempt + lost.charged,
        limits=lost.run.limits,
        timeline_id=lost.run.timeline_id,
        from_checkpoint_id=lost.run.from_checkpoint_id,
        edit=lost.run.edit,
        request=lost.run.request,
        limited_by=lost.run.limited_by,
    )
    return Takeover(lost, successor, thread)


def _runner_lost(lost: LostRun) -> RunOutcome:
    message = f"the runner was lost in each of {lost.run.attempt} attempts"
    return RunOutcome(
        run_id=lost.run.id,
        status=RunStatus.LOST,
        duration_ms=0.0,
        error=RunError("runner_lost", message),
        of_group=bool(lost.run.gates),
    )
