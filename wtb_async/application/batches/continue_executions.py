"""Gives executions of a batch test that rest the runs that go on with them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from wtb_async.application.batches.repositories import Continuation, RestingExecution
from wtb_async.application.clock import utc_now
from wtb_async.application.executions.repositories import Fork
from wtb_async.application.ids import new_id
from wtb_async.application.ports import UnitOfWork
from wtb_async.domain.command import Origin
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.run import ForkReason, Thread


async def continue_executions(
    batch_id: UUID,
    statuses: Collection[ExecutionStatus],
    origin: Origin,
    uow: UnitOfWork,
) -> None:
    """Let the executions in these statuses go on, and those that the batch has paused.

    Those that have begun go on from their last checkpoint, the others from their inputs. The
    caller has locked the batch test.
    """
    resting = await uow.batch_executions.lock_resting(batch_id, statuses)
    if not resting:
        return
    now = utc_now()
    forks = {each.execution_id: _fork(each, now) for each in resting if each.needs_fork}
    if forks:
        await uow.threads.fork([Fork(thread=thread) for thread in forks.values()])
    threads = {id_: thread.id for id_, thread in forks.items()}
    continuations = _continuations(resting, threads)
    await uow.batch_executions.continue_(batch_id, continuations, origin, at=now)


def _fork(resting: RestingExecution, at: datetime) -> Thread:
    return Thread(
        id=new_id(), created_at=at, reason=ForkReason.TAKEOVER, parent_id=resting.thread_id
    )


def _continuations(
    resting: Sequence[RestingExecution], forks: dict[UUID, UUID]
) -> list[Continuation]:
    """One run for each thread: executions that shared a run and its thread still share one."""
    runs: dict[UUID, UUID] = {}
    continuations = []
    for each in resting:
        thread_id = forks.get(each.execution_id, each.thread_id)
        run_id = runs.setdefault(thread_id, new_id())
        continuations.append(
            Continuation(execution_id=each.execution_id, run_id=run_id, thread_id=thread_id)
        )
    return continuations
